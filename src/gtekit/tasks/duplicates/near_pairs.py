"""All pairs of vectors whose cosine reaches a threshold: checked at the border, with progress."""

from collections.abc import Iterator

import numpy as np

from gtekit.arrays import Array, Floats
from gtekit.nearest import Pairs, pairs_above
from gtekit.progress import Progress
from gtekit.tasks.unit_vectors import check_normalized
from gtekit.tasks.unit_vectors import check_threshold as check_threshold

EQUAL = 1 - 1e-6  # the product of two equal float32 vectors of length 1 may come out so low
ROUNDED = 1e-5  # lengths of float32 vectors are 1 within less; those of float16, 0.0003 off, have to be divided out


def near_pairs(vectors: Array, threshold: float, *, progress: bool | None = None) -> Iterator[Pairs]:
    """Find every pair of rows whose cosine is at least `threshold`, at most 1.

    Args:
        vectors: Shape (N, D), float32 or float16, normalized.
        threshold: -1 to 1. From 0.999999 on it means equal but for rounding; products are divided by lengths that
            rounding to float16 took from 1.
        progress: Whether to show how far it is; None: on a terminal, after two seconds.

    Yields:
        Blocks of pairs, ordered by right, then left; none is empty.

    Raises:
        ShapeError: If the vectors have no rows and columns.
        ArgumentError: If the threshold is not possible, or a vector is not normalized.
    """
    check_threshold(threshold)
    lengths = check_normalized(vectors)
    with Progress(len(vectors), show=progress) as shown:
        for pairs in _near(vectors, least_product(threshold), lengths):
            if len(pairs.right):
                yield Pairs(pairs.left, pairs.right, np.minimum(pairs.scores, np.float32(1)))
                shown.update(int(pairs.right[-1]) + 1, 0)


def least_product(threshold: float) -> float:
    """Give the product from which on two vectors reach a threshold, whatever rounding takes off equal ones."""
    return min(threshold, EQUAL)


def _near(vectors: Array, least: float, lengths: Floats) -> Iterator[Pairs]:
    """Find the pairs by their products, or, of rows that are not quite of length 1, by their cosines."""
    if not (np.abs(lengths - 1) > ROUNDED).any():
        yield from pairs_above(vectors, least)
        return
    low, high = float(lengths.min()), float(lengths.max())
    for pairs in pairs_above(vectors, min(least * low**2, least * high**2) - ROUNDED):
        cosines = pairs.scores / (lengths[pairs.left] * lengths[pairs.right])
        is_near = cosines >= np.float32(least)
        yield Pairs(pairs.left[is_near], pairs.right[is_near], cosines[is_near])
