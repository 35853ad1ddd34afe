"""Where the indexes of the contract suite lie, one kind a backend."""

from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

import numpy as np

import gtekit.index
from gtekit.arrays import Floats
from gtekit.index import Hit, Index, Space
from gtekit.index.spaces import Model

DIMENSION = 16
SPACE = Space("a" * 64, "seeded", DIMENSION)
_NUMBERS = count()


@dataclass(frozen=True, slots=True)
class Place:
    """Where an index can be made, and what its backend can do."""

    location: str | None  # None: in memory
    backend: str = "exact"
    options: dict[str, Any] = field(default_factory=dict)  # of create
    has_words: bool = False
    max_abs_diff: float = 1e-3  # of cosines: vectors are kept as float16

    def create(self, model: Model | Space = SPACE) -> Index:
        """Make the index."""
        if self.location is None:
            return gtekit.index.in_memory(model, **self.options)
        return gtekit.index.create(self.location, model, backend=self.backend, **self.options)  # type: ignore[arg-type]

    def open(self, model: Model | None = None) -> Index:
        """Open it."""
        assert self.location is not None
        return gtekit.index.open(self.location, model)

    def another(self) -> "Place":
        """Give a place beside this one."""
        return replace(self, location=None if self.location is None else f"{self.location}-{next(_NUMBERS)}")


def unit_vectors(count: int, seed: int = 0, dimension: int = DIMENSION) -> Floats:
    """Draw vectors of length 1, shape (count, dimension)."""
    vectors = np.random.default_rng(seed).normal(size=(count, dimension))
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def put(index: Index, count: int = 5, **keywords: Any) -> None:
    """Put in rows "0" to "4", each with its number as metadata."""
    ids = [str(number) for number in range(count)]
    metadata = [{"n": number} for number in range(count)]
    index.upsert(ids, [f"text {row_id}" for row_id in ids], unit_vectors(count), metadata, **keywords)


def everything(index: Index) -> dict[str, tuple[str | None, dict[str, Any]]]:
    """All rows: their texts and metadata by id."""
    rows = {}
    for records in index.scan():
        for number, row_id in enumerate(records.ids):
            assert row_id not in rows
            text = records.texts[number] if records.texts is not None else None
            rows[row_id] = (text, dict(records.metadata[number]) if records.metadata is not None else {})
    return rows


def ids_of(hits: list[Hit]) -> list[str]:
    return [hit.id for hit in hits]
