"""What a safetensors file claims to hold, with every claim checked.

The format is 8 bytes with the length of the header, the header as JSON, then the data without gaps. It is parsed here
rather than by the `safetensors` package for three reasons: errors that name the tensor, reading only the tensors that
are used, and plain reads into memory, where a file that is cut while it is mapped would end the process.
"""

import json
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gtekit.checkpoint.json_files import kind_of, regular_file_status, shorten, without_duplicates
from gtekit.errors import CheckpointError

MAX_HEADER_BYTES = 100_000_000  # the limit of the safetensors package
ITEM_BITS = {"BOOL": 8, "I8": 8, "U8": 8, "I16": 16, "U16": 16, "F16": 16, "BF16": 16}
ITEM_BITS |= {"I32": 32, "U32": 32, "F32": 32, "I64": 64, "U64": 64, "F64": 64}

AGAIN = "The file is damaged or incomplete: get it again (a model of the hub: gtekit pull MODEL --force)."


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One tensor of a file, as its header describes it."""

    file: Path
    dtype: str
    shape: tuple[int, ...]
    begin: int  # bytes from the beginning of the file
    end: int


def read_header(path: Path) -> dict[str, Entry]:
    """Every tensor that a safetensors file claims to hold, with offsets that lie inside the file and do not overlap.

    Raises:
        CheckpointError: If the file is no safetensors file, is cut short, or contradicts itself.
    """
    size = regular_file_status(path).st_size
    try:
        with path.open("rb", buffering=0) as file:
            header_size = _header_size(path, file.read(8), size)
            header = file.read(header_size)
    except OSError as error:
        raise CheckpointError(f"{path}: can't be read: {error.strerror or error}.") from None
    try:
        if len(header) != header_size or header[:1] != b"{":
            raise ValueError("it does not begin with an object")
        described = json.loads(header, object_pairs_hook=without_duplicates)
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path}: expected a header in JSON, found one that does not parse: {error}") from None
    data = 8 + header_size
    entries = {
        name: _entry(path, name, value, data, size) for name, value in described.items() if name != "__metadata__"
    }
    _check_layout(path, entries, data, size)
    return entries


def _header_size(path: Path, first: bytes, size: int) -> int:
    if len(first) < 8:
        raise CheckpointError(f"{path}: expected a safetensors file, found one of {size} bytes. {AGAIN}")
    (header_size,) = struct.unpack("<Q", first)
    if header_size > min(size - 8, MAX_HEADER_BYTES):
        raise CheckpointError(
            f"{path}: expected a header of at most {min(size - 8, MAX_HEADER_BYTES):,} bytes (the file has {size:,}), "
            f"found a length of {header_size:,}. {AGAIN}"
        )
    return int(header_size)


def _entry(path: Path, name: str, value: object, data: int, size: int) -> Entry:
    where = f"{path}: tensor {name!r}"
    if not isinstance(value, dict):
        raise CheckpointError(f"{where}: expected an object with dtype, shape, data_offsets, found {kind_of(value)}.")
    dtype = value.get("dtype")
    shape, offsets = _counts(value.get("shape")), _counts(value.get("data_offsets"))
    if not isinstance(dtype, str):
        raise CheckpointError(f"{where}: expected a dtype such as F16, found {kind_of(dtype)}.")
    if shape is None:
        raise CheckpointError(
            f"{where}: expected a shape of non-negative integers, found {shorten(value.get('shape'))}."
        )
    if offsets is None or len(offsets) != 2 or offsets[0] > offsets[1]:
        raise CheckpointError(
            f"{where}: expected data_offsets [begin, end], found {shorten(value.get('data_offsets'))}."
        )
    if data + offsets[1] > size:
        raise CheckpointError(
            f"{where}: expected data that ends within {size - data:,} bytes, found an end at {offsets[1]:,}. {AGAIN}"
        )
    bits = ITEM_BITS.get(dtype)  # an unknown dtype is fine in a tensor that nobody uses
    if bits and math.prod(shape) * bits // 8 != offsets[1] - offsets[0]:
        raise CheckpointError(
            f"{where}: expected {math.prod(shape) * bits // 8:,} bytes for shape {shape} of {dtype}, "
            f"found {offsets[1] - offsets[0]:,}."
        )
    return Entry(file=path, dtype=dtype, shape=tuple(shape), begin=data + offsets[0], end=data + offsets[1])


def _counts(value: object) -> list[int] | None:
    """A list of numbers that can be sizes; None for anything else."""
    if not isinstance(value, list) or len(value) > 64:
        return None
    return value if all(type(item) is int and 0 <= item < 1 << 63 for item in value) else None


def _check_layout(path: Path, entries: Mapping[str, Entry], data: int, size: int) -> None:
    """No gaps, no overlaps, nothing behind the last tensor: so says the format, and a patched file shows here."""
    position = data
    for name, entry in sorted(entries.items(), key=lambda item: (item[1].begin, item[1].end)):
        if entry.begin != position:
            what = "overlap the tensor before it" if entry.begin < position else "leave a gap before it"
            raise CheckpointError(
                f"{path}: tensor {name!r}: expected data_offsets that begin at {position - data:,}, found "
                f"{entry.begin - data:,}, which {what}. {AGAIN}"
            )
        position = entry.end
    if position != size:
        raise CheckpointError(
            f"{path}: expected {position:,} bytes as its header says, found {size:,}: "
            f"{size - position:,} bytes belong to no tensor. {AGAIN}"
        )
