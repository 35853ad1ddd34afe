"""One state of an index: segments, and which of their rows are still there. Never changed: a write makes another."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from gtekit.index.exact.segment import Row, Segment
from gtekit.index.filters import Filter
from gtekit.index.predicates import Bools

ABSORBED_ROWS = 32_768  # longer segments are merged by `optimize` alone
MERGED_ROWS = 131_072  # 100 MB of 384 numbers of float16


@dataclass(frozen=True, slots=True)
class Part:
    """A segment, and which of its rows are there."""

    segment: Segment
    is_there: Bools | None = None  # None: all

    @property
    def count(self) -> int:
        """How many rows are there."""
        return len(self.segment) if self.is_there is None else int(np.count_nonzero(self.is_there))

    def without(self, rows: Sequence[int]) -> "Part":
        """Give it without these rows."""
        is_there = np.ones(len(self.segment), bool) if self.is_there is None else self.is_there.copy()
        is_there[np.asarray(rows, np.int64)] = False
        return replace(self, is_there=is_there)

    def find(self, row_id: str) -> int | None:
        """Say where the row of this id is, if it is there."""
        row = self.segment.row_of.get(row_id)
        return None if row is None or (self.is_there is not None and not self.is_there[row]) else row

    def allowed(self, chosen: Filter | None, columns: Mapping[str, str]) -> Bools | None:
        """Say which rows are there and pass the filter; None: all."""
        if chosen is None:
            return self.is_there
        kinds = {"id": "string", **columns}
        mask = chosen.mask(lambda name: self.segment.column(name, kinds[name]))
        return mask if self.is_there is None else mask & self.is_there


@dataclass(frozen=True, slots=True)
class State:
    """What there is."""

    number: int
    created: datetime
    columns: Mapping[str, str]
    parts: tuple[Part, ...]

    @property
    def count(self) -> int:
        """How many rows are there."""
        return sum(part.count for part in self.parts)

    def find(self, ids: Iterable[str]) -> list[tuple[int, int] | None]:
        """Say where each id is: the number of its part and of its row."""
        places: list[tuple[int, int] | None] = []
        for row_id in ids:
            found = ((number, part.find(row_id)) for number, part in enumerate(self.parts))
            places.append(next(((number, row) for number, row in found if row is not None), None))
        return places

    def with_rows(self, added: Segment, columns: Mapping[str, str]) -> "State":
        """Give the state with these rows, in place of those of the same ids."""
        parts = list(self._without_places(self.find(row[0] for row in added.rows)))
        absorbed = [Part(added)]
        # each segment has more than twice the rows of the next: few segments, and a row is copied a few times at most
        while parts and parts[-1].count <= min(2 * sum(part.count for part in absorbed), ABSORBED_ROWS):
            absorbed.insert(0, parts.pop())
        return self._next(parts=(*parts, Part(merge(absorbed))), columns=columns)

    def without_ids(self, ids: Iterable[str]) -> "State":
        """Give the state without the rows of these ids."""
        return self._next(parts=self._without_places(self.find(ids)))

    def without_found(self, chosen: Filter) -> "State":
        """Give the state without the rows that a filter finds."""
        parts = []
        for part in self.parts:
            found = part.allowed(chosen, self.columns)
            rows = range(len(part.segment)) if found is None else np.flatnonzero(found).tolist()
            parts.append(part.without(rows) if len(rows) else part)
        return self._next(parts=tuple(part for part in parts if part.count))

    def merged(self) -> "State":
        """Give the state with few segments, and without rows that are gone; itself where it is so already."""
        groups: list[list[Part]] = []
        for part in self.parts:
            if groups and sum(other.count for other in groups[-1]) + part.count <= MERGED_ROWS:
                groups[-1].append(part)
            else:
                groups.append([part])
        parts = tuple(Part(merge(group)) for group in groups)
        is_same = [part.segment for part in parts] == [part.segment for part in self.parts]
        return self if is_same else self._next(parts=parts)

    def _without_places(self, places: Sequence[tuple[int, int] | None]) -> tuple[Part, ...]:
        rows: dict[int, list[int]] = {}
        for place in places:
            if place is not None:
                rows.setdefault(place[0], []).append(place[1])
        parts = [part.without(rows[number]) if number in rows else part for number, part in enumerate(self.parts)]
        return tuple(part for part in parts if part.count)

    def _next(self, *, parts: tuple[Part, ...], columns: Mapping[str, str] | None = None) -> "State":
        return State(self.number + 1, datetime.now(UTC), self.columns if columns is None else columns, parts)


def merge(parts: Sequence[Part]) -> Segment:
    """Make one segment of the rows that are there; the same one where it has no others."""
    if len(parts) == 1 and parts[0].is_there is None:
        return parts[0].segment
    numbers = [_rows_there(part) for part in parts]
    vectors = np.concatenate([part.segment.vectors[chosen] for part, chosen in zip(parts, numbers, strict=True)])
    rows: list[Row] = []
    texts: list[str | None] = []
    for part, chosen in zip(parts, numbers, strict=True):
        all_rows, all_texts = part.segment.all_rows, part.segment.texts
        rows += [all_rows[row] for row in chosen]
        texts += [None if all_texts is None else all_texts[row] for row in chosen]
    return Segment(vectors, rows, texts if any(text is not None for text in texts) else None)


def _rows_there(part: Part) -> list[int]:
    if part.is_there is None:
        return list(range(len(part.segment)))
    rows: list[int] = np.flatnonzero(part.is_there).tolist()
    return rows
