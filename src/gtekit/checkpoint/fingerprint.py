"""The name of a vector space: the same hash for models that give the same vectors, on every machine.

It covers the encoder's configuration, the values of the tensors it uses, the tokenizer, the pooling and the
normalization. It does not cover what leaves the space as it is: precision, instruction set, the dtype that equal values
are stored in, tensor prefixes, unused tensors, prompts, the maximum length.

It is computed when it is first asked for, never on the way to the first vector, and kept on disk by the path, size and
time of the files it was made from.
"""

import hashlib
import json
import os
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from gtekit.arrays import Array, Floats
from gtekit.checkpoint.stamps import FileStamp, check_unchanged
from gtekit.checkpoint.tokenizer_description import describe_tokenizer
from gtekit.checkpoint.weights import read_tensors
from gtekit.config import ModelConfig, Pooling, TokenizerFiles

SCHEME = "gtekit-fingerprint-1"  # part of the hash: another way to compute it must give another name


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """What decides the vectors of a checkpoint."""

    config: ModelConfig
    encoder_folder: Path
    tokenizer_files: TokenizerFiles
    pooling: Pooling
    normalize: bool
    stamps: tuple[FileStamp, ...]  # of the files, when the checkpoint was loaded


def fingerprint(space: Space, *, cache: Path | None = None) -> str:
    """The fingerprint of a checkpoint, from the cache where its files have not changed: 64 hexadecimal digits.

    Args:
        space: What the checkpoint is made of.
        cache: A folder for the results; None: the user's cache folder. One that can't be written does no harm.

    Raises:
        CheckpointError: If a file changed after the checkpoint was loaded: its hash would name another model.
    """
    check_unchanged(space.stamps)
    entry = (cache or default_cache()) / f"{_cache_key(space)}.txt"
    with suppress(OSError, UnicodeDecodeError):
        known = entry.read_text("utf-8").strip()
        if len(known) == 64 and set(known) <= set("0123456789abcdef"):
            return known
    tensors = read_tensors(space.encoder_folder, space.config)
    result = compute_fingerprint(space, tensors)
    check_unchanged(space.stamps)
    _write_atomically(entry, result)
    return result


def compute_fingerprint(space: Space, tensors: Mapping[str, Array]) -> str:
    """The fingerprint itself, from tensors that are in memory."""
    described = {
        "scheme": SCHEME,
        "encoder": {"kind": "bert", "hidden_act": "gelu", "positions": "absolute", **asdict(space.config)},
        "tokenizer": describe_tokenizer(space.tokenizer_files),
        "pooling": space.pooling,
        "normalize": space.normalize,
    }
    digest = hashlib.sha256(json.dumps(described, sort_keys=True, separators=(",", ":")).encode())
    for name in sorted(tensors):
        digest.update(f"\n{name} {list(tensors[name].shape)}\n".encode())
        digest.update(np.ascontiguousarray(widen(tensors[name]), "<f4").data)
    return digest.hexdigest()


def widen(tensor: Array) -> Floats:
    """The exact float32 of float32, float16, or the bits of bfloat16 in uint16."""
    if tensor.dtype == np.uint16:
        return (tensor.astype(np.uint32) << np.uint32(16)).view(np.float32)
    return tensor.astype(np.float32, copy=False)


def default_cache() -> Path:
    """The folder of this cache: $XDG_CACHE_HOME/gtekit/fingerprints, or the platform's place for caches."""
    base = os.environ.get("XDG_CACHE_HOME") or (os.environ.get("LOCALAPPDATA") if os.name == "nt" else None)
    return (Path(base) if base else Path("~/.cache").expanduser()) / "gtekit" / "fingerprints"


def _cache_key(space: Space) -> str:
    described = [SCHEME, space.pooling, space.normalize, [asdict(stamp) for stamp in space.stamps]]
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()


def _write_atomically(path: Path, text: str) -> None:
    """Write a file whole or not at all; a read-only or full disk only means that it is computed again next time."""
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f".{path.name}-{os.getpid()}-{threading.get_ident()}")
        try:
            new.write_text(text + "\n", "utf-8")
            new.replace(path)
        finally:
            new.unlink(missing_ok=True)
