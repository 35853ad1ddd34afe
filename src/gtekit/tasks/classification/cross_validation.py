"""How well a classifier does on texts that it has not seen: stratified folds, and the C that suits the data."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Literal, TypeAlias

import numpy as np

from gtekit.arrays import Floats, Ints
from gtekit.errors import GtekitWarning, MissingExtraError
from gtekit.notices import warn_caller

ClassWeight: TypeAlias = Literal["balanced"]
CANDIDATES = (0.1, 1.0, 10.0, 100.0)  # with 1,000 Banking77 loses 0.6 points of accuracy to 100, and takes longer
FOLDS = 5
SEED = 42
MAX_ITER = 1000
RESAMPLES = 1000
Z_95 = 1.959964  # standard deviations on both sides of the mean that hold 95 % of a normal distribution


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
    sklearn = load_sklearn()
    splits = sklearn.model_selection.StratifiedKFold(folds, shuffle=True, random_state=SEED)
    ordered = sorted(candidates)
    scores = np.empty((len(ordered), len(truths), int(truths.max()) + 1), np.float32)
    for seen, unseen in splits.split(vectors, truths):
        for place, c in enumerate(ordered):
            # no warm start: begun at the result for 100, the regression for 1,000 stops at once, within tolerance
            regression = sklearn.linear_model.LogisticRegression(C=c, max_iter=MAX_ITER, class_weight=class_weight)
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
    regression = load_sklearn().linear_model.LogisticRegression(C=c, max_iter=MAX_ITER, class_weight=class_weight)
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
        Wilson 1927, doi:10.1080/01621459.1927.10502953; Efron & Tibshirani 1993, chapter 13. A draw of texts is a draw
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
    return _wilson(int(right[0].sum()), len(truths)), Estimate(float(macro_f1[0]), float(low), float(high))


def load_sklearn() -> ModuleType:
    """Give scikit-learn, with the parts that are used here.

    Raises:
        MissingExtraError: If it is not installed.
    """
    try:
        import sklearn.linear_model
        import sklearn.model_selection
    except ImportError:
        raise MissingExtraError("fitting a classifier", "tasks", "scikit-learn") from None
    module: ModuleType = sklearn
    return module


def _fit(regression: object, vectors: Floats, truths: Ints) -> None:
    """Fit on one thread: the same bits with any number of cores, and no threads that wait for each other.

    A fit of 616 texts with 77 labels takes 0.3 s so. With the threads of BLAS, on two cores that others kept busy, it
    had not ended after 55 s: they wait for each other by spinning.
    """
    from threadpoolctl import threadpool_limits  # comes with scikit-learn

    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of steps that ran out: said once, for the model that is kept
        regression.fit(vectors, truths)  # type: ignore[attr-defined]


def _candidate(c: float, scores: Floats, truths: Ints) -> Candidate:
    of_truth = scores[np.arange(len(truths)), truths].astype(np.float64)
    log_loss = -np.log(np.maximum(of_truth, np.finfo(np.float32).tiny)).mean()
    return Candidate(c, float(log_loss), float((scores.argmax(axis=1) == truths).mean()))


def _wilson(right: int, texts: int) -> Estimate:
    share, z2 = right / texts, Z_95**2
    middle = (share + z2 / (2 * texts)) / (1 + z2 / texts)
    half = Z_95 / (1 + z2 / texts) * float(np.sqrt(share * (1 - share) / texts + z2 / (4 * texts**2)))
    return Estimate(share, max(middle - half, 0.0), min(middle + half, 1.0))
