"""Cosines to probabilities: three growing curves, fitted on scores of pairs that people have labelled."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gtekit.arrays import Array
from gtekit.errors import ArgumentError
from gtekit.tasks.scikit import scikit

Method = Literal["logistic", "beta", "isotonic"]
METHODS: tuple[Method, ...] = get_args(Method)  # the fewest parameters first
ISOTONIC_PAIRS = 1000  # of fewer pairs steps follow the noise; scikit-learn's guide says the same
PURPOSE = "fitting a calibration"
EDGE = 1e-6  # how near to -1 and 1 a cosine may come before its logarithm is taken

Doubles: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Curve:
    """A function from cosines to probabilities that never falls.

    logistic: sigmoid(slope * s + intercept).
    beta: sigmoid(a * log(x) - b * log(1 - x) + c) with x = (s + 1) / 2.
    isotonic: straight lines between the points (scores, probabilities).
    """

    method: Method
    parameters: Mapping[str, float | Sequence[float]]

    def __call__(self, scores: ArrayLike) -> Doubles:
        """Give the probability of each score, of the same shape."""
        values = np.asarray(scores, np.float64)
        if self.method == "isotonic":
            points, probabilities = self.parameters["scores"], self.parameters["probabilities"]
            return np.asarray(np.interp(values, np.asarray(points), np.asarray(probabilities)))
        if self.method == "logistic":
            return sigmoid(self._number("slope") * values + self._number("intercept"))
        left, right = _beta_features(values)
        return sigmoid(self._number("a") * left + self._number("b") * right + self._number("c"))

    def check(self) -> None:
        """Make sure that parameters out of a file are a curve that never falls.

        Raises:
            ValueError: If they are not; KeyError if one is missing.
        """
        if self.method not in METHODS:
            raise ValueError(f"unknown method {self.method!r}")
        if self.method == "isotonic":
            points, probabilities = (np.asarray(self.parameters[name], float) for name in ("scores", "probabilities"))
            is_growing = len(points) == len(probabilities) > 1 and (np.diff(points) >= 0).all()
            is_sound = is_growing and (np.diff(probabilities) >= 0).all()
            if not (is_sound and np.isfinite(points).all() and probabilities[0] > 0 and probabilities[-1] < 1):
                raise ValueError("scores and probabilities do not grow together")
            return
        factors = ("slope",) if self.method == "logistic" else ("a", "b")
        constant = "intercept" if self.method == "logistic" else "c"
        if not np.isfinite([self._number(name) for name in (*factors, constant)]).all():
            raise ValueError("a parameter is no finite number")
        if min(self._number(name) for name in factors) < 0:
            raise ValueError("a negative parameter makes the curve fall")

    def _number(self, name: str) -> float:
        value = self.parameters[name]
        if not isinstance(value, float | int):
            raise TypeError(f"{name} is no number")
        return float(value)


def fit_curve(method: Method, scores: Array, labels: Array) -> Curve:
    """Fit one curve by the largest likelihood.

    Labels are smoothed as Platt has it: a 1 counts as (P + 1) / (P + 2) with P ones, a 0 as 1 / (Z + 2) with Z zeros.
    No probability becomes 0 or 1, also where a threshold tells all labels apart.

    Args:
        method: Which of the curves.
        scores: Shape (N,).
        labels: Shape (N,), 0 or 1, both there.

    Raises:
        ArgumentError: If pairs labelled 1 do not have the larger scores.
        MissingExtraError: If scikit-learn is not installed.

    Source:
        Platt 1999, "Probabilistic outputs for support vector machines"; Kull, Silva Filho and Flach 2017, "Beta
        calibration"; Zadrozny and Elkan 2002, "Transforming classifier scores into accurate multiclass probability
        estimates".
    """
    values, targets = np.asarray(scores, np.float64), _smoothed(labels)
    if method == "isotonic":
        return _fit_isotonic(values, targets)
    if method == "logistic":
        (slope,), intercept = _fit_sigmoid([values], targets)
        if slope <= 0:
            raise _falling()
        return Curve("logistic", {"slope": slope, "intercept": intercept})
    return _fit_beta(values, targets)


def sigmoid(logits: ArrayLike) -> Doubles:
    """Give 1 / (1 + exp(-x)) without overflow."""
    values = np.asarray(logits, np.float64)
    small = np.exp(-np.abs(values))  # 0 to 1, whatever the sign
    return np.asarray(np.where(values >= 0, 1, small) / (1 + small))


def _smoothed(labels: Array) -> Doubles:
    ones = int(np.count_nonzero(labels))
    zeros = len(labels) - ones
    return np.where(np.asarray(labels) == 1, (ones + 1) / (ones + 2), 1 / (zeros + 2))


def _beta_features(scores: Doubles) -> tuple[Doubles, Doubles]:
    shares = np.clip((scores + 1) / 2, EDGE, 1 - EDGE)
    return np.log(shares), -np.log1p(-shares)


def _fit_beta(scores: Doubles, targets: Doubles) -> Curve:
    """Fit with both logarithms; one whose factor would make the curve fall is left out, as its authors do."""
    features = _beta_features(scores)
    (a, b), c = _fit_sigmoid(features, targets)
    if a < 0 or b < 0:
        kept = 1 if a < 0 else 0
        (factor,), c = _fit_sigmoid([features[kept]], targets)
        a, b = (0.0, factor) if kept else (factor, 0.0)
    if a < 0 or b < 0 or a + b == 0:
        raise _falling()
    return Curve("beta", {"a": a, "b": b, "c": c})


def _fit_sigmoid(features: Sequence[Doubles], targets: Doubles) -> tuple[list[float], float]:
    """Fit factors and the constant. A target between 0 and 1 is a pair of labels with weights."""
    columns = np.stack(features, axis=1)
    means, spreads = columns.mean(axis=0), columns.std(axis=0)
    if not (spreads > 0).all():
        raise ArgumentError("all pairs have the same score; there is nothing to fit. Are all texts empty or equal?")
    scaled = (columns - means) / spreads
    # C so large is no regularization, in every version of scikit-learn
    regression = scikit(PURPOSE, "linear_model").LogisticRegression(
        C=1e10, solver="newton-cholesky", max_iter=1000, tol=1e-8
    )
    labels = np.repeat([1, 0], len(targets))
    regression.fit(np.concatenate([scaled, scaled]), labels, sample_weight=np.concatenate([targets, 1 - targets]))
    factors = regression.coef_[0] / spreads
    return [float(factor) for factor in factors], float(regression.intercept_[0] - (factors * means).sum())


def _fit_isotonic(scores: Doubles, targets: Doubles) -> Curve:
    regression = scikit(PURPOSE, "isotonic").IsotonicRegression(out_of_bounds="clip").fit(scores, targets)
    points, probabilities = regression.X_thresholds_, regression.y_thresholds_
    if not probabilities[-1] > probabilities[0]:
        raise _falling()
    return Curve("isotonic", {"scores": points.tolist(), "probabilities": probabilities.tolist()})


def _falling() -> ArgumentError:
    return ArgumentError(
        "pairs labelled 1 do not have larger cosines than those labelled 0; no growing curve fits. Does 1 mean "
        "different in these data? Then swap the labels."
    )
