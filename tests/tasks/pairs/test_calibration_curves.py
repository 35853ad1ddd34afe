"""Curves from cosines to probabilities: they grow, they find what drew the labels, they refuse what is upside down."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gtekit.arrays import Array
from gtekit.errors import ArgumentError
from gtekit.tasks.pairs.calibration_curves import METHODS, Curve, Method, fit_curve, sigmoid


def drawn(pairs: int, seed: int, slope: float = 12.0, middle: float = 0.6) -> tuple[Array, Array]:
    """Cosines, and labels that a logistic curve gives them."""
    random = np.random.default_rng(seed)
    scores = random.uniform(0, 1, pairs)
    return scores, (random.uniform(size=pairs) < sigmoid(slope * (scores - middle))).astype(np.int64)


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_a_larger_cosine_never_has_a_smaller_probability(method: Method, seed: int) -> None:
    curve = fit_curve(method, *drawn(60, seed))
    found = curve(np.linspace(-1, 1, 500))
    assert (np.diff(found) >= 0).all()
    assert (found >= 0).all()
    assert (found <= 1).all()
    curve.check()


def test_the_logistic_curve_finds_what_drew_the_labels() -> None:
    curve = fit_curve("logistic", *drawn(40_000, 1))
    assert curve.parameters["slope"] == pytest.approx(12, rel=0.03)
    assert curve.parameters["intercept"] == pytest.approx(-7.2, rel=0.03)


@pytest.mark.parametrize("method", METHODS)
def test_every_curve_comes_near_the_one_that_drew_the_labels(method: Method) -> None:
    points = np.linspace(0.1, 0.95, 50)
    curve = fit_curve(method, *drawn(40_000, 2))
    assert np.allclose(curve(points), sigmoid(12 * (points - 0.6)), atol=0.05)


@pytest.mark.parametrize("method", METHODS)
def test_labels_that_a_threshold_tells_apart_are_not_certain(method: Method) -> None:
    scores = np.linspace(0.7, 1, 40)
    found = fit_curve(method, scores, (scores > 0.9).astype(int))(scores)
    assert 0 < found.min() < 0.1
    assert 0.9 < found.max() < 1


@pytest.mark.parametrize("method", METHODS)
def test_labels_upside_down_are_refused(method: Method) -> None:
    scores, labels = drawn(500, 3)
    with pytest.raises(ArgumentError, match="swap the labels"):
        fit_curve(method, scores, 1 - labels)


@pytest.mark.parametrize("method", ["logistic", "beta"])
def test_one_score_for_all_pairs_has_nothing_to_fit(method: Method) -> None:
    with pytest.raises(ArgumentError, match="same score"):
        fit_curve(method, np.ones(10), np.arange(10) % 2)


@pytest.mark.parametrize(
    ("method", "parameters"),
    [
        ("logistic", {"slope": -1.0, "intercept": 0.0}),
        ("logistic", {"slope": float("nan"), "intercept": 0.0}),
        ("logistic", {"slope": "3", "intercept": 0.0}),
        ("beta", {"a": 1.0, "b": -2.0, "c": 0.0}),
        ("isotonic", {"scores": [0.1, 0.2], "probabilities": [0.3, 0.2]}),
        ("isotonic", {"scores": [0.2, 0.1], "probabilities": [0.1, 0.2]}),
        ("isotonic", {"scores": [0.2], "probabilities": [0.1]}),
        ("cubic", {}),
    ],
)
def test_parameters_that_are_no_growing_curve_are_found(method: Method, parameters: dict[str, float]) -> None:
    with pytest.raises((ValueError, TypeError)):
        Curve(method, parameters).check()
