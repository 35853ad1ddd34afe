"""What a map of clusters shows, for the page and the picture alike."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gtekit.arrays import Floats, Ints
from gtekit.errors import ArgumentError
from gtekit.tasks.clusters.result import Clusters

METHOD_NAMES = {"kmeans": "k-means", "hdbscan": "HDBSCAN", "communities": "community detection"}
MOST_POINTS = 20_000  # that a page or picture shows; with their texts a page has about 3 MB then

# Any two are 18 or more apart (CIE 1976), also for those who lack one of the three cones (Machado, Oliveira and
# Fernandes 2009), and each has a contrast of 3.2 or more to its ground. Past six, shapes differ.
LIGHT = ("#2563c9", "#d86600", "#2f9c7c", "#a77dd4", "#1b325e", "#880f37")
DARK = ("#6e9bff", "#faa74c", "#9beeb6", "#9a62ad", "#e5eeff", "#e75767")
SHAPES = ("circle", "square", "triangle", "diamond")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterMap:
    """Points, their texts and clusters, and the words around them."""

    points: Floats  # (N, 2), from `layout`
    texts: Sequence[str]  # N of them
    clusters: Clusters
    title: str  # what is shown, "320 texts in 6 clusters"
    notes: Sequence[str]  # how it was made, a sentence or two each

    def __post_init__(self) -> None:
        if not len(self.points) == len(self.texts) == len(self.clusters.labels):
            raise ArgumentError(
                f"{len(self.points)} points, {len(self.texts)} texts and {len(self.clusters.labels)} labels; a map "
                f"needs as many of each."
            )

    @property
    def shown(self) -> Ints:
        """The rows that are drawn: all, or evenly spaced ones of too many."""
        count = min(len(self.points), MOST_POINTS)
        return np.linspace(0, len(self.points) - 1, count).astype(np.int64)


def map_title(clusters: Clusters) -> str:
    """Say what a map shows."""
    texts, count = len(clusters.labels), len(clusters)
    return f"{texts:,} text{'' if texts == 1 else 's'} in {count:,} cluster{'' if count == 1 else 's'}"


def method_note(clusters: Clusters, model: str) -> str:
    """Say how clusters came about."""
    settings, choice = clusters.settings, clusters.count_choice
    parts = [f"Clusters: {METHOD_NAMES[settings.method]} on embeddings of {model}"]
    if choice is not None:
        parts.append(f"their number chosen by {choice.criterion.replace('_', '-')}")
    if clusters.threshold is not None:
        parts.append(f"cosine to the centre {clusters.threshold:g} or more")
    if settings.method != "kmeans":
        parts.append(f"{settings.min_size} texts or more")
    named = " Names: the words and pairs of words that tell most of each (class-based TF-IDF)."
    return ", ".join(parts) + "." + (named if any(cluster.terms for cluster in clusters.clusters) else "")


def marker(number: int) -> tuple[int, str]:
    """Give the place of a cluster's colour and its shape: six colours, then the next shape."""
    return number % len(LIGHT), SHAPES[number // len(LIGHT) % len(SHAPES)]
