"""What an index stores and answers, and what a store of vectors must do. No type of any vendor."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol, TypeAlias

from gtekit.arrays import Array, Floats

# Of metadata. The type of a name is that of its first value; None is the same as not being there, and is left out of
# what comes back.
Value: TypeAlias = str | int | float | bool | None
Mode = Literal["vector", "text", "hybrid"]
# Rows; up to here a plain product is faster than an approximate index is to build. Vectors of 384 float16 take then
# 77 MB of memory.
EXACT_BELOW = 100_000
ID_BYTES = 512  # the longest id, in UTF-8


@dataclass(frozen=True, slots=True)
class Space:
    """Which vectors an index holds: only those of one model can be compared with each other."""

    fingerprint: str
    model: str  # its name, for the message and to load it again
    dimension: int
    precision: str = "float32"  # of the model that made them: not part of the space, kept to be known
    prompts: Mapping[str, str] = field(default_factory=dict)  # of the model when the index was made, by name


@dataclass(frozen=True, slots=True)
class Records:
    """Rows on their way in or out, all columns equally long."""

    ids: Sequence[str]
    vectors: Array  # (N, D), normalized; float32 or float16
    texts: Sequence[str | None] | None = None  # None: no row has one
    metadata: Sequence[Mapping[str, Value]] | None = None  # None: no row has any


@dataclass(frozen=True, slots=True)
class Hit:
    """One row that was found."""

    id: str
    score: float  # cosine, BM25 or the fused score, as the mode says; larger is closer
    text: str | None = None
    metadata: Mapping[str, Value] = field(default_factory=dict)
    vector_score: float | None = None  # the cosine, where it is known
    text_score: float | None = None  # BM25, where it is known


@dataclass(frozen=True, slots=True)
class Version:
    """One state of an index. Every write makes a new one."""

    number: int
    created: datetime
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Recall:
    """How much of the exact answer an approximate index finds, measured when it was built."""

    top_k: int
    queries: int  # rows of the index itself, drawn by a fixed seed and perturbed
    recall: float  # mean share of the exact top_k that was found
    settings: Mapping[str, Value]  # of the index and the search that this holds for


@dataclass(frozen=True, slots=True)
class Stats:
    """What an index is made of."""

    backend: str
    location: str
    space: Space
    rows: int
    version: int
    size_bytes: int | None  # None where it lies on a server that does not say
    search: str  # how a vector is searched for now: "exact", or the kind of index and its settings
    unindexed_rows: int  # searched exactly beside an approximate index
    has_text: bool  # whether words can be searched: texts are kept, and the backend has BM25
    recall: Recall | None
    columns: Mapping[str, str]  # of the metadata: name and type (string, int, float, bool)


class Backend(Protocol):
    """Keeps rows and finds the nearest. Everything that it acknowledges outlives the process, unless in memory.

    Readers of other processes see the state before or after a write, never half of it. What comes here has been
    checked by `Index`: vectors are normalized, finite and of the right dimension, ids are unique within a call and
    valid UTF-8 of at most ID_BYTES, columns are equally long, metadata have names and values that can be stored (see
    columns.py). Filters come as they were written: `filters.parse` reads them.
    """

    @property
    def space(self) -> Space:
        """Whose vectors these are."""

    @property
    def columns(self) -> Mapping[str, str]:
        """Names and types (string, int, float, bool) of the metadata, as `Stats.columns`."""

    def upsert(self, records: Records) -> None:
        """Put rows in; those whose id is there are replaced. All of a call or nothing."""

    def delete(self, ids: Sequence[str] | None = None, where: str | None = None) -> int:
        """Take rows out, by id or by filter; gives how many there were."""

    def search_vectors(self, queries: Floats, top_k: int, where: str | None = None) -> list[list[Hit]]:
        """Find the largest cosines for each of the queries, shape (Q, D)."""

    def search_text(self, query: str, top_k: int, where: str | None = None) -> list[Hit]:
        """Find the best rows by BM25. A backend without texts raises ArgumentError."""

    def get(self, ids: Sequence[str]) -> Records:
        """Give rows by id, in the order asked for, vectors as float32; ids that are not there are left out."""

    def scan(self, where: str | None = None, batch_rows: int = 8192) -> Iterator[Records]:
        """Give all rows, a batch at a time, vectors as float32."""

    def count(self, where: str | None = None) -> int:
        """Count rows."""

    def optimize(self) -> None:
        """Compact, and build the approximate index and that of words where there are rows enough for them."""

    def versions(self) -> list[Version]:
        """Give the states that can be gone back to, oldest first."""

    def tag(self, name: str) -> None:
        """Give the present state a name, which keeps it from being cleaned up. A name that is there moves here."""

    def untag(self, name: str) -> None:
        """Take a name away: its version goes with the others when it is old. None of that name: VectorIndexError."""

    def checkout(self, version: int | str) -> "Backend":
        """Open a former state, by number or tag, to read only: a write raises VectorIndexError."""

    def read_note(self, name: str) -> Mapping[str, Any] | None:
        """Read a small JSON object that is kept beside the rows, such as what was measured."""

    def write_note(self, name: str, note: Mapping[str, Any]) -> None:
        """Keep a small JSON object beside the rows."""

    def stats(self) -> Stats:
        """Say what the index is made of."""

    def verify(self) -> list[str]:
        """Check what lies beneath the rows, such as checksums of files, and say what is wrong with which file.

        `Index.verify` reads all rows besides; a backend that can check no more than that gives [].
        """

    def close(self) -> None:
        """Let go of files and memory."""
