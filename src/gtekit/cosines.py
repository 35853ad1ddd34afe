"""How similar embeddings are: cosines of vectors in any form."""

import numpy as np

from gtekit.arrays import Array, Floats
from gtekit.errors import ShapeError
from gtekit.vectors import Vectors, as_rows, from_bits


def l2_normalize(embeddings: Floats) -> Floats:
    """Divide each vector by its length; a vector of zeros stays one. The row alone decides the bits of the result."""
    norms: Floats = np.sqrt(np.add.reduce(embeddings * embeddings, axis=1))
    divisors = np.maximum(norms, np.float32(1e-12))[:, None]
    return np.divide(embeddings, divisors, dtype=np.float32)


def similarity(a: Vectors, b: Vectors) -> Floats:
    """Give the cosine of every vector of a with every vector of b.

    Args:
        a: Shape (Q, D), or one vector (D,). float32, float16, int8 or Int8Vectors.
        b: Shape (N, D), or one vector (D,).

    Returns:
        Shape (Q, N), -1 to 1, larger is closer.

    Raises:
        ShapeError: If the dimensions differ.
    """
    rows_a, rows_b = as_rows(a, "a"), as_rows(b, "b")
    if rows_a.shape[1] != rows_b.shape[1]:
        raise ShapeError(
            f"a has {rows_a.shape[1]} dimensions, b has {rows_b.shape[1]}; vectors of one model and one "
            "`dimensions` setting can be compared."
        )
    return within_one(l2_normalize(rows_a) @ l2_normalize(rows_b).T)


def similarity_pairwise(a: Vectors, b: Vectors) -> Floats:
    """Give the cosine of each vector of a with the vector of b in the same place.

    Args:
        a: Shape (N, D).
        b: Shape (N, D).

    Returns:
        Shape (N,).

    Raises:
        ShapeError: If the shapes differ.
    """
    rows_a, rows_b = as_rows(a, "a"), as_rows(b, "b")
    if rows_a.shape != rows_b.shape:
        raise ShapeError(
            f"a has shape {rows_a.shape}, b has {rows_b.shape}; pairs need as many of both. "
            "For every a with every b: similarity(a, b)."
        )
    return within_one(np.add.reduce(l2_normalize(rows_a) * l2_normalize(rows_b), axis=1))


def within_one(cosines: Floats) -> Floats:
    """Take off what rounding added beyond -1 and 1, in place: the arccos of 1.0000001 is no number."""
    return np.clip(cosines, np.float32(-1), np.float32(1), out=cosines)


def bits_similarity(a: Array, b: Array, dimension: int) -> Floats:
    """Give the share of equal signs between packed bits, 0 to 1, shape (Q, N).

    Args:
        a: Shape (Q, ceil(D / 8)), uint8.
        b: Shape (N, ceil(D / 8)), uint8.
        dimension: D.
    """
    cosines: Floats = from_bits(a, dimension) @ from_bits(b, dimension).T / np.float32(dimension)
    return (cosines + 1) / np.float32(2)
