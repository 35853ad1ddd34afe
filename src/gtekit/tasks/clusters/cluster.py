"""Texts or vectors into groups: k-means, HDBSCAN or communities, and the names of the groups."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Protocol, Unpack

import numpy as np

from gtekit.arrays import Floats
from gtekit.config import EncodeKeywords
from gtekit.errors import ArgumentError, GtekitWarning
from gtekit.inputs import check_texts
from gtekit.notices import warn_caller
from gtekit.tasks.alike import MarkingModel, alike_options
from gtekit.tasks.clusters.communities import choose_threshold, communities, community_labels
from gtekit.tasks.clusters.count import choose_count
from gtekit.tasks.clusters.density import dense_groups
from gtekit.tasks.clusters.kmeans import k_means
from gtekit.tasks.clusters.result import Clusters, describe_clusters
from gtekit.tasks.clusters.settings import ClusterKeywords, ClusterSettings, read_settings
from gtekit.tasks.clusters.terms import cluster_terms, term_names
from gtekit.tasks.unit_vectors import normalized_rows
from gtekit.vectors import Vectors


class ClusterModel(MarkingModel, Protocol):
    """What clustering needs of a model; an Embedder has it."""

    def encode(self, texts: Sequence[str], **options: Unpack[EncodeKeywords]) -> Floats:
        """Embed texts, shape (N, D)."""


def cluster(
    model: ClusterModel,
    texts: Sequence[str],
    *,
    encode: EncodeKeywords | None = None,
    **settings: Unpack[ClusterKeywords],
) -> Clusters:
    """Group texts by what they say, and name each group by its most telling terms.

    Args:
        model: What embeds the texts.
        texts: A list of str.
        encode: The options of `Embedder.encode`, such as {"on_truncation": "chunk"}; vectors are always normalized. A
            model that marks queries and documents (E5) puts the mark of queries before all, unless a prompt is named.
        **settings: The fields of ClusterSettings: method="kmeans" (all texts, `clusters` of them or as many as a
            criterion finds best), "hdbscan" (dense groups) or "communities" (texts around a central one).

    Raises:
        ArgumentError: If there is no such setting, or its value is not possible.
        TextTypeError: If something in `texts` is not a str.
    """
    read_settings(settings)
    checked = check_texts(texts)
    vectors = model.encode(checked, **alike_options(model, encode or {}))
    return name_clusters(cluster_vectors(vectors, **settings), checked)


def cluster_vectors(vectors: Vectors, **settings: Unpack[ClusterKeywords]) -> Clusters:
    """Group vectors: as `cluster`, without names. Lengths don't count, only directions.

    Args:
        vectors: Shape (N, D).
        **settings: The fields of ClusterSettings.

    Raises:
        ArgumentError: If there is no such setting, its value is not possible, or a vector holds no finite numbers.
        ShapeError: If the vectors have no such shape.
    """
    chosen = read_settings(settings)
    rows = normalized_rows(vectors)
    if chosen.method == "kmeans":
        return _by_k_means(rows, chosen)
    if chosen.method == "communities":
        return _by_communities(rows, chosen)
    labels = dense_groups(rows, min_size=chosen.min_size, dimensions=chosen.dimensions, seed=chosen.seed)
    return _told(describe_clusters(rows, labels, chosen))


def name_clusters(clusters: Clusters, texts: Sequence[str], *, stop_words: Collection[str] | None = None) -> Clusters:
    """Give clusters their names and terms.

    Args:
        clusters: Of N rows.
        texts: The N texts that the rows stand for.
        stop_words: Words that are no terms; None: scikit-learn's list of English ones.

    Raises:
        ArgumentError: If there are not as many texts as rows.
    """
    checked = check_texts(texts)
    if len(checked) != len(clusters.labels):
        raise ArgumentError(
            f"{len(checked)} texts for {len(clusters.labels)} rows; give the text of each row, in order."
        )
    if not clusters.clusters:
        return clusters
    terms = cluster_terms(checked, clusters.labels, stop_words=stop_words)
    return clusters.with_terms(terms, term_names(terms))


def _by_k_means(rows: Floats, settings: ClusterSettings) -> Clusters:
    if not len(rows):
        return describe_clusters(rows, np.empty(0, np.int64), settings)
    choice = None
    count = settings.clusters
    if count is None:
        choice = choose_count(rows, criterion=settings.criterion, seed=settings.seed)
        count = choice.best
    labels = k_means(rows, count, batch_rows=settings.batch_rows, seed=settings.seed)
    return replace(describe_clusters(rows, labels, settings), count_choice=choice)


def _by_communities(rows: Floats, settings: ClusterSettings) -> Clusters:
    threshold = choose_threshold(rows, settings.min_size) if settings.threshold is None else settings.threshold
    labels = community_labels(communities(rows, threshold, settings.min_size), len(rows))
    return _told(replace(describe_clusters(rows, labels, settings), threshold=threshold))


def _told(clusters: Clusters) -> Clusters:
    """Warn where no cluster was found at all: it is what too large a `min_size` looks like."""
    if len(clusters.labels) and not clusters.clusters:
        lower = " or the threshold" if clusters.settings.threshold is not None else ""
        warn_caller(
            f"no cluster was found among {len(clusters.labels)} texts: none has min_size={clusters.settings.min_size} "
            f"of them. Lower that{lower}.",
            GtekitWarning,
        )
    return clusters
