"""Labelled texts: whether clusters follow the labels, and whether a linear classifier finds them."""

from collections import Counter

import numpy as np

from gtekit.errors import ArgumentError
from gtekit.evaluation import metrics
from gtekit.evaluation.own_data.data import Labelled
from gtekit.evaluation.own_data.findings import Findings, count_empty, note_of_empty
from gtekit.evaluation.own_data.misses import MOST_MISSES, LabelMiss
from gtekit.evaluation.own_data.model import Encoder
from gtekit.evaluation.samples import Samples

FOLDS = 5


def measure_labelled(encoder: Encoder, data: Labelled) -> Findings:
    """Measure labelled texts: k-means, and logistic regression in stratified cross-validation.

    Raises:
        ArgumentError: If there is one label only, or one with a single text.
    """
    folds = _folds(data)
    names, labels = np.unique(np.array(data.labels, dtype=object), return_inverse=True)
    embeddings = encoder.encode(data.texts)
    clusters = metrics.k_means(embeddings, len(names))
    predicted, confidence = metrics.predict_labels(embeddings, labels, folds)
    correct = Samples("mean", (predicted == labels).astype(np.float64))
    wrong = np.where(predicted == labels, -1.0, confidence)
    worst = [int(row) for row in np.argsort(-wrong, kind="stable")[:MOST_MISSES] if wrong[row] >= 0]
    empty = count_empty(data.texts)
    return Findings(
        scores={
            "accuracy": float(correct.values.mean()),
            "v_measure": metrics.v_measure(labels.tolist(), clusters.tolist()),
        },
        samples={"accuracy": correct},
        misses=tuple(
            LabelMiss(
                place=data.places[row],
                text=data.texts[row],
                label=data.labels[row],
                predicted=str(names[predicted[row]]),
                confidence=float(confidence[row]),
            )
            for row in worst
        ),
        counts={"texts": len(labels), "labels": len(names), "folds": folds, "empty_texts": empty},
        notes=(
            f"accuracy of logistic regression in {folds}-fold cross-validation; v-measure of k-means with "
            f"{len(names):,} clusters",
            note_of_empty(empty),
        ),
    )


def _folds(data: Labelled) -> int:
    counts = Counter(data.labels)
    if len(counts) == 1:
        raise ArgumentError(
            f"{data.source}: all {len(data.labels):,} texts have the label {data.labels[0]!r}; with nothing to tell "
            f"apart there is no score. Add texts of another label."
        )
    rarest, fewest = min(counts.items(), key=lambda entry: entry[1])
    if fewest == 1:
        place = data.places[data.labels.index(rarest)]
        single = sum(count == 1 for count in counts.values())
        more = f" ({single - 1:,} more labels have one)" if single > 1 else ""
        raise ArgumentError(
            f"{data.source}, {place}: the label {rarest!r} has one text only{more}; a classifier can't learn it and be "
            f"tested on it as well. Add texts of this label, or leave it out."
        )
    return min(FOLDS, fewest)
