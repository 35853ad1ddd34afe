"""Numbers of clusters: by size, whatever the method called them."""

import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gtekit.tasks.clusters import cluster_vectors
from gtekit.tasks.clusters.result import order_labels
from tests.tasks.clusters.blobs import blobs, same_groups

LABELS = st.lists(st.integers(-1, 6), max_size=40).map(lambda labels: np.array(labels, np.int64))


@given(LABELS)
def test_the_largest_cluster_is_0_and_rows_stay_together(labels: np.ndarray) -> None:
    ordered = order_labels(labels)
    assert ((ordered == -1) == (labels == -1)).all()
    assert same_groups(labels, ordered)
    sizes = np.bincount(ordered[ordered >= 0])
    assert (np.diff(sizes) <= 0).all()
    assert (sizes > 0).all()
    first = [int(np.flatnonzero(ordered == number)[0]) for number in range(len(sizes))]
    ties = np.flatnonzero(np.diff(sizes) == 0)
    assert all(first[tie] < first[tie + 1] for tie in ties)


@given(LABELS, st.permutations(range(7)))
def test_the_names_that_a_method_gives_its_clusters_do_not_matter(labels: np.ndarray, other: list[int]) -> None:
    renamed = np.where(labels < 0, -1, np.array(other)[labels])
    assert (order_labels(renamed) == order_labels(labels)).all()


def test_a_row_between_two_clusters_has_no_confidence_and_one_at_the_centre_has_all() -> None:
    left, right = np.eye(2, dtype=np.float32)
    between = (left + right) / np.float32(2**0.5)
    found = cluster_vectors(np.array([left] * 9 + [right] * 9 + [between]), clusters=2)
    assert found.confidences[9 if found.labels[-1] == 0 else 0] > 0.9
    assert abs(found.confidences[-1]) < 0.2


def test_a_summary_is_json_and_counts_every_row_once() -> None:
    vectors, _ = blobs(4, 20)
    summary = json.loads(json.dumps(cluster_vectors(vectors, method="hdbscan").to_dict(), allow_nan=False))
    assert sum(cluster["size"] for cluster in summary["clusters"]) + summary["unassigned"] == summary["texts"] == 74
    summary = json.loads(json.dumps(cluster_vectors(vectors).to_dict(), allow_nan=False))
    assert summary["count_choice"]["best"] == len(summary["clusters"]) == 4
