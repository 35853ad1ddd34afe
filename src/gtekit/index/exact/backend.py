"""Exact search over the states of a store, in memory or in a folder."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

import numpy as np

from gtekit.arrays import Array, Floats, Ints
from gtekit.cosines import within_one
from gtekit.errors import ArgumentError, VectorIndexError
from gtekit.index.columns import fit_columns
from gtekit.index.exact.memory import MemoryStore
from gtekit.index.exact.segment import Segment
from gtekit.index.exact.state import Part, State
from gtekit.index.filters import Filter, parse
from gtekit.index.interface import Backend, Hit, Records, Space, Stats, Version
from gtekit.nearest import nearest


class Store(Protocol):
    """Where states are kept: a folder or memory."""

    location: str
    space: Space
    vector_dtype: str

    def current(self) -> State:
        """Give the newest state, also one that another process has written."""

    def writing(self) -> AbstractContextManager[State]:
        """Hold off all others that write; gives the newest state."""

    def commit(self, state: State) -> None:
        """Make this the newest state; when it returns, it stays so. While `writing` alone."""

    def clean(self) -> None:
        """Drop former states without a tag. While `writing` alone."""

    def load(self, version: int | str) -> State:
        """Give a former state."""

    def versions(self) -> list[Version]:
        """Give all states that are kept."""

    def tag(self, name: str) -> None:
        """Name the newest state. While `writing` alone."""

    def untag(self, name: str) -> None:
        """Take a name away; VectorIndexError if there is none. While `writing` alone."""

    def read_note(self, name: str) -> Mapping[str, Any] | None:
        """Give a note."""

    def write_note(self, name: str, note: Mapping[str, Any]) -> None:
        """Keep a note. While `writing` alone."""

    def size_bytes(self, state: State) -> int | None:
        """Give the bytes that it takes."""

    def verify(self, state: State) -> list[str]:
        """Compare files with their checksums."""

    def close(self) -> None:
        """Let go of files."""


class ExactBackend:
    """A backend that looks at every vector: always right, fast up to some 100,000 rows, without search by words."""

    def __init__(self, store: Store, name: str, *, pinned: State | None = None) -> None:
        self._store = store
        self._name = name
        self._pinned = pinned  # a former state, to read only

    @classmethod
    def in_memory(cls, space: Space, vector_dtype: str) -> "ExactBackend":
        """Make one that lasts as long as the process."""
        return cls(MemoryStore(space, vector_dtype), "exact, in memory")

    @property
    def space(self) -> Space:
        """Whose vectors these are."""
        return self._store.space

    @property
    def columns(self) -> Mapping[str, str]:
        """Names and types of the metadata."""
        return self._state().columns

    def upsert(self, records: Records) -> None:
        """Put rows in; those whose id is there are replaced."""
        with self._writing() as state:
            columns, metadata = fit_columns(state.columns, records.ids, records.metadata)
            texts = list(records.texts) if records.texts is not None else None
            vectors = np.asarray(records.vectors).astype(self._store.vector_dtype)
            rows = list(zip(records.ids, metadata, strict=True))
            self._store.commit(state.with_rows(Segment(vectors, rows, texts), columns))

    def delete(self, ids: Sequence[str] | None = None, where: str | None = None) -> int:
        """Take rows out; gives how many there were."""
        with self._writing() as state:
            chosen = _parse(where, state)
            left = state.without_ids(ids or ()) if chosen is None else state.without_found(chosen)
            deleted = state.count - left.count
            if deleted:
                self._store.commit(left)
            return deleted

    def search_vectors(self, queries: Floats, top_k: int, where: str | None = None) -> list[list[Hit]]:
        """Find the largest cosines for each of the queries, shape (Q, D)."""
        state = self._state()
        chosen = _parse(where, state)
        scores: list[Floats] = []
        places: list[Ints] = []  # of part and row
        for number, part in enumerate(state.parts):
            allowed = part.allowed(chosen, state.columns)
            if allowed is not None and not allowed.any():
                continue
            found, rows = nearest(queries, part.segment.vectors, top_k, allowed=allowed)
            scores.append(found)
            places.append(np.stack([np.full_like(rows, number), rows], axis=-1))
        if not scores:
            return [[] for _ in queries]
        return _best(state, within_one(np.concatenate(scores, axis=1)), np.concatenate(places, axis=1), top_k)

    def search_text(self, query: str, top_k: int, where: str | None = None) -> list[Hit]:
        """Search by words is LanceDB's."""
        raise ArgumentError(
            f"{self._store.location}: the exact backend keeps vectors and filters, and can't search words. Search by "
            "vector (mode='vector'), or build the index with backend='lance'."
        )

    def get(self, ids: Sequence[str]) -> Records:
        """Give rows by id, in the order asked for; ids that are not there are left out."""
        state = self._state()
        places = [place for place in state.find(ids) if place is not None]
        vectors = np.empty((len(places), self.space.dimension), np.float32)
        for row, (part, place) in enumerate(places):
            vectors[row] = state.parts[part].segment.vectors[place]
        segments = [(state.parts[part].segment, row) for part, row in places]
        return Records(
            [segment.all_rows[row][0] for segment, row in segments],
            vectors,
            [None if segment.texts is None else segment.texts[row] for segment, row in segments],
            [dict(segment.all_rows[row][1]) for segment, row in segments],
        )

    def scan(self, where: str | None = None, batch_rows: int = 8192) -> Iterator[Records]:
        """Give all rows of one state, a batch at a time, vectors as float32."""
        state = self._state()
        chosen = _parse(where, state)
        return (
            _records(part.segment, rows[first : first + batch_rows])
            for part in state.parts
            for rows in [_allowed_rows(part, chosen, state)]
            for first in range(0, len(rows), batch_rows)
        )

    def count(self, where: str | None = None) -> int:
        """Count rows."""
        state = self._state()
        chosen = _parse(where, state)
        if chosen is None:
            return state.count
        return sum(len(_allowed_rows(part, chosen, state)) for part in state.parts)

    def optimize(self) -> None:
        """Merge segments, and drop former versions without a tag."""
        with self._writing() as state:
            merged = state.merged()
            if merged is not state:
                self._store.commit(merged)
            self._store.clean()

    def versions(self) -> list[Version]:
        """Give the states that can be gone back to, oldest first."""
        return self._store.versions()

    def tag(self, name: str) -> None:
        """Give the present state a name."""
        with self._writing():
            self._store.tag(name)

    def untag(self, name: str) -> None:
        """Take a name away."""
        with self._writing():
            self._store.untag(name)

    def checkout(self, version: int | str) -> Backend:
        """Open a former state, by number or tag, to read only."""
        return ExactBackend(self._store, self._name, pinned=self._store.load(version))

    def read_note(self, name: str) -> Mapping[str, Any] | None:
        """Read a small JSON object."""
        return self._store.read_note(name)

    def write_note(self, name: str, note: Mapping[str, Any]) -> None:
        """Keep a small JSON object."""
        with self._writing():
            self._store.write_note(name, note)

    def stats(self) -> Stats:
        """Say what the index is made of."""
        state = self._state()
        return Stats(
            backend=self._name,
            location=self._store.location,
            space=self.space,
            rows=state.count,
            version=state.number,
            size_bytes=self._store.size_bytes(state),
            search="exact",
            unindexed_rows=0,
            has_text=False,
            recall=None,
            columns=dict(state.columns),
        )

    def verify(self) -> list[str]:
        """Compare files with their checksums."""
        return self._store.verify(self._state())

    def close(self) -> None:
        """Let go of files."""
        if self._pinned is None:
            self._store.close()

    def _state(self) -> State:
        return self._pinned or self._store.current()

    def _writing(self) -> AbstractContextManager[State]:
        if self._pinned is not None:
            raise VectorIndexError(f"{self._store.location}: version {self._pinned.number} was opened to read only.")
        return self._store.writing()


