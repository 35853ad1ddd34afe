"""Maximal marginal relevance: what is near the query, and not what was chosen already."""

from collections.abc import Iterator
from itertools import islice

import numpy as np

from gtekit.arrays import Array, Floats, Ints
from gtekit.errors import ArgumentError, ShapeError
from gtekit.inputs import check_count


def mmr(query_vector: Floats, vectors: Array, top_k: int, diversity: float) -> Ints:
    """Choose rows one by one: each the best by its product with the query, less its likeness to one chosen before.

    Args:
        query_vector: Shape (D,), or (1, D); normalized where cosines are wanted.
        vectors: The candidates, shape (N, D), normalized likewise.
        top_k: How many to choose.
        diversity: 0 gives the plain ranking, 1 what is least like all chosen before; 1 - lambda in the paper.

    Returns:
        Row numbers in the order of choice, shape (min(top_k, N),); of equal ones the earlier row.

    Raises:
        ShapeError: If the dimensions differ.
        ArgumentError: If `diversity` is not between 0 and 1, `top_k` below 1, or a number not finite.

    Source:
        Carbonell and Goldstein 1998, doi:10.1145/290941.291025.
    """
    query = np.asarray(query_vector, np.float32)
    query = query[0] if query.ndim == 2 and len(query) == 1 else query
    if query.ndim != 1 or np.ndim(vectors) != 2 or len(query) != np.shape(vectors)[1]:
        raise ShapeError(
            f"query_vector has shape {np.shape(query_vector)}, vectors {np.shape(vectors)}; expected (D,) and (N, D)."
        )
    rows = np.asarray(vectors, np.float32)
    return diversify(_products(rows, query), rows, top_k, diversity)


def diversify(relevance: Floats, vectors: Floats, top_k: int, diversity: float) -> Ints:
    """Choose rows as `mmr` does, by any measure of relevance.

    Args:
        relevance: Larger is better, in the scale of the products of `vectors`, shape (N,).
        vectors: Shape (N, D).
        top_k: How many to choose.
        diversity: 0 to 1.

    Returns:
        Row numbers in the order of choice, shape (min(top_k, N),).

    Raises:
        ShapeError: If there are not as many vectors as numbers.
        ArgumentError: As `mmr`.
    """
    check_count("top_k", top_k)
    check_diversity(diversity)
    if relevance.shape != (len(vectors),):
        raise ShapeError(f"relevance has shape {relevance.shape}, expected one number for each of {len(vectors)} rows.")
    if not np.isfinite(relevance).all():
        row = int((~np.isfinite(relevance)).argmax())
        raise ArgumentError(
            f"row {row} has the relevance {relevance[row]}: not a number to rank by. Look at its vector."
        )
    order = islice(mmr_order(relevance, vectors, diversity), min(int(top_k), len(vectors)))
    return np.fromiter(order, np.int64)


def mmr_order(relevance: Floats, vectors: Floats, diversity: float) -> Iterator[int]:
    """Give all rows in the order of choice of `diversify`, one by one: no more is computed than is asked for."""
    if diversity == 0:
        yield from np.argsort(-relevance, kind="stable").tolist()
        return
    is_left = np.ones(len(vectors), bool)
    redundancy = np.full(len(vectors), -np.inf, np.float32)  # the largest product with a chosen row
    marginal = relevance  # the first is the most relevant, whatever the diversity
    for _ in range(len(vectors)):
        best = int(np.where(is_left, marginal, np.float32(-np.inf)).argmax())
        yield best
        is_left[best] = False
        np.maximum(redundancy, _products(vectors, vectors[best]), out=redundancy)
        marginal = np.float32(1 - diversity) * relevance - np.float32(diversity) * redundancy


def check_diversity(diversity: float) -> None:
    """Make sure that a diversity lies between 0 and 1.

    Raises:
        ArgumentError: If it does not.
    """
    is_number = isinstance(diversity, int | float | np.floating) and not isinstance(diversity, bool)
    if not is_number or not 0 <= diversity <= 1:
        raise ArgumentError(f"diversity={diversity!r} is not possible; choose a number, 0 (plain ranking) to 1.")


def _products(vectors: Floats, query: Floats) -> Floats:
    # einsum adds up each row by itself: equal rows have equal products and tie, which a BLAS does not promise
    products: Floats = np.einsum("nd,d->n", vectors, query)
    return products
