"""Search by vectors, by words or both, with room made for what is different."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import get_args

import numpy as np

from gtekit.arrays import Floats
from gtekit.cosines import within_one
from gtekit.errors import ArgumentError
from gtekit.index.fusion import check_weight, fuse
from gtekit.index.interface import Backend, Hit, Mode
from gtekit.inputs import check_count
from gtekit.tasks.mmr import check_diversity, diversify

FUSED_ROWS = 100  # from each side; nDCG@10 on SciFact is 0.739 with 50, 0.736 with 100 and 200, 0.735 with 400
DIVERSE_FACTOR = 5  # candidates for each hit, where what is alike makes room


@dataclass(frozen=True, slots=True)
class Queries:
    """What is looked for, as texts, vectors or both."""

    texts: Sequence[str] | None
    vectors: Floats | None  # (Q, D), of length 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchOptions:
    """How to search: the arguments of `Index.search`."""

    top_k: int
    mode: Mode
    where: str | None
    text_weight: float
    diversity: float

    def check(self) -> None:
        """Make sure that each is possible.

        Raises:
            ArgumentError: If not.
        """
        check_count("top_k", self.top_k)
        if self.mode not in get_args(Mode):
            raise ArgumentError(f"mode={self.mode!r} is not possible; choose from: {', '.join(get_args(Mode))}.")
        check_weight(self.text_weight)
        check_diversity(self.diversity)


def search(backend: Backend, queries: Queries, options: SearchOptions) -> list[list[Hit]]:
    """Give the best rows for each query."""
    wanted = options.top_k * (DIVERSE_FACTOR if options.diversity else 1)
    if options.mode == "vector":
        found = _by_vector(backend, queries, wanted, options.where)
    elif options.mode == "text":
        found = _by_text(backend, queries, wanted, options.where)
    else:
        found = _by_both(backend, queries, wanted, options)
    return [_diverse(backend, hits, options)[: options.top_k] for hits in found]


def _by_vector(backend: Backend, queries: Queries, top_k: int, where: str | None) -> list[list[Hit]]:
    assert queries.vectors is not None
    return backend.search_vectors(queries.vectors, top_k, where)


def _by_text(backend: Backend, queries: Queries, top_k: int, where: str | None) -> list[list[Hit]]:
    assert queries.texts is not None
    return [backend.search_text(text, top_k, where) for text in queries.texts]


def _by_both(backend: Backend, queries: Queries, top_k: int, options: SearchOptions) -> list[list[Hit]]:
    candidates = max(FUSED_ROWS, top_k)
    by_vector = _by_vector(backend, queries, candidates, options.where)
    by_text = _by_text(backend, queries, candidates, options.where)
    assert queries.vectors is not None
    fused = []
    for vector, near, wordy in zip(queries.vectors, by_vector, by_text, strict=True):
        known = {hit.id for hit in near}
        far = _with_cosines(backend, vector, [hit for hit in wordy if hit.id not in known])
        fused.append(fuse([*near, *far], wordy, options.text_weight))
    return fused


def _with_cosines(backend: Backend, query: Floats, hits: list[Hit]) -> list[Hit]:
    """Rows that only the words have found, with their cosines."""
    if not hits:
        return []
    records = backend.get([hit.id for hit in hits])
    cosines = within_one(np.asarray(records.vectors, np.float32) @ query)
    by_id = dict(zip(records.ids, cosines.tolist(), strict=True))
    return [replace(hit, vector_score=by_id[hit.id]) for hit in hits if hit.id in by_id]


def _diverse(backend: Backend, hits: list[Hit], options: SearchOptions) -> list[Hit]:
    if not options.diversity or len(hits) < 2:
        return hits
    records = backend.get([hit.id for hit in hits])
    by_id = {hit.id: hit for hit in hits}
    kept = [by_id[row_id] for row_id in records.ids]  # what another process has deleted since is left out
    scores = np.array([hit.score for hit in kept], np.float32)
    if options.mode == "text" and len(kept):
        scores /= max(float(scores.max()), 1e-9)  # BM25 has no upper end; products of unit vectors have 1
    order = diversify(scores, np.asarray(records.vectors, np.float32), options.top_k, options.diversity)
    return [kept[row] for row in order]
