"""Weights files -> named arrays: the tensors of the table, each checked for name, dtype, shape and finite values."""

import os
from collections.abc import Mapping
from io import FileIO
from pathlib import Path

import numpy as np

from gtekit.arrays import Array
from gtekit.checkpoint.json_files import kind_of, read_json_object, shorten
from gtekit.checkpoint.safetensors_file import AGAIN, Entry, read_header
from gtekit.checkpoint.tensors import PREFIXES, expected_tensors, old_name
from gtekit.config import ModelConfig
from gtekit.errors import CheckpointError, PickleRefusedError

SINGLE_FILE = "model.safetensors"
SHARD_INDEX = "model.safetensors.index.json"
PICKLES = ("pytorch_model.bin", "pytorch_model.bin.index.json", "model.pt", "model.pth", "model.bin")
OTHER_FORMATS = ("tf_model.h5", "flax_model.msgpack", "onnx/model.onnx", "model.onnx", "openvino/openvino_model.xml")

ALIGNMENT = 64  # a cache line, and the widest vector register

# numpy has no bfloat16: its bits travel as uint16, and the engine widens them.
NUMPY_DTYPES: dict[str, type[np.generic]] = {"F32": np.float32, "F16": np.float16, "BF16": np.uint16}
# The bits of positive infinity. Whatever is at or above them, as an integer of either sign, is infinite or NaN.
INFINITY_BITS = {"F32": 0x7F800000, "F16": 0x7C00, "BF16": 0x7F80}


def weight_files(folder: Path) -> list[Path]:
    """The files that hold the weights, the shard index (where there is one) first.

    Raises:
        PickleRefusedError: If the weights are only there as a pickle.
        CheckpointError: If there are no weights, or the index names a file outside of the folder.
    """
    single, index = folder / SINGLE_FILE, folder / SHARD_INDEX
    if os.path.lexists(single):
        return [single]
    if os.path.lexists(index):
        return [index, *sorted({folder / shard for shard in _weight_map(index).values()})]
    for name in PICKLES:
        if (folder / name).exists():
            raise PickleRefusedError(pickle_refusal(str(folder / name)))
    others = [name for name in OTHER_FORMATS if (folder / name).exists()]
    raise CheckpointError(
        f"{folder}: expected {SINGLE_FILE} (or {SHARD_INDEX}), found {', '.join(others) or 'no weights at all'}. "
        "gtekit reads safetensors and converts nothing by guessing."
    )


def pickle_refusal(found: str) -> str:
    """Why a pickle is refused and what to do, for a file or a repository named `found`."""
    return (
        f"{found}: the weights are a pickle, and opening a pickle can run any code that its author put there. Expected "
        f"{SINGLE_FILE}. Ways out: a revision that has it (many repositories have one as a pull request: "
        "revision='refs/pr/1'), or, if you trust the author, a conversion with sentence-transformers: "
        "python -c \"from sentence_transformers import SentenceTransformer as S; S('MODEL').save('FOLDER')\""
    )


def read_tensors(folder: Path, config: ModelConfig) -> dict[str, Array]:
    """Read every tensor that the encoder uses, checked for name, dtype, shape and finite values.

    Returns:
        Arrays by their name in gtekit.checkpoint.tensors: float32, float16, or uint16 with the bits of a bfloat16.
        They belong to the caller: nothing stays mapped or open.

    Raises:
        CheckpointError: If a file is damaged, or does not hold what `config` says.
    """
    entries = _entries(weight_files(folder))
    chosen = _choose(folder, entries, config)
    tensors: dict[str, Array] = {}
    for file in sorted({entry.file for entry in chosen.values()}):
        of_file = {name: entry for name, entry in chosen.items() if entry.file == file}
        tensors |= read_entries(file, of_file)
    for name, tensor in tensors.items():
        _check_finite(chosen[name], name, tensor)
    return tensors


def _weight_map(index: Path) -> dict[str, str]:
    shards = read_json_object(index).get("weight_map")
    if not isinstance(shards, dict) or not shards:
        raise CheckpointError(f"{index}: expected a weight_map from tensors to files, found {kind_of(shards)}.")
    for name, shard in shards.items():
        if not isinstance(shard, str) or Path(shard).name != shard or shard in {"", ".", ".."} or "\\" in shard:
            raise CheckpointError(
                f"{index}: tensor {name!r}: expected the name of a file beside the index, found {shorten(shard)}."
            )
    return shards


def _entries(files: list[Path]) -> dict[str, Entry]:
    if files[0].name != SHARD_INDEX:
        return read_header(files[0])
    headers = {file.name: read_header(file) for file in files[1:]}
    entries = {}
    for name, shard in _weight_map(files[0]).items():
        if name not in headers[shard]:
            raise CheckpointError(f"{files[0]}: tensor {name!r}: expected in {shard}, found no such tensor there.")
        entries[name] = headers[shard][name]
    return entries


