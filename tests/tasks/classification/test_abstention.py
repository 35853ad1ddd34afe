"""Thresholds of confidence, against a search through all of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gtekit.errors import ArgumentError
from gtekit.tasks.classification.abstention import operating_points, threshold_for_accuracy, threshold_for_coverage

TEXTS = st.lists(st.tuples(st.integers(1, 40), st.booleans()), min_size=10, max_size=60)


def arrays(texts: list[tuple[int, bool]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([number / 40 for number, _ in texts], np.float32), np.array([right for _, right in texts])


@given(texts=TEXTS, accuracy=st.floats(0.05, 1))
def test_no_threshold_labels_more_texts_at_this_accuracy(texts: list[tuple[int, bool]], accuracy: float) -> None:
    confidence, is_correct = arrays(texts)
    kept = [confidence >= threshold for threshold in confidence]
    possible = [rows.mean() for rows in kept if rows.sum() >= 10 and is_correct[rows].mean() >= accuracy]
    if not possible:
        with pytest.raises(ArgumentError, match="out of reach"):
            threshold_for_accuracy(confidence, is_correct, accuracy)
        return
    point = threshold_for_accuracy(confidence, is_correct, accuracy)
    assert point.coverage == max(possible)
    assert point.accuracy is not None
    assert point.accuracy >= accuracy
    assert (confidence >= np.float64(point.threshold)).mean() == point.coverage


@given(texts=TEXTS, coverage=st.floats(0, 1))
def test_no_higher_threshold_labels_this_share(texts: list[tuple[int, bool]], coverage: float) -> None:
    confidence, is_correct = arrays(texts)
    point = threshold_for_coverage(confidence, is_correct, coverage)
    shares = [(confidence >= threshold).mean() for threshold in confidence]
    assert point.coverage == min(share for share in shares if share >= coverage)


@given(texts=TEXTS)
def test_a_higher_threshold_labels_no_more_texts(texts: list[tuple[int, bool]]) -> None:
    coverages = [point.coverage for point in operating_points(*arrays(texts))]
    assert coverages[0] == 1
    assert coverages == sorted(coverages, reverse=True)


def test_a_threshold_that_labels_nothing_has_no_accuracy() -> None:
    points = operating_points(np.full(10, 0.5, np.float32), np.ones(10, bool))
    assert points[-1].coverage == 0
    assert points[-1].accuracy is None
