"""Vectors of fewer bytes, in the exact formats of sentence-transformers.

Its int8 and uint8 need the range of every dimension over many vectors. `gtekit.to_int8` scales each vector by itself
instead, so that one query alone is as good as a million documents; prefer it in new code.
"""

from typing import Literal, get_args

import numpy as np

from gtekit.arrays import Array
from gtekit.errors import ArgumentError, GtekitWarning
from gtekit.notices import warn_caller
from gtekit.sentence_transformers.tensors import Vectors, to_array

VectorPrecision = Literal["float32", "int8", "uint8", "binary", "ubinary"]
PRECISIONS: tuple[str, ...] = get_args(VectorPrecision)
FEW_VECTORS = 100  # below it sentence-transformers warns as well


def quantize_embeddings(
    embeddings: Vectors,
    precision: VectorPrecision,
    ranges: Array | None = None,
    calibration_embeddings: Array | None = None,
) -> Array:
    """Give embeddings in fewer bytes, rounded as sentence-transformers rounds them.

    Args:
        embeddings: Shape (N, D), or (D,) where `ranges` or `calibration_embeddings` are given or the answer is bits.
        precision: int8 and uint8 give (N, D): 256 steps from the smallest to the largest value of each dimension.
            binary (int8) and ubinary (uint8) give (N, ceil(D / 8)): one bit a dimension, set where it is above 0.
        ranges: Smallest and largest value of each dimension, shape (2, D).
        calibration_embeddings: Vectors to take the ranges from, shape (C, D); without both, `embeddings` itself.

    Raises:
        ArgumentError: If the precision is unknown, or ranges would have to come from one single vector.
    """
    check_vector_precision(precision)
    vectors = to_array(embeddings)
    if precision == "float32":
        return vectors if vectors.dtype == np.float32 else vectors.astype(np.float32)
    if precision in ("binary", "ubinary"):
        bits = np.packbits(vectors > 0, axis=-1)
        return bits if precision == "ubinary" else (bits ^ 0x80).view(np.int8)  # bits - 128 as a signed byte
    if ranges is None:
        ranges = _ranges(vectors if calibration_embeddings is None else to_array(calibration_embeddings), precision)
    lowest, highest = ranges.astype(np.float32)
    steps = (highest - lowest) / 255
    levels: Array = np.clip(np.floor((vectors - lowest) / np.where(steps == 0, 1, steps)), 0, 255)
    return levels.astype(np.uint8) if precision == "uint8" else (levels - 128).astype(np.int8)


def truncate_embeddings(embeddings: Vectors, truncate_dim: int | None) -> Vectors:
    """Keep the first `truncate_dim` numbers of each vector; they are not normalized again."""
    return embeddings[..., :truncate_dim]


def check_vector_precision(precision: str) -> None:
    """Refuse a precision that vectors can't have.

    Raises:
        ArgumentError: If it is none of PRECISIONS.
    """
    if precision not in PRECISIONS:
        raise ArgumentError(f"unknown precision {precision!r} for embeddings; there are: {', '.join(PRECISIONS)}.")


def _ranges(vectors: Array, precision: str) -> Array:
    if vectors.ndim == 1 or len(vectors) == 1:
        raise ArgumentError(
            f"{precision} needs the range of each dimension, and one vector has none. Pass ranges=, or "
            f"calibration_embeddings= with vectors of your corpus, to quantize_embeddings; or use gtekit.to_int8, "
            f"which scales each vector by itself."
        )
    if len(vectors) < FEW_VECTORS:
        warn_caller(
            f"{precision} ranges taken from {len(vectors)} vectors are unsteady: pass calibration_embeddings= with "
            f"{FEW_VECTORS} or more to quantize_embeddings, or use gtekit.to_int8, which needs none.",
            GtekitWarning,
        )
    return np.stack([vectors.min(0), vectors.max(0)])
