"""Pairs: the order of cosines against people's values, or how well cosines tell 1 from 0."""

import numpy as np

from gtekit.cosines import similarity_pairwise
from gtekit.errors import ArgumentError
from gtekit.evaluation import metrics
from gtekit.evaluation.own_data.data import Pairs
from gtekit.evaluation.own_data.findings import Findings, count_empty, note_of_empty
from gtekit.evaluation.own_data.misses import MOST_MISSES, BinaryMiss, GradedMiss
from gtekit.evaluation.own_data.model import Encoder
from gtekit.evaluation.samples import Doubles, Samples


def measure_pairs(encoder: Encoder, pairs: Pairs) -> Findings:
    """Measure pairs: values all 0 or 1 are labels, others are grades.

    Raises:
        ArgumentError: If all pairs have the same value, or graded ones get the same cosine.
    """
    if (pairs.values == pairs.values[0]).all():
        raise ArgumentError(
            f"{pairs.source}: all {len(pairs.values):,} pairs have the value {pairs.values[0]:g}; with nothing to tell "
            f"apart there is no score. Add pairs of another value."
        )
    embeddings = encoder.encode([*pairs.first, *pairs.second])
    middle = len(pairs.first)
    cosines = similarity_pairwise(embeddings[:middle], embeddings[middle:]).astype(np.float64)
    return _binary(pairs, cosines) if pairs.is_binary else _graded(pairs, cosines)


def _graded(pairs: Pairs, cosines: Doubles) -> Findings:
    if (cosines == cosines[0]).all():
        raise ArgumentError(
            f"{pairs.source}: the model gives all {len(cosines):,} pairs the cosine {cosines[0]:.4f}, so they have no "
            f"order to compare. Are all texts empty or equal?"
        )
    ranks, model_ranks = metrics.ranks(pairs.values), metrics.ranks(cosines)
    disagreement = np.abs(ranks - model_ranks)
    worst = [row for row in _largest(disagreement) if disagreement[row] > 0]
    return Findings(
        scores={
            "spearman": metrics.spearman(cosines, pairs.values),
            "pearson": metrics.pearson(cosines, pairs.values),
        },
        samples={"spearman": Samples("spearman", cosines, pairs.values)},
        misses=tuple(
            GradedMiss(
                place=pairs.places[row],
                texts=(pairs.first[row], pairs.second[row]),
                value=float(pairs.values[row]),
                cosine=float(cosines[row]),
                rank=float(ranks[row]),
                model_rank=float(model_ranks[row]),
            )
            for row in worst
        ),
        counts=_counts(pairs),
        notes=(
            f"the values are graded, {pairs.values.min():g} to {pairs.values.max():g}: the order of the cosines is "
            f"compared with theirs",
            note_of_empty(count_empty(pairs.first, pairs.second)),
        ),
    )


def _binary(pairs: Pairs, cosines: Doubles) -> Findings:
    labels = pairs.values
    _, threshold = metrics.best_accuracy(cosines, labels)
    f1, f1_threshold = metrics.best_f1(cosines, labels)
    is_right = (cosines >= threshold) == (labels == 1)
    distance = np.where(is_right, -1.0, np.abs(cosines - threshold))
    correct = Samples("mean", is_right.astype(np.float64))
    worst = [row for row in _largest(distance) if not is_right[row]]
    return Findings(
        scores={
            "average_precision": metrics.average_precision(cosines, labels),
            "accuracy": float(correct.values.mean()),
            "f1": f1,
        },
        thresholds={"accuracy": threshold, "f1": f1_threshold},
        samples={"average_precision": Samples("average_precision", cosines, labels), "accuracy": correct},
        misses=tuple(
            BinaryMiss(
                place=pairs.places[row],
                texts=(pairs.first[row], pairs.second[row]),
                label=int(labels[row]),
                cosine=float(cosines[row]),
                threshold=threshold,
            )
            for row in worst
        ),
        counts={**_counts(pairs), "pairs_labelled_1": int((labels == 1).sum())},
        notes=(
            "the values are labels, all 0 or 1: the cosine should tell them apart; each threshold is the best one for "
            "these pairs",
            note_of_empty(count_empty(pairs.first, pairs.second)),
        ),
    )


def _counts(pairs: Pairs) -> dict[str, int]:
    return {"pairs": len(pairs.values), "empty_texts": count_empty(pairs.first, pairs.second)}


def _largest(values: Doubles) -> list[int]:
    return [int(row) for row in np.argsort(-values, kind="stable")[:MOST_MISSES]]
