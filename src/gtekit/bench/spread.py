"""Several measurements of one thing: their middle, and how far apart they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from gtekit.arrays import Floats


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of measurements with the lowest and the highest."""

    median: float
    low: float
    high: float


def spread_of(values: Sequence[float]) -> Spread:
    """Sum up measurements, at least one."""
    return Spread(median(values), min(values), max(values))


def cosine_spread(embeddings: Floats, exact: Floats) -> tuple[float, float]:
    """Give the mean and the smallest cosine of vectors (N, D) with those that they stand for, row by row."""
    rows, right = embeddings.astype(np.float64), exact.astype(np.float64)
    norms = np.linalg.norm(rows, axis=1) * np.linalg.norm(right, axis=1)
    cosines = (rows * right).sum(axis=1) / np.maximum(norms, 1e-30)
    return min(float(cosines.mean()), 1.0), min(float(cosines.min()), 1.0)