def _parse(where: str | None, state: State) -> Filter | None:
    return None if where is None else parse(where, state.columns)


def _allowed_rows(part: Part, chosen: Filter | None, state: State) -> Ints:
    allowed = part.allowed(chosen, state.columns)
    return np.arange(len(part.segment)) if allowed is None else np.flatnonzero(allowed)


def _best(state: State, scores: Floats, places: Array, top_k: int) -> list[list[Hit]]:
    """The best of what each segment has found; of equal ones that of the earlier segment."""
    order = np.argsort(-scores, axis=1, kind="stable")[:, :top_k]
    return [
        [_hit(state, float(scores[query, column]), *map(int, places[query, column])) for column in columns]
        for query, columns in enumerate(order)
    ]


def _hit(state: State, score: float, part: int, row: int) -> Hit:
    segment = state.parts[part].segment
    row_id, metadata = segment.rows[row]
    text = None if segment.texts is None else segment.texts[row]
    return Hit(row_id, score, text, dict(metadata), vector_score=score)


def _records(segment: Segment, rows: Ints) -> Records:
    chosen = [segment.rows[row] for row in rows.tolist()]
    texts = None if segment.texts is None else [segment.texts[row] for row in rows.tolist()]
    vectors = np.asarray(segment.vectors[rows], np.float32)
    return Records([row_id for row_id, _ in chosen], vectors, texts, [dict(metadata) for _, metadata in chosen])
