"""Rows that were written together and never change: vectors, ids with metadata, texts."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from mmap import mmap
from pathlib import Path
from typing import Any, Generic, TypeAlias, TypeVar

import numpy as np

from gtekit.arrays import Array, Ints
from gtekit.errors import VectorIndexError
from gtekit.index.exact.durable import WHAT_TO_DO
from gtekit.index.interface import Value
from gtekit.index.predicates import Column, column_of

T = TypeVar("T")
Row: TypeAlias = tuple[str, dict[str, Value]]  # id and metadata
SUFFIXES = {"vectors": ".vectors.npy", "rows": ".rows.jsonl", "texts": ".texts.jsonl"}
SCANNED_BYTES = 1 << 24  # at once, when lines are counted


@dataclass(frozen=True, slots=True)
class Files:
    """The files of one segment."""

    name: str
    rows: int
    sizes: Mapping[str, tuple[int, int]]  # of "vectors", "rows" and, where there are some, "texts": bytes and CRC-32

    def path(self, folder: Path, what: str) -> Path:
        """Where one of them is."""
        return folder / f"{self.name}{SUFFIXES[what]}"


@dataclass(frozen=True, eq=False)  # the same only if it is the same: arrays have no ==
class Segment:
    """Equally long columns of rows, in memory or memory-mapped."""

    vectors: Array  # (N, D), float16 or float32
    rows: "list[Row] | Lines[Row]"
    texts: "list[str | None] | Lines[str | None] | None"
    files: Files | None = None  # None while it is in memory alone
    _columns: dict[str, Column] = field(default_factory=dict, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.vectors)

    @cached_property
    def row_of(self) -> dict[str, int]:
        """Where each id is."""
        return {row[0]: number for number, row in enumerate(self.all_rows)}

    @cached_property
    def all_rows(self) -> list[Row]:
        """Ids and metadata, each read from its file once."""
        return self.rows if isinstance(self.rows, list) else list(self.rows)

    def column(self, name: str, kind: str) -> Column:
        """Give the values of one name, "id" among them, made at first use."""
        if name not in self._columns:
            values: list[Value] = [row[0] if name == "id" else row[1].get(name) for row in self.all_rows]
            try:
                self._columns[name] = column_of(values, kind)
            except (TypeError, ValueError, OverflowError):
                where = self.files.name if self.files else "in memory"
                raise VectorIndexError(
                    f"segment {where}: metadata {name!r} holds something else than {kind}. {WHAT_TO_DO}"
                ) from None
        return self._columns[name]


class Lines(Generic[T]):
    """The lines of a file of JSON, each read when it is asked for."""

    def __init__(self, data: mmap, path: Path, count: int, read: Callable[[object], T]) -> None:
        """Keep hold of the bytes.

        Args:
            data: The file, mapped into memory.
            path: Of the file, for messages.
            count: How many lines there have to be.
            read: Takes what JSON gives; raises ValueError if it is not what has to be there.
        """
        self._data = data
        self._path = path
        self._count = count
        self._read = read

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[T]:
        return (self[number] for number in range(self._count))

    def __getitem__(self, number: int) -> T:
        begin = int(self._ends[number - 1]) + 1 if number else 0
        try:
            return self._read(json.loads(self._data[begin : int(self._ends[number])]))
        except (ValueError, RecursionError):
            raise VectorIndexError(f"{self._path}, line {number + 1}: is damaged. {WHAT_TO_DO}") from None

    @cached_property
    def _ends(self) -> Ints:
        blocks = [
            begin + np.flatnonzero(np.frombuffer(self._data[begin : begin + SCANNED_BYTES], np.uint8) == ord("\n"))
            for begin in range(0, len(self._data), SCANNED_BYTES)
        ]
        ends: Ints = np.concatenate(blocks)
        if len(ends) != self._count:
            raise VectorIndexError(
                f"{self._path}: has {len(ends):,} lines, was written with {self._count:,}. {WHAT_TO_DO}"
            )
        return ends


def read_row(line: object) -> Row:
    """Take an id and metadata from a line."""
    if isinstance(line, list) and len(line) == 2 and isinstance(line[0], str) and isinstance(line[1], dict):
        return line[0], line[1]
    raise ValueError("no id and metadata")


def read_text(line: object) -> str | None:
    """Take a text from a line."""
    if line is None or isinstance(line, str):
        return line
    raise ValueError("no text")


def json_lines(values: Iterable[Any]) -> Iterable[bytes]:
    """Write values as lines; a line end inside a text is escaped."""
    for value in values:
        yield json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
