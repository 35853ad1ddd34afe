"""The measures of quality, each computed by the library that the field computes it with; nothing is rewritten here.

The only file that imports scipy, scikit-learn and pytrec_eval, all of the extra "metrics".
"""

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.util import find_spec
from types import ModuleType

import numpy as np

from gtekit.arrays import Array
from gtekit.errors import MissingExtraError

SEED = 42

Qrels = Mapping[str, Mapping[str, int]]  # by query: relevance by document
Run = Mapping[str, Mapping[str, float]]  # by query: score by document, larger is closer


def spearman(predicted: Array, truth: Array) -> float:
    """Correlate ranks, -1 to 1; ties share their mean rank. Not a number where either side is constant."""
    return float(_scipy_stats().spearmanr(predicted, truth).statistic)


def spearman_with_p(predicted: Sequence[float], truth: Sequence[float]) -> tuple[float, float]:
    """Give the correlation of ranks and its p value."""
    found = _scipy_stats().spearmanr(predicted, truth)
    return float(found.statistic), float(found.pvalue)


def pearson(predicted: Array, truth: Array) -> float:
    """Correlate values, -1 to 1. Not a number where either side is constant."""
    return float(_scipy_stats().pearsonr(predicted, truth).statistic)


def ranks(values: Array) -> Array:
    """Number values from the largest, which is 1, down; ties share their mean rank."""
    found: Array = _scipy_stats().rankdata(-values)
    return found


def average_precision(scores: Array, labels: Array) -> float:
    """Give the area under precision and recall, 0 to 1, without interpolation. At least one label has to be 1."""
    return float(_sklearn_metrics().average_precision_score(labels, scores))


def best_accuracy(scores: Array, labels: Array) -> tuple[float, float]:
    """Give the best accuracy that one threshold reaches, 0 to 1, and the threshold: from there on a label is 1.

    Both labels have to be there.
    """
    falsely, truly, thresholds = _sklearn_metrics().roc_curve(labels, scores, drop_intermediate=False)
    share = float(labels.mean())
    accuracies = (truly * share + (1 - falsely) * (1 - share)).round(12)  # equal ones are equal: the highest threshold
    best = int(accuracies.argmax())
    return float(accuracies[best]), _below(scores, float(thresholds[best]))


def best_f1(scores: Array, labels: Array) -> tuple[float, float]:
    """Give the best F1 that one threshold reaches, 0 to 1, and the threshold: from there on a label is 1.

    At least one label has to be 1.
    """
    precision, recall, thresholds = _sklearn_metrics().precision_recall_curve(labels, scores)
    f1 = 2 * precision * recall / np.maximum(precision + recall, np.finfo(np.float64).tiny)
    best = int(f1[:-1].argmax())  # the last point of the curve has no threshold
    return float(f1[best]), _below(scores, float(thresholds[best]))


