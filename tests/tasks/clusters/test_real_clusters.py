"""all-MiniLM-L6-v2 on real texts: the score that the evaluation has, and how many of twenty newsgroups are found."""

import numpy as np
import pytest

import gtekit
from gtekit.arrays import Floats
from gtekit.tasks.clusters import choose_count, cluster_vectors
from tests.tasks.clusters.newsgroups import FILE, read_sets

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not FILE.is_file(), reason=f"needs MTEB's test set {FILE}"),
]
EVALUATED = 46.20  # benchmarks/results/evaluation: MTEB's own evaluator on float32 vectors of the same texts
Sets = list[tuple[list[str], list[str]]]


@pytest.fixture(scope="module")
def sets() -> Sets:
    return read_sets()


@pytest.fixture(scope="module")
def vectors(minilm: gtekit.Embedder, sets: Sets) -> dict[str, Floats]:
    texts = sorted({text for texts, _ in sets for text in texts})
    return dict(zip(texts, minilm.encode(texts), strict=True))


def test_mini_batches_of_500_give_the_score_of_the_evaluation(sets: Sets, vectors: dict[str, Floats]) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    scores = []
    for texts, labels in sets:
        rows = np.stack([vectors[text] for text in texts])
        found = cluster_vectors(rows, clusters=len(set(labels)), batch_rows=500)
        scores.append(100 * metrics.v_measure_score(labels, found.labels))
    assert np.mean(scores) == pytest.approx(EVALUATED, abs=0.3)


def test_the_silhouette_finds_about_as_many_clusters_as_there_are_newsgroups(vectors: dict[str, Floats]) -> None:
    rows = np.stack(list(vectors.values()))
    assert 12 <= choose_count(rows).best <= 26
    assert choose_count(rows, criterion="calinski_harabasz").best == 2  # why it is not the default
