"""What a classifier says of texts: a label each, how probable it is, and the probabilities of all labels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gtekit.arrays import Array, Floats
from gtekit.errors import ArgumentError, ShapeError
from gtekit.tasks.classification.labels import Label


@dataclass(frozen=True, slots=True)
class Predictions:
    """The labels of N texts among C classes."""

    labels: tuple[Label | None, ...]  # None: no label was probable enough
    confidence: Floats  # (N,), the probability of the best label, also where it was not given
    scores: Floats  # (N, C), probabilities, each row sums to 1
    classes: tuple[Label, ...]  # the columns of `scores`


def choose_labels(scores: Floats, classes: Sequence[Label], abstain_below: float) -> Predictions:
    """Give each text its most probable label, the first of equal ones; None where that is below the threshold.

    Args:
        scores: Probabilities, shape (N, C).
        classes: The columns.
        abstain_below: The least probability of a label that is given, 0 to 1.
    """
    best = scores.argmax(axis=1)
    confidence = scores[np.arange(len(scores)), best]
    labels = tuple(
        classes[column] if is_sure else None
        for column, is_sure in zip(best.tolist(), (confidence >= np.float64(abstain_below)).tolist(), strict=True)
    )
    return Predictions(labels, confidence, scores, tuple(classes))


def softmax(logits: Array) -> Floats:
    """Turn each row into probabilities, float32, shape as given."""
    powers = np.exp((logits - logits.max(axis=1, keepdims=True)).astype(np.float64))
    probabilities: Floats = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
    return probabilities


def check_share(name: str, value: object) -> float:
    """Give a number of 0 to 1 as a float.

    Raises:
        ArgumentError: If it is something else.
    """
    is_number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if not is_number or not 0 <= float(value) <= 1:  # type: ignore[arg-type]
        raise ArgumentError(f"{name}={value!r} is not possible; choose a number, 0 to 1.")
    return float(value)  # type: ignore[arg-type]


def check_vectors(vectors: Floats, texts: int) -> Floats:
    """Give the embeddings that came with texts, float32, shape (N, D).

    Raises:
        ShapeError: If they are not as many as the texts.
        ArgumentError: If one holds numbers that are not finite.
    """
    checked = np.asarray(vectors, np.float32)
    if checked.ndim != 2 or len(checked) != texts:
        raise ShapeError(f"vectors have shape {checked.shape}, expected ({texts}, D): one for each text.")
    if not np.isfinite(checked).all():
        row = int(np.flatnonzero(~np.isfinite(checked).all(axis=1))[0])
        raise ArgumentError(f"vectors[{row}] holds numbers that are not finite; embed this text again.")
    return checked
