"""How well a classifier does on texts that it has not seen: stratified folds, and the C that suits the data."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from gtekit.arrays import Floats, Ints
from gtekit.errors import GtekitWarning
from gtekit.notices import warn_caller
from gtekit.tasks.intervals import wilson
from gtekit.tasks.scikit import one_thread, scikit

ClassWeight: TypeAlias = Literal["balanced"]
CANDIDATES = (0.1, 1.0, 10.0, 100.0)  # with 1,000 Banking77 loses 0.6 points of accuracy to 100, and takes longer
FOLDS = 5
SEED = 42
MAX_ITER = 1000
RESAMPLES = 1000
PURPOSE = "fitting a classifier"


@dataclass(frozen=True, slots=True)
class Estimate:
    """A score of 0 to 1 with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """A C that was tried, and what its models made of the texts that they had not seen."""

    c: float
    log_loss: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class OutOfFold:
    """The probabilities of each text from the model that had not seen it, at the C with the least log loss."""

    c: float
    folds: int
    candidates: tuple[Candidate, ...]
    scores: Floats  # (N, C)
    truths: Ints  # (N,), numbers of classes

    @property
    def predicted(self) -> Ints:
        """The number of the most probable class of each text, shape (N,)."""
        found: Ints = self.scores.argmax(axis=1)
        return found

    @property
    def confidence(self) -> Floats:
        """The probability of that class, shape (N,)."""
        found: Floats = self.scores.max(axis=1)
        return found


def cross_validate(
    vectors: Floats, truths: Ints, folds: int, candidates: Sequence[float], class_weight: ClassWeight | None
) -> OutOfFold:
    """Fit each candidate on all folds but one, in turn, and keep the one that is best on the texts left out.

    The best has the least log loss, not the most right answers: its probabilities decide when to abstain. Folds are
    stratified and always the same ones.

    Args:
        vectors: Shape (N, D).
        truths: Numbers of classes, shape (N,); each is there at least `folds` times.
        folds: 2 or more.
        candidates: Values of C.
        class_weight: As for `LogisticRegression`.
    """
    splits = scikit(PURPOSE, "model_selection").StratifiedKFold(folds, shuffle=True, random_state=SEED)
    ordered = sorted(candidates)
    scores = np.empty((len(ordered), len(truths), int(truths.max()) + 1), np.float32)
    for seen, unseen in splits.split(vectors, truths):
        for place, c in enumerate(ordered):
            # no warm start: begun at the result for 100, the regression for 1,000 stops at once, within tolerance
            regression = _regression(c, class_weight)
            _fit(regression, vectors[seen], truths[seen])
            scores[place, unseen] = regression.predict_proba(vectors[unseen])
    tried = tuple(_candidate(c, found, truths) for c, found in zip(ordered, scores, strict=True))
    best = min(range(len(tried)), key=lambda place: tried[place].log_loss)
    return OutOfFold(ordered[best], folds, tried, scores[best], truths)


def fit_regression(vectors: Floats, truths: Ints, c: float, class_weight: ClassWeight | None) -> tuple[Floats, Floats]:
    """Fit a logistic regression on all texts.

    Returns:
        Coefficients (C, D) and intercepts (C,) whose softmax gives the probabilities, also of two classes.
    """
    regression = _regression(c, class_weight)
    _fit(regression, vectors, truths)
    if int(regression.n_iter_.max()) >= MAX_ITER:
        warn_caller(
            f"the regression with c={c:g} had not settled after {MAX_ITER:,} steps; it can be used, and a smaller c "
            f"settles.",
            GtekitWarning,
        )
    coefficients = np.asarray(regression.coef_, np.float32)
    intercepts = np.asarray(regression.intercept_, np.float32)
    if len(coefficients) == 1:  # of two classes scikit-learn keeps the second alone: softmax of (0, x) is its sigmoid
        coefficients = np.vstack([np.zeros_like(coefficients), coefficients])
        intercepts = np.append(np.zeros_like(intercepts), intercepts)
    return coefficients, intercepts


def estimate_scores(predicted: Ints, truths: Ints, classes: int) -> tuple[Estimate, Estimate]:
    """Give accuracy and macro-F1 with 95 % intervals.

    That of accuracy is Wilson's, which says something also where no text is wrong. That of macro-F1 holds 95 % of the
    draws of as many texts with replacement: of a classifier without an error, 1 to 1.

    Source:
        Efron & Tibshirani 1993, chapter 13. A draw of texts is a draw
        of cells of the confusion matrix.
    """
    cells, counts = np.unique(truths * classes + predicted, return_counts=True)
    drawn = np.random.default_rng(SEED).multinomial(len(truths), counts / len(truths), size=RESAMPLES)
    rows = np.vstack([counts, drawn]).astype(np.float64)  # (1 + R, cells), what was found first
    is_truth = (cells // classes)[:, None] == np.arange(classes)
    is_predicted = (cells % classes)[:, None] == np.arange(classes)
    right = rows @ (is_truth & is_predicted)
    named = rows @ is_truth.astype(np.float64) + rows @ is_predicted.astype(np.float64)
    f1 = np.divide(
        2 * right, named, out=np.full_like(right, np.nan), where=named > 0
    )  # a class that no draw has: left out
    macro_f1 = np.nanmean(f1, axis=1)
    low, high = np.quantile(macro_f1[1:], [0.025, 0.975])
    certainly = int(right[0].sum())
    accuracy = Estimate(certainly / len(truths), *wilson(certainly, len(truths)))
    return accuracy, Estimate(float(macro_f1[0]), float(low), float(high))


def load_sklearn() -> None:
    """Make sure that a classifier can be fitted.

    Raises:
        MissingExtraError: If scikit-learn is not installed.
    """
    scikit(PURPOSE, "linear_model")


def _regression(c: float, class_weight: ClassWeight | None) -> Any:  # noqa: ANN401 - scikit-learn has no types
    module = scikit(PURPOSE, "linear_model")
    return module.LogisticRegression(C=c, max_iter=MAX_ITER, class_weight=class_weight)


def _fit(regression: Any, vectors: Floats, truths: Ints) -> None:  # noqa: ANN401
    with one_thread(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of steps that ran out: said once, for the model that is kept
        regression.fit(vectors, truths)


def _candidate(c: float, scores: Floats, truths: Ints) -> Candidate:
    of_truth = scores[np.arange(len(truths)), truths].astype(np.float64)
    log_loss = -np.log(np.maximum(of_truth, np.finfo(np.float32).tiny)).mean()
    return Candidate(c, float(log_loss), float((scores.argmax(axis=1) == truths).mean()))
