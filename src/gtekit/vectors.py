"""Embeddings in fewer bytes, and whatever numpy reads as embeddings: functions on arrays."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gtekit.arrays import Array, Floats
from gtekit.errors import ArgumentError, ShapeError

Vectors: TypeAlias = "Array | Int8Vectors | Sequence[Any]"  # anything numpy reads as (N, D), or one vector (D,)


@dataclass(frozen=True, slots=True)
class Int8Vectors:
    """Vectors of int8, each with the scale that brings it back.

    The scale belongs to the one vector, not to a batch: a single query is quantized as well as a million documents,
    and the same in both.
    """

    values: NDArray[np.int8]  # (N, D), -127 to 127
    scales: Floats  # (N,)

    def __len__(self) -> int:
        return len(self.values)

    def to_float32(self) -> Floats:
        """Give the vectors back as float32, shape (N, D), each number off by half its vector's scale at most."""
        return self.values.astype(np.float32) * self.scales[:, None]


def to_int8(embeddings: Vectors) -> Int8Vectors:
    """Quantize vectors to int8, a quarter of the bytes.

    Args:
        embeddings: Shape (N, D).

    Raises:
        ArgumentError: If a number is NaN or infinite.
    """
    rows = as_rows(embeddings, "embeddings")
    _check_finite(rows)
    peaks = np.abs(rows).max(axis=1, initial=0.0)  # (N,)
    scales = np.where(peaks > 0, peaks / np.float32(127), np.float32(1)).astype(np.float32)
    # a scale that was rounded down, for the smallest numbers of all even to 0, would not reach its peak
    scales = np.where(scales * 127 < peaks, np.nextafter(scales, np.float32(np.inf)), scales)
    return Int8Vectors(np.rint(rows / scales[:, None]).astype(np.int8), scales)


def to_float16(embeddings: Vectors) -> NDArray[np.float16]:
    """Round vectors to float16, half the bytes, shape (N, D).

    Raises:
        ArgumentError: If a number is NaN, infinite, or too large for float16 (65504), as un-normalized vectors could
            have.
    """
    rows = as_rows(embeddings, "embeddings")
    _check_finite(rows)
    limit = np.finfo(np.float16).max
    if rows.size and float(np.abs(rows).max()) > float(limit):
        raise ArgumentError(f"embeddings reach {np.abs(rows).max():g}, float16 ends at {limit}; normalize them first.")
    return rows.astype(np.float16)


def to_bits(embeddings: Vectors) -> NDArray[np.uint8]:
    """Keep the sign of each number, eight to a byte: 1 for above zero, the first number in the highest bit.

    Returns:
        Shape (N, ceil(D / 8)); the bits after the last number are 0.
    """
    return np.packbits(as_rows(embeddings, "embeddings") > 0, axis=1)


def from_bits(bits: Array, dimension: int) -> Floats:
    """Turn packed bits back into numbers: 1 where the bit is set, -1 where not.

    Args:
        bits: Shape (N, ceil(D / 8)), uint8, as `to_bits` gives.
        dimension: D, how many numbers a vector had.

    Returns:
        Shape (N, D). Their cosine similarity is 1 - 2 * (share of bits that differ).
    """
    if bits.dtype != np.uint8 or bits.ndim != 2 or bits.shape[1] != -(-dimension // 8):
        raise ShapeError(
            f"bits has shape {bits.shape} and dtype {bits.dtype}; {dimension} dimensions need uint8 of shape "
            f"(N, {-(-dimension // 8)})."
        )
    signs = np.unpackbits(bits, axis=1, count=dimension).astype(np.float32)
    return signs * 2 - 1


def as_rows(vectors: Vectors, name: str) -> Floats:
    """Give vectors as float32 of shape (N, D).

    Raises:
        ShapeError: If they have no such shape; the message begins with `name`.
        ArgumentError: If they are packed bits.
    """
    if isinstance(vectors, Int8Vectors):
        return vectors.to_float32()
    try:
        array = np.asarray(vectors)
        if array.dtype == np.uint8:
            raise ArgumentError(f"{name} has dtype uint8: packed bits? Compare those with bits_similarity.")
        rows = np.atleast_2d(array.astype(np.float32, copy=False))
    except (TypeError, ValueError) as error:
        if isinstance(error, ArgumentError):
            raise
        raise ShapeError(f"{name} is not an array of numbers with equally long rows: {error}") from None
    if rows.ndim != 2:
        raise ShapeError(f"{name} has shape {rows.shape}, expected (N, D).")
    return rows


def _check_finite(rows: Floats) -> None:
    is_bad = ~np.isfinite(rows).all(axis=1)
    if is_bad.any():
        row = int(is_bad.argmax())
        column = int((~np.isfinite(rows[row])).argmax())
        raise ArgumentError(
            f"embeddings[{row}, {column}] is {rows[row, column]}: no number that can be stored in fewer bytes. No "
            "embedding of gtekit has one; see how these were made."
        )
