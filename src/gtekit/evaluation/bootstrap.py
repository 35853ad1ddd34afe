"""How sure a score is, and whether two scores differ: percentile intervals over a thousand draws of a task's items.

Two models are compared on the same draws of the same items, so what makes a task hard for both cancels out.

Source: Efron & Tibshirani 1993, chapters 13 (percentile intervals) and 16 (comparing two statistics).
"""

from dataclasses import dataclass

import numpy as np

from gtekit.arrays import Array
from gtekit.errors import ArgumentError
from gtekit.evaluation.metrics import bootstrap_interval
from gtekit.evaluation.samples import Samples, compute

RESAMPLES = 1_000
FEWEST_ITEMS = 10  # for an interval
ENOUGH_ITEMS = 30  # to call a difference real: with 10, draws of equal models leave out 0 in 12 % of trials, not 5 %


@dataclass(frozen=True, slots=True)
class Interval:
    """Where 95 % of the draws lie, in points."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Difference:
    """Score of the first model minus that of the second on the same items, in points."""

    value: float
    low: float
    high: float
    items: int

    @property
    def is_real(self) -> bool:
        """Whether there are enough items, and the 95 % interval leaves out 0."""
        return self.items >= ENOUGH_ITEMS and (self.low > 0 or self.high < 0)


def score_interval(samples: Samples, resamples: int = RESAMPLES) -> Interval | None:
    """Give the 95 % interval of a score; None where there are too few items to draw from, or no draw has a score."""
    if len(samples) < FEWEST_ITEMS:
        return None
    low, high = _interval(samples, None, resamples)
    return None if np.isnan(low) else Interval(low, high)


def compare(first: Samples, second: Samples, resamples: int = RESAMPLES) -> Difference:
    """Compare two models on one task.

    Raises:
        ArgumentError: If the two are not of the same items, or of fewer than ten, or no draw of them has a score.
    """
    is_same = (
        first.statistic == second.statistic
        and len(first) == len(second)
        and (first.truths is None or np.array_equal(first.truths, _truths(second)))
    )
    if not is_same:
        raise ArgumentError(
            f"the scores rest on different items ({len(first):,} and {len(second):,}); run both on the same data."
        )
    if len(first) < FEWEST_ITEMS:
        raise ArgumentError(f"{len(first)} items are too few for an interval; it takes {FEWEST_ITEMS} or more.")
    low, high = _interval(first, second, resamples)
    if np.isnan(low):
        raise ArgumentError("no draw of these items has a score, so nothing says whether a difference is real.")
    return Difference(first.score() - second.score(), low, high, len(first))


def _interval(first: Samples, second: Samples | None, resamples: int) -> tuple[float, float]:
    if first.statistic == "mean":
        values = first.values if second is None else first.values - second.values
        low, high = bootstrap_interval([values], np.mean, resamples=resamples, is_vectorized=True)
    else:
        arrays = [first.values, _truths(first), *([] if second is None else [second.values])]

        def statistic(values: Array, truths: Array, others: Array | None = None) -> float:
            if any(np.ptp(array) == 0 for array in (truths, values, others) if array is not None):
                return float("nan")  # a draw of one value alone ranks nothing
            score = compute(first.statistic, values, truths)
            return score if others is None else score - compute(first.statistic, others, truths)

        low, high = bootstrap_interval(arrays, statistic, resamples=resamples)
    return 100 * low, 100 * high


def _truths(samples: Samples) -> Array:
    assert samples.truths is not None
    return samples.truths
