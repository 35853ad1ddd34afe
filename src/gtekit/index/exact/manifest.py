"""What one version of a folder is made of, as a small JSON file."""

import base64
import binascii
import mmap
import zlib
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import numpy as np

from gtekit.arrays import Array
from gtekit.errors import VectorIndexError
from gtekit.index.exact.durable import WHAT_TO_DO, checksum, write_file
from gtekit.index.exact.segment import SUFFIXES, Files, Lines, Segment, json_lines, read_row, read_text
from gtekit.index.exact.state import Part
from gtekit.index.predicates import Bools


def write_segment(folder: Path, name: str, segment: Segment) -> Files:
    """Write the files of a segment that nobody knows of yet."""
    vectors = np.ascontiguousarray(segment.vectors)
    writes: dict[str, Callable[[IO[bytes]], None]] = {
        "vectors": lambda file: np.save(file, vectors, allow_pickle=False),
        "rows": lambda file: file.writelines(json_lines(segment.all_rows)),
    }
    if (texts := segment.texts) is not None:
        writes["texts"] = lambda file: file.writelines(json_lines(texts))
    sizes = {what: write_file(folder / f"{name}{SUFFIXES[what]}", write) for what, write in writes.items()}
    return Files(name, len(segment), sizes)


def open_segment(folder: Path, files: Files, dimension: int, dtype: str) -> Segment:
    """Map the files of a segment into memory: they stay readable after their names are gone.

    Raises:
        FileNotFoundError: If one is not there.
        VectorIndexError: If one has another size or shape than it was written with.
    """
    for what, (size, _) in files.sizes.items():
        path = files.path(folder, what)
        found = path.stat().st_size
        if found != size:
            raise VectorIndexError(f"{path}: has {found:,} bytes, was written with {size:,}. {WHAT_TO_DO}")
    vectors = _open_vectors(files.path(folder, "vectors"), (files.rows, dimension), dtype)
    path = files.path(folder, "rows")
    rows = Lines(_map(path), path, files.rows, read_row)
    if "texts" not in files.sizes:
        return Segment(vectors, rows, None, files)
    path = files.path(folder, "texts")
    return Segment(vectors, rows, Lines(_map(path), path, files.rows, read_text), files)


def find_damage(folder: Path, files: Files) -> list[str]:
    """Compare the files of a segment with what was written."""
    problems = []
    for what, (size, crc) in files.sizes.items():
        path = files.path(folder, what)
        try:
            if path.stat().st_size != size:
                problems.append(f"{path}: has {path.stat().st_size:,} bytes, was written with {size:,}. {WHAT_TO_DO}")
            elif checksum(path) != crc:
                problems.append(f"{path}: has another checksum than it was written with: it was changed. {WHAT_TO_DO}")
        except OSError as error:
            problems.append(f"{path}: can't be read ({error.strerror}). {WHAT_TO_DO}")
    return problems


def part_to_json(part: Part) -> dict[str, Any]:
    """Describe a segment that was written, and the rows of it that are gone."""
    files = part.segment.files
    assert files is not None
    gone = None
    if part.is_there is not None:
        gone = base64.b64encode(zlib.compress(np.packbits(~part.is_there).tobytes())).decode()
    return {
        "name": files.name,
        "rows": files.rows,
        "files": {what: list(numbers) for what, numbers in files.sizes.items()},
        "gone": gone,
    }


def files_from_json(entry: Mapping[str, Any]) -> Files:
    """Read back which files a segment has."""
    sizes = {what: (int(size), int(crc)) for what, (size, crc) in entry["files"].items() if what in SUFFIXES}
    return Files(str(entry["name"]), int(entry["rows"]), sizes)


def there_from_json(entry: Mapping[str, Any]) -> Bools | None:
    """Read back which rows are there; None: all.

    Raises:
        ValueError: If this is no such description.
    """
    if entry["gone"] is None:
        return None
    try:
        bits = np.frombuffer(zlib.decompress(base64.b64decode(entry["gone"])), np.uint8)
    except (binascii.Error, zlib.error):
        raise ValueError("no list of rows that are gone") from None
    return ~np.unpackbits(bits, count=int(entry["rows"])).astype(bool)


def created_from_json(manifest: Mapping[str, Any]) -> datetime:
    """Read back when a version was made."""
    return datetime.fromisoformat(manifest["created"])


def _open_vectors(path: Path, shape: tuple[int, int], dtype: str) -> Array:
    try:
        vectors: Array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError):
        raise VectorIndexError(f"{path}: is no array of numpy: it is damaged. {WHAT_TO_DO}") from None
    if vectors.shape != shape or vectors.dtype != dtype:
        raise VectorIndexError(
            f"{path}: has shape {vectors.shape} of {vectors.dtype}, was written with {shape} of {dtype}. {WHAT_TO_DO}"
        )
    return vectors


def _map(path: Path) -> mmap.mmap:
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
