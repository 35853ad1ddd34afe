"""Vectors whose products are cosines, and thresholds on these: checked the same way for every task."""

import numpy as np

from gtekit.arrays import Array, Floats
from gtekit.cosines import l2_normalize
from gtekit.errors import ArgumentError, ShapeError
from gtekit.vectors import Vectors, as_rows

CHECK_ROWS = 65536
LENGTH_TOLERANCE = 0.01  # of squared lengths; float16 rounds by less


def check_threshold(threshold: object) -> None:
    """Make sure that a threshold can be one of cosines.

    Raises:
        ArgumentError: If it is not.
    """
    is_number = isinstance(threshold, int | float | np.floating) and not isinstance(threshold, bool)
    if not is_number or not -1 <= threshold <= 1:  # type: ignore[operator]
        raise ArgumentError(f"threshold={threshold!r} is not possible; choose a cosine, -1 to 1, such as 0.75.")


def check_normalized(vectors: Array, name: str = "vectors") -> Floats:
    """Make sure that products of the rows are cosines. Rows of zeros are near nothing, and allowed.

    Args:
        vectors: Shape (N, D), float32 or float16; read in blocks.
        name: Of the argument, for messages.

    Returns:
        The length of each row, shape (N,); 1 for a row of zeros.

    Raises:
        ShapeError: If there are no rows and columns.
        ArgumentError: If a row is of another length, or not all numbers are finite.
    """
    if not isinstance(vectors, np.ndarray) or vectors.ndim != 2 or vectors.dtype not in (np.float32, np.float16):
        shape = f"shape {vectors.shape} and dtype {vectors.dtype}" if isinstance(vectors, np.ndarray) else "no shape"
        raise ShapeError(f"{name} has {shape}, expected an array (N, D) of float32 or float16.")
    lengths = np.ones(len(vectors), np.float32)
    for begin in range(0, len(vectors), CHECK_ROWS):
        block = np.asarray(vectors[begin : begin + CHECK_ROWS], np.float32)
        squares = np.einsum("ij,ij->i", block, block)
        is_good = (np.abs(squares - 1) <= LENGTH_TOLERANCE) | (squares == 0)  # NaN is neither
        if not is_good.all():
            row = int(np.argmin(is_good))
            raise _wrong_row(f"{name}[{begin + row}]", block[row], name)
        lengths[begin : begin + len(block)] = np.sqrt(np.where(squares == 0, 1, squares))
    return lengths


def normalized_rows(vectors: Vectors) -> Floats:
    """Give vectors as float32 of length 1.

    Raises:
        ArgumentError: If one holds no finite numbers.
        ShapeError: If they are no rows.
    """
    if isinstance(vectors, np.ndarray) and vectors.ndim != 2:
        raise ShapeError(f"vectors has shape {vectors.shape}, expected (N, D).")
    rows = as_rows(vectors, "vectors")
    is_bad = ~np.isfinite(rows).all(axis=1)
    if is_bad.any():
        raise _wrong_row(f"vectors[{int(is_bad.argmax())}]", rows[is_bad.argmax()], "vectors")
    return l2_normalize(rows)


def _wrong_row(where: str, row: Floats, name: str) -> ArgumentError:
    if not np.isfinite(row).all():
        return ArgumentError(
            f"{where} holds numbers that are not finite; leave this row out, or find out where they come from."
        )
    length = float(np.linalg.norm(row.astype(np.float64)))
    return ArgumentError(f"{where} has the length {length:.4g}, not 1: pass gtekit.l2_normalize({name}).")
