"""Whether one model is better than another on the same data, or only luckier."""

from dataclasses import dataclass

from gtekit.errors import ArgumentError
from gtekit.evaluation import bootstrap
from gtekit.evaluation.bootstrap import FEWEST_ITEMS
from gtekit.evaluation.own_data.evaluation import Evaluation


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Score of the first model minus that of the second on the same items, in the scale of the score."""

    measure: str
    value: float
    low: float  # 95 % interval
    high: float
    items: int

    @property
    def is_real(self) -> bool:
        """Whether 95 % of the draws agree which of the two is better."""
        return self.low > 0 or self.high < 0

    def __str__(self) -> str:
        """Say the difference, its interval, and what follows."""
        better = "first" if self.value > 0 else "second"
        verdict = f"the {better} model is better" if self.is_real else "no difference that the data can show"
        return f"{self.measure}: {self.value:+.4f} ({self.low:+.4f} to {self.high:+.4f}), {verdict}"


def compare(first: Evaluation, second: Evaluation, measure: str | None = None) -> Comparison:
    """Compare two models on one measure, by a bootstrap over the items that both were measured on.

    Args:
        first: Of one model.
        second: Of another model, on the same data.
        measure: Such as ndcg@10; None: the main one, which comes first in `scores`.

    Raises:
        ArgumentError: If the data differ, the measure has no items to draw from, or there are too few.
    """
    if (first.kind, first.data_hash) != (second.kind, second.data_hash):
        raise ArgumentError(
            f"the results are of different data: {first.data} ({first.kind}) and {second.data} ({second.kind}). "
            f"Evaluate both models on the same rows in the same order."
        )
    measure = next(iter(first.scores)) if measure is None else measure
    if measure not in first.samples or measure not in second.samples:
        raise ArgumentError(f"{measure!r} can't be compared; choose from: {', '.join(first.samples)}.")
    samples = first.samples[measure], second.samples[measure]
    if len(samples[0]) < FEWEST_ITEMS:
        raise ArgumentError(
            f"{len(samples[0])} items are too few to say whether a difference is real; it takes {FEWEST_ITEMS} or more."
        )
    found = bootstrap.compare(*samples)
    return Comparison(
        measure=measure, value=found.value / 100, low=found.low / 100, high=found.high / 100, items=found.items
    )
