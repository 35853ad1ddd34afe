"""When to give no answer: the threshold on confidence that keeps an accuracy, or a share of the texts."""

from dataclasses import dataclass

import numpy as np

from gtekit.arrays import Array, Floats
from gtekit.errors import ArgumentError

THRESHOLDS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)  # of the table that a report shows
FEWEST_ANSWERED = 10  # an accuracy over fewer texts than this is luck


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """What a threshold does to texts that the classifier had not seen."""

    threshold: float
    coverage: float  # share of texts that get a label
    accuracy: float | None  # of those; None where no text gets one


def operating_points(confidence: Floats, is_correct: Array) -> tuple[OperatingPoint, ...]:
    """Say for a range of thresholds how many texts get a label, and how many of these are right.

    Args:
        confidence: Shape (N,), of the best label.
        is_correct: Shape (N,), bool.
    """
    return tuple(_point(confidence, is_correct, threshold) for threshold in THRESHOLDS)


def threshold_for_accuracy(confidence: Floats, is_correct: Array, accuracy: float) -> OperatingPoint:
    """Find the threshold that labels the most texts with at least this accuracy.

    Raises:
        ArgumentError: If no threshold that labels ten texts reaches it.
    """
    order, ends = _groups(confidence)
    accuracies = np.cumsum(is_correct[order])[ends] / (ends + 1)
    enough = ends + 1 >= min(FEWEST_ANSWERED, len(confidence))
    reached = np.flatnonzero(enough & (accuracies >= accuracy))
    if not len(reached):
        best = float(accuracies[enough].max())
        raise ArgumentError(
            f"least_accuracy={accuracy:g} is out of reach: of the thresholds that label {FEWEST_ANSWERED} texts or "
            f"more the best has an accuracy of {best:.3f}. Ask for less, or add examples."
        )
    return _point(confidence, is_correct, _cut(confidence[order], int(ends[reached[-1]])))


def threshold_for_coverage(confidence: Floats, is_correct: Array, coverage: float) -> OperatingPoint:
    """Find the highest threshold that still labels this share of the texts."""
    order, ends = _groups(confidence)
    reached = np.flatnonzero((ends + 1) / len(confidence) >= coverage)
    return _point(confidence, is_correct, _cut(confidence[order], int(ends[reached[0]])))


def _groups(confidence: Floats) -> tuple[Array, Array]:
    """Order texts from sure to unsure, and give the last place of each group of equal confidence."""
    order = np.argsort(-confidence, kind="stable")
    return order, np.append(np.flatnonzero(np.diff(confidence[order])), len(order) - 1)


def _cut(ordered: Floats, last: int) -> float:
    """Cut halfway between the last text that is labelled and the next; 0 where all are."""
    return 0.0 if last + 1 == len(ordered) else (float(ordered[last]) + float(ordered[last + 1])) / 2


def _point(confidence: Floats, is_correct: Array, threshold: float) -> OperatingPoint:
    answered = confidence >= np.float64(threshold)
    accuracy = float(is_correct[answered].mean()) if answered.any() else None
    return OperatingPoint(threshold, float(answered.mean()), accuracy)