def _choose(folder: Path, entries: Mapping[str, Entry], config: ModelConfig) -> dict[str, Entry]:
    """Match the file's names with the table's, and check dtype and shape of each."""
    prefix = _prefix(folder, entries)
    chosen = {}
    for name, shape in expected_tensors(config).items():
        old = old_name(name)
        entry = entries.get(prefix + name) or (entries.get(prefix + old) if old else None)
        if entry is None:
            raise CheckpointError(
                f"{_source(entries, folder)}: tensor {prefix + name!r}: expected with shape {list(shape)}, found none. "
                f"The file and config.json (num_hidden_layers={config.num_hidden_layers}) come from different models, "
                "or the file is incomplete."
            )
        if entry.dtype not in NUMPY_DTYPES:
            raise CheckpointError(
                f"{entry.file}: tensor {prefix + name!r}: expected dtype F32, F16 or BF16, found {entry.dtype}."
            )
        if entry.shape != shape:
            raise CheckpointError(
                f"{entry.file}: tensor {prefix + name!r}: expected shape {list(shape)}, found {list(entry.shape)}. The "
                f"file and config.json (hidden_size={config.hidden_size}) come from different models: get both again."
            )
        chosen[name] = entry
    surplus = f"{prefix}encoder.layer.{config.num_hidden_layers}."
    for name, entry in entries.items():
        if name.startswith(surplus):
            raise CheckpointError(
                f"{entry.file}: tensor {name!r}: expected {config.num_hidden_layers} layers as config.json says "
                f"(num_hidden_layers), found one more. The two files come from different models: get both again."
            )
    return chosen


def _prefix(folder: Path, entries: Mapping[str, Entry]) -> str:
    anchor = "embeddings.word_embeddings.weight"
    found = [prefix for prefix in PREFIXES if prefix + anchor in entries]
    if len(found) == 1:
        return found[0]
    names = ", ".join(sorted(entries)[:3])
    raise CheckpointError(
        f"{_source(entries, folder)}: tensor {anchor!r}: expected once, with or without one of the prefixes "
        f"{', '.join(PREFIXES[1:])}, found {len(found)} of them among {len(entries)} tensors: {names[:200]} ..."
    )


def _source(entries: Mapping[str, Entry], folder: Path) -> Path:
    files = {entry.file for entry in entries.values()}
    return files.pop() if len(files) == 1 else folder / SHARD_INDEX if files else folder / SINGLE_FILE


def read_entries(path: Path, entries: Mapping[str, Entry]) -> dict[str, Array]:
    """One buffer for all tensors of a file, each at a cache line, filled by plain reads in the order of the file."""
    order = sorted(entries, key=lambda name: entries[name].begin)
    starts, total = {}, 0
    for name in order:
        starts[name] = total
        total += -(-(entries[name].end - entries[name].begin) // ALIGNMENT) * ALIGNMENT
    raw = np.empty(total + ALIGNMENT, np.uint8)
    first = -raw.ctypes.data % ALIGNMENT
    buffer = raw[first : first + total]
    try:
        with path.open("rb", buffering=0) as file:
            for name in order:
                size = entries[name].end - entries[name].begin
                _read_into(file, name, entries[name], buffer[starts[name] : starts[name] + size].data)
    except OSError as error:
        raise CheckpointError(f"{path}: can't be read: {error.strerror or error}.") from None
    return {
        name: buffer[starts[name] : starts[name] + entry.end - entry.begin]
        .view(np.dtype(NUMPY_DTYPES[entry.dtype]).newbyteorder("<"))
        .reshape(entry.shape)
        for name, entry in entries.items()
    }


def _read_into(file: FileIO, name: str, entry: Entry, view: memoryview) -> None:
    file.seek(entry.begin)
    done = 0
    while done < len(view):
        count = file.readinto(view[done:])
        if not count:
            raise CheckpointError(
                f"{entry.file}: tensor {name!r}: expected {len(view):,} bytes, found {done:,}: the file became shorter "
                f"while it was read. {AGAIN}"
            )
        done += count


def _check_finite(entry: Entry, name: str, tensor: Array) -> None:
    """Refuse infinities and NaN. Compared as integers: two passes at memory speed, no temporary array."""
    bits = INFINITY_BITS[entry.dtype]
    unsigned = tensor.view(np.uint32 if entry.dtype == "F32" else np.uint16)
    negative_bits = bits + (1 << (31 if entry.dtype == "F32" else 15))
    if unsigned.max() >= negative_bits or unsigned.view(np.int32 if entry.dtype == "F32" else np.int16).max() >= bits:
        flat = unsigned.ravel()
        position = int(np.flatnonzero((flat & np.array(bits, flat.dtype)) == bits)[0])
        raise CheckpointError(
            f"{entry.file}: tensor {name!r}: expected finite numbers, found infinity or NaN at index {position:,}."
        )
