"""All pairs of vectors whose cosine reaches a threshold: checked at the border, with progress."""

from collections.abc import Iterator

import numpy as np

from gtekit.arrays import Array
from gtekit.errors import ArgumentError, ShapeError
from gtekit.nearest import Pairs, pairs_above
from gtekit.progress import Progress

CHECK_ROWS = 65536
EQUAL = 1 - 1e-6  # the product of two equal float32 vectors of length 1 may come out so low
LENGTH_TOLERANCE = 0.01  # float16 rounds by less


def near_pairs(vectors: Array, threshold: float, *, progress: bool | None = None) -> Iterator[Pairs]:
    """Find every pair of rows whose cosine is at least `threshold`, at most 1.

    Args:
        vectors: Shape (N, D), float32 or float16, normalized.
        threshold: -1 to 1. From 0.999999 on it means equal but for rounding.
        progress: Whether to show how far it is; None: on a terminal, after two seconds.

    Yields:
        Blocks of pairs, ordered by right, then left; none is empty.

    Raises:
        ShapeError: If the vectors have no rows and columns.
        ArgumentError: If the threshold is not possible, or a vector is not normalized.
    """
    check_threshold(threshold)
    check_normalized(vectors)
    with Progress(len(vectors), show=progress) as shown:
        for pairs in pairs_above(vectors, least_product(threshold)):
            if len(pairs.right):
                yield Pairs(pairs.left, pairs.right, np.minimum(pairs.scores, np.float32(1)))
                shown.update(int(pairs.right[-1]) + 1, 0)


def least_product(threshold: float) -> float:
    """Give the product from which on two vectors reach a threshold, whatever rounding takes off equal ones."""
    return min(threshold, EQUAL)


def check_threshold(threshold: float) -> None:
    """Make sure that a threshold can be one of cosines.

    Raises:
        ArgumentError: If it is not.
    """
    is_number = isinstance(threshold, int | float | np.floating) and not isinstance(threshold, bool)
    if not is_number or not -1 <= threshold <= 1:
        raise ArgumentError(f"threshold={threshold!r} is not possible; choose a cosine, -1 to 1.")


def check_normalized(vectors: Array) -> None:
    """Make sure that products of the rows are cosines. Rows of zeros are near nothing, and allowed.

    Raises:
        ShapeError: If there are no rows and columns.
        ArgumentError: If a row is of another length, or not all numbers are finite.
    """
    if not isinstance(vectors, np.ndarray) or vectors.ndim != 2 or vectors.dtype not in (np.float32, np.float16):
        shape = f"shape {vectors.shape} and dtype {vectors.dtype}" if isinstance(vectors, np.ndarray) else "no shape"
        raise ShapeError(f"vectors has {shape}, expected an array (N, D) of float32 or float16.")
    for begin in range(0, len(vectors), CHECK_ROWS):
        block = np.asarray(vectors[begin : begin + CHECK_ROWS], np.float32)
        squares = np.einsum("ij,ij->i", block, block)
        is_good = (np.abs(squares - 1) <= LENGTH_TOLERANCE) | (squares == 0)  # NaN is neither
        if not is_good.all():
            row = begin + int(np.argmin(is_good))
            length = float(np.sqrt(squares[row - begin]))
            raise ArgumentError(f"vectors[{row}] has the length {length:g}, not 1: pass gtekit.l2_normalize(vectors).")
