"""Exact search over embeddings, with the answer's shape of `sentence_transformers.util.semantic_search`."""

from collections.abc import Iterable, Iterator
from typing import TypedDict

import numpy as np

from gtekit.arrays import Array
from gtekit.errors import ArgumentError
from gtekit.nearest import nearest
from gtekit.sentence_transformers.similarity import Score, cos_sim, dot_score, normalize_embeddings
from gtekit.sentence_transformers.tensors import Vectors, to_array


class Hit(TypedDict):
    """One document found for a query."""

    corpus_id: int
    score: float


def semantic_search(
    query_embeddings: Vectors,
    corpus_embeddings: Vectors,
    query_chunk_size: int = 100,
    corpus_chunk_size: int = 500_000,
    top_k: int = 10,
    score_function: Score = cos_sim,
) -> list[list[Hit]]:
    """Find the `top_k` closest vectors of the corpus for each query.

    Args:
        query_embeddings: Shape (Q, D), or (D,) for one query.
        corpus_embeddings: Shape (N, D).
        query_chunk_size: Queries scored at once; with `corpus_chunk_size` it bounds the memory, not the answer.
        corpus_chunk_size: Vectors of the corpus scored at once.
        top_k: Hits for each query; fewer where the corpus is smaller.
        score_function: Scores of all with all, larger is closer.

    Returns:
        One list for each query, best first; equal scores in the order of the corpus.
    """
    if min(query_chunk_size, corpus_chunk_size, top_k) < 1:
        raise ArgumentError(
            f"query_chunk_size={query_chunk_size}, corpus_chunk_size={corpus_chunk_size} and top_k={top_k} "
            f"must all be 1 or more."
        )
    queries = np.atleast_2d(to_array(query_embeddings))
    corpus = to_array(corpus_embeddings)
    is_plain = score_function in (cos_sim, dot_score) and queries.dtype == corpus.dtype == np.float32
    if is_plain and score_function is cos_sim:
        queries = to_array(normalize_embeddings(queries))
    hits: list[list[Hit]] = [[] for _ in queries]
    for first in range(0, len(corpus), corpus_chunk_size):
        documents = corpus[first : first + corpus_chunk_size]
        best: Iterable[tuple[Array, Array]]
        if is_plain:
            documents = to_array(normalize_embeddings(documents)) if score_function is cos_sim else documents
            best = zip(*nearest(queries, documents, top_k), strict=True)
        else:
            best = _best_of_any(score_function, queries, documents, query_chunk_size, top_k)
        for row, (scores, places) in enumerate(best):
            found: list[Hit] = [
                {"corpus_id": first + place, "score": score}
                for score, place in zip(scores.tolist(), places.tolist(), strict=True)
            ]
            hits[row] = sorted(hits[row] + found, key=lambda hit: -hit["score"])[:top_k]  # stable, as `best` is
    return hits


def _best_of_any(
    score_function: Score, queries: Array, documents: Array, query_chunk_size: int, top_k: int
) -> Iterator[tuple[Array, Array]]:
    """Give the best scores of each query and their places, from all scores of a chunk."""
    for start in range(0, len(queries), query_chunk_size):
        for scores in to_array(score_function(queries[start : start + query_chunk_size], documents)):
            places = _top(scores, top_k)
            yield scores[places], places


def _top(scores: Array, top_k: int) -> Array:
    """Give the places of the `top_k` largest scores, best first, equal ones in their order, without sorting all."""
    if top_k < len(scores):
        smallest = np.partition(scores, -top_k)[-top_k]
        places = np.flatnonzero(scores >= smallest)
    else:
        places = np.arange(len(scores))
    order = np.argsort(-scores[places], kind="stable")[:top_k]
    top: Array = places[order]
    return top
