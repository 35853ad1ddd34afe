"""How many clusters there are: k-means for a range of numbers, each judged by one criterion, the curve kept."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np

from gtekit.arrays import Array, Floats
from gtekit.cosines import l2_normalize
from gtekit.errors import ArgumentError
from gtekit.inputs import check_count
from gtekit.progress import Progress
from gtekit.tasks.clusters.reduce import are_alike, principal_components
from gtekit.tasks.clusters.settings import CRITERIA, Criterion, check_choice
from gtekit.tasks.scikit import one_thread, scikit
from gtekit.tasks.unit_vectors import normalized_rows

SAMPLE_ROWS = 2_000  # of a draw: a silhouette takes the distances of all its pairs
DRAWS = 3
BEGINNINGS = 2  # of k-means in a draw
FEWEST_ROWS = 4  # fewer are one cluster
MOST_CLUSTERS = 100
GROWTH = 1.12  # from one number that is tried to the next
# Among all numbers of a vector the silhouette hardly changes: 0.030 for 16 to 50 clusters of 5,229 subjects of twenty
# newsgroups, 0.031 for 2. In 20 components it has a peak, 0.123 at 16; in 10 at 10 (0.173), in 50 at 23 (0.072).
DIMENSIONS = 20


@dataclass(frozen=True, slots=True)
class CountChoice:
    """How a number of clusters was chosen."""

    criterion: Criterion
    counts: tuple[int, ...]  # those that were tried, ascending; none for fewer than four rows
    values: tuple[float, ...]  # of the criterion, mean over the draws; larger is better
    spreads: tuple[float, ...]  # standard deviation between the draws
    best: int  # the number with the largest value, of equal ones the smallest
    sample_rows: int  # rows of a draw

    def to_dict(self) -> dict[str, Any]:
        """Give everything as plain values, for JSON."""
        curve = zip(self.counts, self.values, self.spreads, strict=True)
        return {
            "criterion": self.criterion,
            "best": self.best,
            "sample_rows": self.sample_rows,
            "draws": DRAWS,
            "curve": [
                {"clusters": count, "value": round(value, 6), "spread": round(spread, 6)}
                for count, value, spread in curve
            ],
        }


def choose_count(
    vectors: Floats, *, counts: Sequence[int] | None = None, criterion: Criterion = "silhouette", seed: int = 42
) -> CountChoice:
    """Try numbers of clusters and give the one that the criterion finds best, with the whole curve.

    k-means runs on three draws of at most 2,000 rows, in 20 principal components of length 1.

    Args:
        vectors: Shape (N, D); lengths don't count.
        counts: The numbers to try; None: from 2 up to a third of the rows, 100 at most, in growing steps.
        criterion: "silhouette" compares the distance to the own cluster with that to the next one (Rousseeuw 1987);
            "calinski_harabasz" the spread between clusters with that within (1974), which falls steadily on text
            vectors and then finds 2.
        seed: Of draws and beginnings.

    Raises:
        ArgumentError: If a number is not between 2 and the rows of a draw minus 1, there is no such criterion, or a
            vector holds no finite numbers.
        ShapeError: If the vectors have no such shape.
    """
    check_choice("criterion", criterion, CRITERIA)
    vectors = normalized_rows(vectors)
    sample_rows = min(len(vectors), SAMPLE_ROWS)
    if len(vectors) < FEWEST_ROWS and counts is None:
        return CountChoice(criterion, (), (), (), min(len(vectors), 1), sample_rows)
    if counts is not None:
        _check_counts(counts, sample_rows)
    tried = sorted(set(counts)) if counts is not None else counts_to_try(len(vectors))
    if are_alike(vectors):
        return CountChoice(criterion, (), (), (), 1, sample_rows)
    space = l2_normalize(principal_components(vectors, DIMENSIONS, seed=seed))
    values = np.empty((DRAWS, len(tried)))
    with Progress(DRAWS * sample_rows) as progress:
        for draw in range(DRAWS):
            rows = np.random.default_rng(seed + draw).permutation(len(vectors))[:sample_rows]
            for place, count in enumerate(tried):
                values[draw, place] = _judge(space[rows], count, criterion, seed=(seed + draw) % 2**32)
            progress.update((draw + 1) * sample_rows, 0)
    means = values.mean(axis=0)
    if np.isneginf(means).all():  # hardly any rows differ
        return CountChoice(criterion, (), (), (), 1, sample_rows)
    is_valid = np.isfinite(means)
    return CountChoice(
        criterion,
        tuple(int(count) for count in np.asarray(tried)[is_valid]),
        tuple(map(float, means[is_valid])),
        tuple(map(float, values[:, is_valid].std(axis=0))),
        int(tried[int(means.argmax())]),
        sample_rows,
    )


def counts_to_try(rows: int) -> list[int]:
    """Give the numbers of clusters that are tried for so many rows: every one up to 9, then in growing steps."""
    most = max(2, min(MOST_CLUSTERS, rows // 3))
    counts = [2]
    while counts[-1] < most:
        counts.append(min(most, max(counts[-1] + 1, ceil(counts[-1] * GROWTH))))
    return counts


def _judge(rows: Floats, count: int, criterion: Criterion, *, seed: int) -> float:
    """Give the value of the criterion; minus infinity where fewer rows differ than there should be clusters."""
    measures = scikit("the number of clusters", "metrics")
    with one_thread(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # fewer different rows than clusters
        k_means = scikit("the number of clusters", "cluster").KMeans(count, n_init=BEGINNINGS, random_state=seed)
        labels: Array = k_means.fit(rows).labels_
        found = len(np.unique(labels))
        if found < count or found >= len(rows):
            return -np.inf
        measure = measures.silhouette_score if criterion == "silhouette" else measures.calinski_harabasz_score
        return float(measure(rows, labels))


def _check_counts(counts: Sequence[int], rows: int) -> None:
    if not counts:
        raise ArgumentError("counts is empty; name the numbers of clusters to try, such as range(2, 30).")
    for count in counts:
        check_count("counts", count, least=2, most=max(rows - 1, 2))
