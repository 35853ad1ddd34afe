"""How much an approximate index finds of the exact answer."""

from collections.abc import Mapping, Sequence

import numpy as np

from gtekit.arrays import Floats
from gtekit.cosines import l2_normalize
from gtekit.index.interface import Hit, Recall, Value

QUERIES = 200  # the standard error is 0.001 where recall is 0.99 and varies by 0.02 between queries
TOP_K = 10
SEED = 20250
PERTURBATION = 0.5  # the length of the noise that is added to a row: the cosine to it is 0.89 then
SAME_SCORE = 1e-6  # rounding of a product in float32


def perturbed(vectors: Floats, seed: int = SEED) -> Floats:
    """Give queries that are near rows and like none: each row with noise of a fixed length, normalized."""
    noise = np.random.default_rng(seed).normal(size=vectors.shape).astype(np.float32)
    return l2_normalize(vectors + np.float32(PERTURBATION) * l2_normalize(noise))


def compare(
    exact: Sequence[Sequence[Hit]],
    found: Sequence[Sequence[Hit]],
    settings: Mapping[str, Value],
    top_k: int = TOP_K,
) -> Recall:
    """Give the mean share of the exact hits that were found.

    A row counts whose score is as high as that of the last exact hit: of rows with equal vectors it does not matter
    which are found.
    """
    shares = [_share(some, others) for some, others in zip(exact, found, strict=True) if some]
    return Recall(top_k, len(exact), float(np.mean(shares)) if shares else 1.0, dict(settings))


def _share(exact: Sequence[Hit], found: Sequence[Hit]) -> float:
    least = exact[-1].score - SAME_SCORE
    return min(1.0, sum(hit.score >= least for hit in found) / len(exact))
