"""A file that documents come from, here or on S3: its name, its kind, its bytes when they are asked for."""

import gzip
import os
import shutil
import stat
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, cast

from gtekit.errors import FileFormatError

Kind = Literal["text", "markdown", "html", "pdf", "jsonl", "csv", "tsv", "parquet", "unknown"]
TABLES = ("jsonl", "csv", "tsv", "parquet")  # one document a row
COPY_BYTES = 1 << 20

KIND_OF_SUFFIX: dict[str, Kind] = {
    **dict.fromkeys((".txt", ".text", ".rst", ".adoc", ".asciidoc", ".org", ".log", ".debian"), "text"),
    **dict.fromkeys((".md", ".markdown", ".mkd"), "markdown"),
    **dict.fromkeys((".html", ".htm", ".xhtml"), "html"),
    **dict.fromkeys((".jsonl", ".ndjson"), "jsonl"),
    **dict.fromkeys((".parquet", ".pq"), "parquet"),
    ".pdf": "pdf",
    ".csv": "csv",
    ".tsv": "tsv",
}
PACKED_KINDS = ("text", "markdown", "html", "jsonl", "csv", "tsv")  # that are read with .gz after their name


@dataclass(frozen=True, slots=True)
class Source:
    """One file."""

    id: str  # its path as it was named, the same in every run
    root: str  # the path, pattern or address that it was found through
    kind: Kind
    is_packed: bool  # with gzip
    size_bytes: int
    stamp: str  # size and time of the last change: the same stamp, the same content
    modified_s: float  # since 1970
    location: str  # absolute path, or address
    open: Callable[[], BinaryIO]


def kind_of(name: str) -> tuple[Kind, bool] | None:
    """Tell the kind of a file by its name, and whether it is packed; None where the name says nothing known.

    >>> kind_of("changelog.Debian.gz"), kind_of("README"), kind_of("a.tar.gz")
    (('text', True), ('text', False), None)
    """
    is_packed = name.lower().endswith(".gz")
    plain = Path(name[:-3] if is_packed else name)
    kind = KIND_OF_SUFFIX.get(plain.suffix.lower()) if plain.suffix else "text"
    if kind is None or (is_packed and kind not in PACKED_KINDS):
        return None
    return kind, is_packed


def open_local(path: Path) -> BinaryIO:
    """Open a regular file. A pipe would wait for ever, a device need not end.

    Raises:
        FileFormatError: If it is something else.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise FileFormatError("a pipe, a socket or a device, no file")
    return path.open("rb")


def stamp_of(status: os.stat_result) -> str:
    """Give what changes when a file does: size and time."""
    return f"{status.st_size}-{status.st_mtime_ns}"


def read_bytes(source: Source, limit: int) -> bytes:
    """Read a whole file, unpacked.

    Args:
        source: The file.
        limit: The most bytes, unpacked: a small packed file can hold any number.

    Raises:
        FileFormatError: If there are more, or gzip is damaged.
        OSError: If the file can't be read.
    """
    with _unpacked(source) as stream:
        data = stream.read(limit + 1)
    if len(data) > limit:
        raise FileFormatError(f"holds more than {limit / 1e6:,.0f} MB{' unpacked' * source.is_packed}")
    return data


@contextmanager
def as_local_file(source: Source, limit: int) -> Iterator[Path]:
    """Give a path to the unpacked content: the file itself where it is here and not packed, else a copy that goes away.

    Raises:
        FileFormatError: If the copy would have more than `limit` bytes, or gzip is damaged.
    """
    if not source.is_packed and not source.location.startswith("s3://"):
        source.open().close()
        yield Path(source.location)
        return
    with tempfile.TemporaryDirectory(prefix="gtekit-") as folder:
        copy = Path(folder, "rows")
        with _unpacked(source) as stream, copy.open("wb") as file:
            shutil.copyfileobj(cast(BinaryIO, _Limited(stream, limit)), file, COPY_BYTES)
        yield copy


class _Limited:
    """Bytes of a stream that may give only so many."""

    def __init__(self, stream: BinaryIO, limit: int) -> None:
        self._stream, self._left, self._limit = stream, limit, limit

    def read(self, size: int) -> bytes:
        data = self._stream.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise FileFormatError(f"holds more than {self._limit / 1e6:,.0f} MB")
        return data


@contextmanager
def _unpacked(source: Source) -> Iterator[BinaryIO]:
    with source.open() as stream:
        if not source.is_packed:
            yield stream
            return
        try:
            with gzip.GzipFile(fileobj=stream) as unpacked:
                yield cast(BinaryIO, unpacked)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise FileFormatError(f"damaged gzip ({error})") from None
