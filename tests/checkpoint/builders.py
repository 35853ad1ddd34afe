"""Make and change checkpoints on disk, for the tests of this folder."""

import json
import shutil
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gtekit.arrays import Array
from gtekit.checkpoint.config import read_model_config
from gtekit.checkpoint.seeded import write_safetensors
from gtekit.checkpoint.weights import read_tensors

WORDS = {"float32": "F32", "float16": "F16", "uint16": "BF16", "int64": "I64", "float64": "F64"}


def copy_checkpoint(source: Path, target: Path) -> Path:
    """A copy that a test may change."""
    shutil.copytree(source, target)
    return target


def edit_json(path: Path, **changes: Any) -> None:
    """Change keys of a JSON object on disk; None as a value removes the key."""
    value = json.loads(path.read_text("utf-8")) if path.exists() else {}
    value |= changes
    path.write_text(json.dumps({key: item for key, item in value.items() if item is not None}), "utf-8")


def tensors_of(folder: Path) -> dict[str, Array]:
    """The encoder's tensors of a checkpoint."""
    return read_tensors(folder, read_model_config(folder / "config.json"))


def write_tensors(path: Path, tensors: Mapping[str, Array]) -> None:
    """Store arrays under their own dtypes; uint16 stands for the bits of bfloat16."""
    write_safetensors(path, {name: (WORDS[value.dtype.name], value) for name, value in tensors.items()})


def change_tensors(folder: Path, change: Callable[[dict[str, Array]], dict[str, Array]]) -> None:
    """Rewrite the weights of a checkpoint after `change` has had them."""
    write_tensors(folder / "model.safetensors", change({name: np.array(t) for name, t in tensors_of(folder).items()}))


def read_raw(path: Path) -> tuple[dict[str, Any], bytes]:
    """Header and data of a safetensors file."""
    content = path.read_bytes()
    (size,) = struct.unpack("<Q", content[:8])
    return json.loads(content[8 : 8 + size]), content[8 + size :]


def write_raw(path: Path, header: object, data: bytes) -> None:
    """A safetensors file with any header, right or wrong: an object to turn into JSON, or the bytes themselves."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