def k_means(embeddings: Array, clusters: int) -> Array:
    """Give the cluster of each vector, shape (N,): the best of ten beginnings, always the same ones."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # fewer different vectors than clusters: some clusters stay empty
        found: Array = _sklearn_models().cluster.KMeans(clusters, n_init=10, random_state=SEED).fit_predict(embeddings)
    return found


def predict_labels(embeddings: Array, labels: Array, folds: int) -> tuple[Array, Array]:
    """Predict the label of each vector by logistic regression that has not seen it.

    Args:
        embeddings: Shape (N, D).
        labels: Shape (N,), whole numbers; each is there at least `folds` times.
        folds: Of the stratified cross-validation, always the same ones.

    Returns:
        The predicted labels and how probable each was found, both of shape (N,).
    """
    sklearn = _sklearn_models()
    splits = sklearn.model_selection.StratifiedKFold(folds, shuffle=True, random_state=SEED)
    regression = sklearn.linear_model.LogisticRegression(max_iter=1000)
    found: Array = sklearn.model_selection.cross_val_predict(
        regression, embeddings, labels, cv=splits, method="predict_proba"
    )
    return np.unique(labels)[found.argmax(axis=1)], found.max(axis=1)


def v_measure(labels: Sequence[object], clusters: Sequence[int]) -> float:
    """Give the harmonic mean of homogeneity and completeness, 0 to 1."""
    return float(_sklearn_metrics().v_measure_score(labels, clusters))


def rank(qrels: Qrels, run: Run, measures: Iterable[str]) -> dict[str, dict[str, float]]:
    """Judge rankings as trec_eval does.

    Args:
        qrels: What is relevant, graded from 1 up; queries without a judgement are left out.
        run: What was found. A query of `qrels` that is missing here is missing in the result.
        measures: In the words of trec_eval, such as ndcg_cut.10, recall.100, map, recip_rank.

    Returns:
        By query: the value of each measure, 0 to 1, under trec_eval's own names (ndcg_cut_10).
    """
    evaluator = _pytrec_eval().RelevanceEvaluator({query: dict(found) for query, found in qrels.items()}, set(measures))
    judged: dict[str, dict[str, float]] = evaluator.evaluate({query: dict(found) for query, found in run.items()})
    return judged


def bootstrap_interval(
    data: Sequence[Array],
    statistic: Callable[..., object],
    *,
    resamples: int,
    confidence: float = 0.95,
    is_vectorized: bool = False,
) -> tuple[float, float]:
    """Give the percentile interval of a statistic by drawing items again with replacement.

    Args:
        data: Arrays of shape (n,), drawn from together: item i of one belongs to item i of the others.
        statistic: From such arrays to a number; NaN where a draw can't be judged, which is then left out.
        resamples: How many draws.
        confidence: The share of draws inside the interval.
        is_vectorized: Whether `statistic` takes an `axis`.

    Returns:
        The two ends; NaN where no draw can be judged.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of draws that can't be judged
        found = _scipy_stats().bootstrap(
            tuple(data),
            statistic,
            paired=len(data) > 1,
            vectorized=is_vectorized,
            n_resamples=resamples,
            batch=max(1, 4_000_000 // len(data[0])) if is_vectorized else 1,
            method="percentile",
            rng=np.random.default_rng(SEED),
        )
    judged = found.bootstrap_distribution[~np.isnan(found.bootstrap_distribution)]
    if not len(judged):
        return float("nan"), float("nan")
    tail = (1 - confidence) / 2
    low, high = np.quantile(judged, [tail, 1 - tail])
    return float(low), float(high)


def check_installed() -> None:
    """Make sure, ahead of long work, that what measures its result is there.

    Raises:
        MissingExtraError: If it is not.
    """
    for module, package in (("scipy", "scipy"), ("sklearn", "scikit-learn"), ("pytrec_eval", "pytrec-eval-terrier")):
        if find_spec(module) is None:
            raise _missing(package)


def _below(scores: Array, threshold: float) -> float:
    """Move a threshold, which is one of the scores, halfway to the next lower one; infinity to above them all."""
    if not np.isfinite(threshold):
        return float(np.nextafter(scores.max(), np.inf))
    lower = scores[scores < threshold]
    return (threshold + float(lower.max())) / 2 if len(lower) else threshold


def _scipy_stats() -> ModuleType:
    try:
        import scipy.stats
    except ImportError:
        raise _missing("scipy") from None
    module: ModuleType = scipy.stats
    return module


def _sklearn_metrics() -> ModuleType:
    try:
        import sklearn.metrics
    except ImportError:
        raise _missing("scikit-learn") from None
    module: ModuleType = sklearn.metrics
    return module


def _sklearn_models() -> ModuleType:
    try:
        import sklearn.cluster
        import sklearn.linear_model
        import sklearn.model_selection
    except ImportError:
        raise _missing("scikit-learn") from None
    module: ModuleType = sklearn
    return module


def _pytrec_eval() -> ModuleType:
    try:
        import pytrec_eval
    except ImportError:
        raise _missing("pytrec-eval-terrier") from None
    module: ModuleType = pytrec_eval
    return module


def _missing(package: str) -> MissingExtraError:
    return MissingExtraError("measuring quality", "metrics", package)
