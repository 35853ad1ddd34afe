"""Triples: whether the text that belongs to the anchor is nearer than the one that does not."""

import numpy as np

from gtekit.cosines import similarity_pairwise
from gtekit.evaluation.own_data.data import Triples
from gtekit.evaluation.own_data.findings import Findings, count_empty, count_things, note_of_empty
from gtekit.evaluation.own_data.misses import MOST_MISSES, TripleMiss
from gtekit.evaluation.own_data.model import Encoder
from gtekit.evaluation.samples import Samples


def measure_triples(encoder: Encoder, triples: Triples) -> Findings:
    """Measure triples. Equal cosines count as wrong."""
    count = len(triples.anchors)
    embeddings = encoder.encode([*triples.anchors, *triples.positives, *triples.negatives])
    anchors, positives, negatives = embeddings[:count], embeddings[count : 2 * count], embeddings[2 * count :]
    near = similarity_pairwise(anchors, positives).astype(np.float64)
    far = similarity_pairwise(anchors, negatives).astype(np.float64)
    margins = near - far
    correct = Samples("mean", (margins > 0).astype(np.float64))
    worst = [int(row) for row in np.argsort(margins, kind="stable")[:MOST_MISSES] if margins[row] <= 0]
    empty = count_empty(triples.anchors, triples.positives, triples.negatives)
    ties = int((margins == 0).sum())
    return Findings(
        scores={"accuracy": float(correct.values.mean()), "mean_margin": float(margins.mean())},
        samples={"accuracy": correct, "mean_margin": Samples("mean", margins)},
        misses=tuple(
            TripleMiss(
                place=triples.places[row],
                anchor=triples.anchors[row],
                positive=triples.positives[row],
                negative=triples.negatives[row],
                positive_cosine=float(near[row]),
                negative_cosine=float(far[row]),
            )
            for row in worst
        ),
        counts={"triples": count, "ties": ties, "empty_texts": empty},
        notes=(
            f"{count_things(ties, 'triple has', 'triples have')} equal cosines, which counts as wrong" if ties else "",
            note_of_empty(empty),
        ),
    )
