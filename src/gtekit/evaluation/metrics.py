"""The measures of quality, each computed by the library that the field computes it with; nothing is rewritten here.

The only file that imports scipy, scikit-learn and pytrec_eval, all of the extra "metrics".
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
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


def average_precision(scores: Array, labels: Array) -> float:
    """Give the area under precision and recall, 0 to 1, without interpolation. At least one label has to be 1."""
    return float(_sklearn_metrics().average_precision_score(labels, scores))


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
        statistic: From such arrays to a number.
        resamples: How many draws.
        confidence: The share of draws inside the interval.
        is_vectorized: Whether `statistic` takes an `axis`.
    """
    found = _scipy_stats().bootstrap(
        tuple(data),
        statistic,
        paired=len(data) > 1,
        vectorized=is_vectorized,
        n_resamples=resamples,
        batch=max(1, 4_000_000 // len(data[0])) if is_vectorized else 1,
        confidence_level=confidence,
        method="percentile",
        rng=np.random.default_rng(SEED),
    )
    return float(found.confidence_interval.low), float(found.confidence_interval.high)


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


def _pytrec_eval() -> ModuleType:
    try:
        import pytrec_eval
    except ImportError:
        raise _missing("pytrec-eval-terrier") from None
    module: ModuleType = pytrec_eval
    return module


def _missing(package: str) -> MissingExtraError:
    return MissingExtraError("measuring quality", "metrics", package)
