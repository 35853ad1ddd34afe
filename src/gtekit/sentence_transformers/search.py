"""Exact search over embeddings, with the answer's shape of `sentence_transformers.util.semantic_search`."""

from typing import TypedDict

import numpy as np

from gtekit.arrays import Array
from gtekit.errors import ArgumentError
from gtekit.sentence_transformers.similarity import Score, cos_sim
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
    hits: list[list[Hit]] = [[] for _ in queries]
    for first in range(0, len(corpus), corpus_chunk_size):
        documents = corpus[first : first + corpus_chunk_size]
        for start in range(0, len(queries), query_chunk_size):
            scores = to_array(score_function(queries[start : start + query_chunk_size], documents))
            for row, document_scores in enumerate(scores, start):
                found: list[Hit] = [
                    {"corpus_id": first + int(index), "score": float(document_scores[index])}
                    for index in _top(document_scores, top_k)
                ]
                hits[row] = sorted(hits[row] + found, key=lambda hit: -hit["score"])[:top_k]  # stable, as _top is
    return hits


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
