"""Vectors with fewer numbers, those that tell most: principal components."""

import numpy as np

from gtekit.arrays import Array, Floats
from gtekit.tasks.scikit import one_thread, scikit

SAME = 1e-6  # a few times the rounding of normalized vectors


def principal_components(vectors: Floats, dimensions: int, *, seed: int) -> Floats:
    """Project vectors on the directions in which they differ most, shape (N, min(dimensions, N, D))."""
    module = scikit("principal components", "decomposition")
    with one_thread():
        found: Array = module.PCA(min(dimensions, *vectors.shape), random_state=seed).fit_transform(vectors)
    return found.astype(np.float32)


def are_alike(vectors: Floats) -> bool:
    """Say whether all rows are the same but for rounding: then there are no directions in which they differ."""
    return not len(vectors) or float(np.ptp(vectors, axis=0).max()) < SAME
