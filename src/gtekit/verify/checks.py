"""One comparison of vectors, and where it counts as passed."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gtekit.arrays import Floats
from gtekit.config import Precision

MIN_COSINE: Mapping[Precision, float] = {"float32": 0.999999, "int8": 0.99}
MAX_ABS_DIFF: Mapping[Precision, float] = {  # between unit vectors
    "float32": 2e-5,  # another order of summation: right ones stay below 1e-6
    "int8": 0.05,  # a sum with another last bit rounds to another level, and others follow: right ones reach 0.014
}


@dataclass(frozen=True, slots=True)
class Check:
    """How far vectors are from those that they should be."""

    name: str  # what was compared with what
    texts: int
    max_abs_diff: float
    min_cosine: float
    allowed: float  # the largest difference that passes; 0: the same bits
    precision: Precision = "float32"
    note: str = ""

    @property
    def passed(self) -> bool:
        """Whether the vectors are right. NaN is not."""
        return not self.note and self.max_abs_diff <= self.allowed and self.min_cosine >= MIN_COSINE[self.precision]


def compare(
    name: str,
    embeddings: Floats,
    expected: Floats,
    *,
    precision: Precision = "float32",
    same_bits: bool = False,
) -> Check:
    """Hold unit vectors (N, D) against the right ones, row by row: as near as the precision allows, or equal."""
    if embeddings.shape != expected.shape:
        return failure(name, f"shape {embeddings.shape}, expected {expected.shape}")
    if not np.isfinite(embeddings).all():
        return failure(name, "NaN or infinity among the numbers")
    rows, right = embeddings.astype(np.float64), expected.astype(np.float64)
    norms = np.linalg.norm(rows, axis=1) * np.linalg.norm(right, axis=1)
    cosines = (rows * right).sum(axis=1) / np.maximum(norms, 1e-30)
    largest, smallest = float(np.abs(rows - right).max()), float(cosines.min())
    allowed = 0.0 if same_bits else MAX_ABS_DIFF[precision]
    return Check(name, len(rows), largest, smallest, allowed, precision)


def failure(name: str, note: str) -> Check:
    """Give a check that failed before there was anything to compare."""
    return Check(name, 0, float("inf"), -1.0, 0.0, note=note)
