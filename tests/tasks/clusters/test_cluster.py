"""The three methods on vectors whose groups are known, and texts through a real model."""

from pathlib import Path

import numpy as np
import pytest

import gtekit
from gtekit.errors import ArgumentError, GtekitWarning, ShapeError, TextTypeError, TruncationError
from gtekit.tasks.clusters import cluster, cluster_vectors, name_clusters
from tests.tasks.clusters.blobs import blobs, same_groups, subject_texts


@pytest.mark.parametrize(
    "settings",
    [
        {"method": "kmeans", "clusters": 5},
        {"method": "kmeans"},
        {"method": "kmeans", "clusters": 5, "batch_rows": 64},
        {"method": "hdbscan"},
        {"method": "communities", "threshold": 0.7},
    ],
    ids=str,
)
def test_every_method_finds_groups_that_lie_apart(settings: dict[str, object]) -> None:
    vectors, truth = blobs(5, 40, spread=0.05)
    found = cluster_vectors(vectors, **settings)  # type: ignore[arg-type]
    assert same_groups(found.labels, truth)
    assert [cluster.size for cluster in found.clusters] == [40, 39, 38, 37, 36]
    assert found.unassigned == 0
    assert np.isfinite(found.confidences).all()
    assert (found.confidences > 0.5).all()


def test_clusters_are_described_by_their_rows() -> None:
    vectors, _ = blobs(3, 20)
    found = cluster_vectors(vectors, clusters=3)
    for one in found.clusters:
        rows = np.flatnonzero(found.labels == one.number)
        center = vectors[rows].mean(axis=0)
        center /= np.linalg.norm(center)
        assert np.allclose(found.centers[one.number], center, atol=1e-6)
        assert np.allclose(found.similarities[rows], vectors[rows] @ center, atol=1e-6)
        nearest = rows[np.argsort(-(vectors[rows] @ center), kind="stable")[:5]]
        assert one.representatives == tuple(nearest)
        assert one.size == len(rows)
        assert one.name == f"cluster {one.number}"


@pytest.mark.parametrize("method", ["kmeans", "hdbscan", "communities"])
def test_the_same_seed_gives_the_same_labels(method: str) -> None:
    vectors, _ = blobs(6, 30, spread=0.3)
    settings = {"method": method, "min_size": 4, **({"clusters": 6} if method == "kmeans" else {})}
    once, again = (cluster_vectors(vectors, **settings) for _ in range(2))  # type: ignore[arg-type]
    assert (once.labels == again.labels).all()


def test_lengths_of_vectors_do_not_count() -> None:
    vectors, _ = blobs(3, 20)
    lengths = np.linspace(0.1, 9, len(vectors), dtype=np.float32)[:, None]
    assert (cluster_vectors(vectors, clusters=3).labels == cluster_vectors(vectors * lengths, clusters=3).labels).all()


def test_rows_far_from_all_others_are_in_no_cluster() -> None:
    vectors, _ = blobs(3, 30, spread=0.03)
    scattered, _ = blobs(12, 12, seed=99)
    everything = np.concatenate([vectors, scattered[:20]])
    for settings in ({"method": "hdbscan"}, {"method": "communities", "threshold": 0.9}):
        found = cluster_vectors(everything, **settings)
        alone = found.labels == -1
        assert alone[len(vectors) :].mean() > 0.5
        assert not alone[: len(vectors)].any()
        assert (np.isnan(found.similarities) == alone).all()
        assert found.unassigned == alone.sum()


def test_real_texts_fall_into_their_subjects_and_have_their_words_for_names(minilm: gtekit.Embedder) -> None:
    texts, subjects = subject_texts()
    found = cluster(minilm, texts, clusters=4)
    assert same_groups(found.labels, np.unique(subjects, return_inverse=True)[1])
    expected = {"billing": "invoice", "shipping": "parcel", "password": "password", "cooking": "bread"}
    for one in found.clusters:
        (subject,) = {subjects[row] for row in np.flatnonzero(found.labels == one.number)}
        assert expected[subject] in one.name


def test_options_of_encode_go_through(tiny_checkpoint: Path) -> None:
    model = gtekit.load(tiny_checkpoint, language_warning=False)
    texts = ["word " * 300, "another"]
    with pytest.raises(TruncationError):
        cluster(model, texts, clusters=1, encode={"on_truncation": "error"})
    found = cluster(model, texts, clusters=1, encode={"on_truncation": "chunk", "dimensions": 8})
    assert found.centers.shape == (1, 8)


def test_real_texts_are_counted_right_without_a_number(minilm: gtekit.Embedder) -> None:
    texts, _ = subject_texts()
    assert len(cluster(minilm, texts)) == 4


def test_few_and_equal_rows_are_no_error() -> None:
    one = np.ones((1, 8), np.float32)
    assert len(cluster_vectors(np.empty((0, 8), np.float32))) == 0
    assert cluster_vectors(one).labels.tolist() == [0]
    assert cluster_vectors(np.repeat(one, 30, axis=0)).labels.tolist() == [0] * 30
    assert np.isnan(cluster_vectors(one).confidences).all()


def test_fewer_different_rows_than_clusters_are_said() -> None:
    vectors = np.repeat(np.eye(3, dtype=np.float32), 5, axis=0)
    with pytest.warns(GtekitWarning, match="the vectors fall into 3 clusters, not 5"):
        found = cluster_vectors(vectors, clusters=5)
    assert len(found) == 3


@pytest.mark.parametrize("method", ["hdbscan", "communities"])
def test_no_cluster_at_all_is_said(method: str) -> None:
    with pytest.warns(GtekitWarning, match="no cluster was found among 4 texts"):
        assert len(cluster_vectors(np.eye(4, dtype=np.float32), method=method)) == 0  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"method": "ward"}, "method='ward' is not possible; choose from: 'kmeans', 'hdbscan', 'communities'"),
        ({"clusters": 0}, "clusters=0 is not possible"),
        ({"clusters": 61}, "clusters=61 is more than the 57 texts"),
        ({"method": "hdbscan", "clusters": 3}, 'clusters=3 is an option of method="kmeans"'),
        ({"threshold": 0.5}, 'threshold=0.5 is an option of method="communities"'),
        ({"method": "communities", "threshold": 2}, "threshold=2 is not possible; choose a cosine"),
        ({"min_size": 1}, "min_size=1 is not possible"),
        ({"cluster": 3}, "unknown option 'cluster'"),
        ({"criterion": "elbow"}, "criterion='elbow' is not possible"),
        ({"seed": -1}, "seed=-1 is not possible"),
    ],
)
def test_settings_that_mean_nothing_are_refused(settings: dict[str, object], message: str) -> None:
    vectors, _ = blobs(3, 20)
    with pytest.raises(ArgumentError) as caught:
        cluster_vectors(vectors, **settings)  # type: ignore[arg-type]
    assert message in str(caught.value)


def test_what_is_no_vector_and_no_text_is_refused(minilm: gtekit.Embedder) -> None:
    with pytest.raises(ArgumentError, match=r"vectors\[1\] holds numbers that are not finite"):
        cluster_vectors(np.array([[1, 0], [np.nan, 1]], np.float32))
    with pytest.raises(ShapeError):
        cluster_vectors(np.ones(5, np.float32))
    with pytest.raises(TextTypeError):
        cluster(minilm, ["a", None])  # type: ignore[list-item]
    with pytest.raises(ArgumentError, match="2 texts for 57 rows"):
        name_clusters(cluster_vectors(blobs(3, 20)[0], clusters=3), ["a", "b"])
