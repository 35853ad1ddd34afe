"""What comes out of clustering: the cluster of each row, and what each cluster is."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gtekit.arrays import Array, Floats, Ints
from gtekit.cosines import l2_normalize
from gtekit.tasks.clusters.count import CountChoice
from gtekit.tasks.clusters.settings import ClusterSettings
from gtekit.tasks.clusters.terms import Term

NONE = -1  # the label of a row that is in no cluster
REPRESENTATIVES = 5
BLOCK_ROWS = 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """One group of rows."""

    number: int  # from 0, the largest first
    name: str  # its most telling terms; "cluster 0" where no texts are known
    size: int
    representatives: tuple[int, ...]  # the rows nearest to the centre, nearest first
    terms: tuple[Term, ...] = ()  # most telling first


@dataclass(frozen=True, slots=True, kw_only=True)
class Clusters:
    """All groups of a set of rows."""

    labels: Ints  # (N,), the number of a row's cluster; -1: none
    centers: Floats  # (K, D), length 1
    similarities: Floats  # (N,), cosine of a row to the centre of its cluster; NaN: it has none
    confidences: Floats  # (N,), 1 - distance to its centre / distance to the nearest other; NaN: one of them is missing
    clusters: tuple[Cluster, ...]
    settings: ClusterSettings
    count_choice: CountChoice | None = None  # how the number of clusters was found, where nobody said it
    threshold: float | None = None  # of communities: the one that was used

    def __len__(self) -> int:
        return len(self.clusters)

    @property
    def names(self) -> tuple[str, ...]:
        """The name of each cluster."""
        return tuple(cluster.name for cluster in self.clusters)

    @property
    def unassigned(self) -> int:
        """How many rows are in no cluster."""
        return int(np.count_nonzero(self.labels == NONE))

    def with_terms(self, terms: Sequence[Sequence[Term]], names: Sequence[str]) -> "Clusters":
        """Give the same clusters under names, each with the terms behind it."""
        named = (
            replace(cluster, terms=tuple(own), name=name)
            for cluster, own, name in zip(self.clusters, terms, names, strict=True)
        )
        return replace(self, clusters=tuple(named))

    def to_dict(self) -> dict[str, Any]:
        """Give the clusters, not the rows, as plain values for JSON."""
        choice = self.count_choice
        return {
            "method": self.settings.method,
            "texts": len(self.labels),
            "unassigned": self.unassigned,
            "threshold": self.threshold,
            "count_choice": choice.to_dict() if choice else None,
            "clusters": [
                {
                    "cluster": cluster.number,
                    "name": cluster.name,
                    "size": cluster.size,
                    "terms": [{"term": term.text, "weight": round(term.weight, 4)} for term in cluster.terms],
                    "representatives": list(cluster.representatives),
                }
                for cluster in self.clusters
            ],
        }


def describe_clusters(vectors: Floats, labels: Ints, settings: ClusterSettings) -> Clusters:
    """Give clusters, the largest first and of equal ones that with the earliest row, with all that follows from them.

    Args:
        vectors: Shape (N, D), normalized.
        labels: Shape (N,), any numbers from 0 up; -1 for none. What is not there is no cluster.
        settings: How the labels were found.
    """
    ordered = order_labels(labels)
    count = int(ordered.max(initial=NONE)) + 1
    centers = _centers(vectors, ordered, count)
    similarities, confidences = _closeness(vectors, ordered, centers)
    clusters = []
    for number in range(count):
        rows = np.flatnonzero(ordered == number)
        nearest = rows[np.argsort(-similarities[rows], kind="stable")[:REPRESENTATIVES]]
        clusters.append(
            Cluster(number=number, name=f"cluster {number}", size=len(rows), representatives=tuple(map(int, nearest)))
        )
    return Clusters(
        labels=ordered,
        centers=centers,
        similarities=similarities,
        confidences=confidences,
        clusters=tuple(clusters),
        settings=settings,
    )


def order_labels(labels: Array) -> Ints:
    """Number clusters anew: 0 is the largest, of equal ones that with the earliest row; -1 stays."""
    ordered = np.full(len(labels), NONE, np.int64)
    found, first, places, sizes = np.unique(labels, return_index=True, return_inverse=True, return_counts=True)
    order = np.lexsort((first, -sizes))
    order = order[found[order] != NONE]
    numbers = np.full(len(found), NONE, np.int64)
    numbers[order] = np.arange(len(order))
    if len(found):
        ordered[:] = numbers[places.reshape(-1)]
    return ordered


def _centers(vectors: Floats, labels: Ints, count: int) -> Floats:
    sums = np.zeros((count, vectors.shape[1]), np.float64)
    for number in range(count):
        sums[number] = vectors[labels == number].sum(axis=0, dtype=np.float64)
    return l2_normalize(sums.astype(np.float32))


def _closeness(vectors: Floats, labels: Ints, centers: Floats) -> tuple[Floats, Floats]:
    """Give cosine and confidence of each row, by blocks: the cosines to all centres are never held at once.

    The confidence is the simplified silhouette (Hruschka, de Castro and Campello 2004) with the distance of unit
    vectors, sqrt(2 - 2 cos): 0 on the border between two clusters, 1 at a centre, below 0 nearer to another one.
    """
    similarities = np.full(len(vectors), np.nan, np.float32)
    confidences = np.full(len(vectors), np.nan, np.float32)
    for begin in range(0, len(vectors), BLOCK_ROWS):
        rows = begin + np.flatnonzero(labels[begin : begin + BLOCK_ROWS] != NONE)
        if not len(rows):
            continue
        cosines = np.clip(vectors[rows] @ centers.T, -1, 1)
        places = np.arange(len(rows))
        similarities[rows] = cosines[places, labels[rows]]
        if len(centers) == 1:
            continue
        cosines[places, labels[rows]] = -np.inf
        own = np.sqrt(2 - 2 * similarities[rows])
        other = np.sqrt(2 - 2 * cosines.max(axis=1))
        largest = np.maximum(own, other)
        confidences[rows] = np.divide(other - own, largest, out=np.zeros_like(own), where=largest > 0)
    return similarities, confidences
