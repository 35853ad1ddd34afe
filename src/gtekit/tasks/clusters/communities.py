"""Communities: rows around a central one, each at least so near to it. Exact, in bounded memory."""

import numpy as np

from gtekit.arrays import Array, Floats, Ints
from gtekit.nearest import pairs_above

CANDIDATES_AT_ONCE = 256
BLOCK_PRODUCTS = 2**25  # floats of one block of cosines: 128 MB
SAMPLE_ROWS = 2_000
SAMPLE_SHARE = 0.998  # of the pairs of a sample lie below the threshold that is chosen for them


def communities(vectors: Floats, threshold: float, min_size: int) -> list[Ints]:
    """Find groups of rows whose cosine to a central row is at least `threshold`.

    Rows with the most neighbours are tried first; a row belongs to the first community that takes it.

    Args:
        vectors: Shape (N, D), normalized.
        threshold: The least cosine to the central row.
        min_size: The fewest rows of a community, counting only those that no earlier one has.

    Returns:
        The row numbers of each community, the central row first and then the nearest; the largest community first.
        Memory is bounded by one block of products, however many rows are near each other.

    Source:
        `community_detection` of sentence-transformers: the same communities.
    """
    counts = np.ones(len(vectors), np.int64)  # a row is near itself
    for pairs in pairs_above(vectors, threshold):
        counts += np.bincount(pairs.left, minlength=len(vectors))
        counts += np.bincount(pairs.right, minlength=len(vectors))
    order = np.argsort(-counts, kind="stable")
    candidates = order[counts[order] >= min_size]
    is_taken = np.zeros(len(vectors), bool)
    found = []
    at_once = max(1, min(CANDIDATES_AT_ONCE, BLOCK_PRODUCTS // max(len(vectors), 1)))
    while len(candidates):
        block, candidates = candidates[:at_once], candidates[at_once:]
        cosines = vectors[block] @ vectors.T
        for center, row_cosines in zip(block, cosines, strict=True):
            if is_taken[center]:
                continue
            row_cosines[center] = (
                np.inf
            )  # rounding must not put a copy of the central row, or a threshold of 1, before it
            members = np.flatnonzero((row_cosines >= np.float32(threshold)) & ~is_taken)
            if len(members) >= min_size:
                members = members[np.argsort(-row_cosines[members], kind="stable")]
                is_taken[members] = True
                found.append(members)
        candidates = candidates[~is_taken[candidates]]
    return sorted(found, key=len, reverse=True)


def community_labels(found: list[Ints], rows: int) -> Array:
    """Give the community of each row, shape (N,), from 0 up; -1 for none."""
    labels = np.full(rows, -1)
    for number, members in enumerate(found):
        labels[members] = number
    return labels


def choose_threshold(vectors: Floats) -> float:
    """Give the cosine that 2 in 1,000 pairs of a sample reach: what is near differs from model to model.

    Of GTE models cosines of texts that have nothing in common are above 0.7, so no one number serves all.
    """
    rows = np.linspace(0, len(vectors) - 1, min(len(vectors), SAMPLE_ROWS)).astype(np.int64)
    sample = vectors[rows]
    cosines = (sample @ sample.T)[np.triu_indices(len(sample), 1)]
    return round(float(np.quantile(cosines, SAMPLE_SHARE)), 4) if len(cosines) else 1.0
