"""Scores on texts that were not seen, against scikit-learn's own."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gtekit.tasks.classification.cross_validation import cross_validate, estimate_scores, fit_regression

pytest.importorskip("sklearn", reason="needs the extra tasks")

from sklearn import metrics
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict

RANDOM = np.random.default_rng(1)
TRUTHS = np.repeat(np.arange(3), 20)
VECTORS = (RANDOM.standard_normal((60, 6)) + 0.8 * np.eye(3, 6)[TRUTHS]).astype(np.float32)


def test_probabilities_are_those_of_the_models_that_had_not_seen_the_text() -> None:
    found = cross_validate(VECTORS, TRUTHS, 5, [10.0], None)
    splits = StratifiedKFold(5, shuffle=True, random_state=42)
    regression = LogisticRegression(C=10.0, max_iter=1000)
    expected = cross_val_predict(regression, VECTORS, TRUTHS, cv=splits, method="predict_proba")
    assert np.allclose(found.scores, expected, atol=1e-5)  # float32


def test_the_candidate_with_the_least_log_loss_is_chosen() -> None:
    found = cross_validate(VECTORS, TRUTHS, 5, [100.0, 0.001, 1.0], None)
    alone = {c: cross_validate(VECTORS, TRUTHS, 5, [c], None) for c in (0.001, 1.0, 100.0)}
    exact = {c: one.scores.astype(np.float64) for c, one in alone.items()}
    losses = {c: metrics.log_loss(TRUTHS, scores / scores.sum(axis=1, keepdims=True)) for c, scores in exact.items()}
    assert found.c == min(losses, key=lambda c: losses[c])
    assert [entry.c for entry in found.candidates] == [0.001, 1.0, 100.0]
    assert {entry.c: entry.log_loss for entry in found.candidates} == pytest.approx(losses, abs=1e-4)
    assert np.array_equal(found.scores, alone[found.c].scores)


@given(rows=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=6, max_size=60))
def test_scores_are_those_of_scikit_learn_and_lie_in_their_intervals(rows: list[tuple[int, int]]) -> None:
    truths = np.array([0, 1, 2, *(truth for truth, _ in rows)])
    predicted = np.array([0, 1, 2, *(label for _, label in rows)])
    accuracy, macro_f1 = estimate_scores(predicted, truths, 3)
    assert accuracy.value == pytest.approx(metrics.accuracy_score(truths, predicted))
    assert macro_f1.value == pytest.approx(metrics.f1_score(truths, predicted, average="macro"))
    assert 0 <= accuracy.low <= accuracy.value <= accuracy.high <= 1
    assert 0 <= macro_f1.low <= macro_f1.high <= 1


def test_intervals_hold_what_they_promise() -> None:
    truths = np.zeros(100, np.int64)
    truths[50:] = 1
    held = []
    for seed in range(200):
        wrong = np.random.default_rng(seed).random(100) < 0.2
        accuracy, macro_f1 = estimate_scores(np.where(wrong, 1 - truths, truths), truths, 2)
        held.append((accuracy.low <= 0.8 <= accuracy.high, macro_f1.low <= 0.8 <= macro_f1.high))
    assert 0.90 <= np.mean([in_accuracy for in_accuracy, _ in held]) <= 0.99
    assert 0.90 <= np.mean([in_f1 for _, in_f1 in held]) <= 0.99


def test_no_error_among_few_texts_is_no_certainty() -> None:
    truths = np.array([0, 1] * 9)
    accuracy, _ = estimate_scores(truths, truths, 2)
    assert (accuracy.value, accuracy.high) == (1.0, 1.0)
    assert accuracy.low == pytest.approx(0.824, abs=0.001)  # Wilson's, of 18 of 18


def test_a_regression_that_does_not_settle_is_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gtekit.tasks.classification.cross_validation.MAX_ITER", 2)
    with pytest.warns(UserWarning, match="had not settled after 2 steps"):
        fit_regression(VECTORS, TRUTHS, 100.0, None)
