"""Texts in groups: clustering, how many clusters there are, their names, and a map of them."""

from gtekit.tasks.clusters.cluster import cluster, cluster_vectors, name_clusters
from gtekit.tasks.clusters.communities import communities
from gtekit.tasks.clusters.count import CountChoice, choose_count
from gtekit.tasks.clusters.layout import layout, layout_note
from gtekit.tasks.clusters.map import ClusterMap, map_title, method_note
from gtekit.tasks.clusters.map_page import map_page, write_map_page
from gtekit.tasks.clusters.map_picture import write_count_picture, write_map_picture
from gtekit.tasks.clusters.result import Cluster, Clusters
from gtekit.tasks.clusters.settings import ClusterKeywords, ClusterSettings
from gtekit.tasks.clusters.terms import Term, cluster_terms

__all__ = [
    "Cluster",
    "ClusterKeywords",
    "ClusterMap",
    "ClusterSettings",
    "Clusters",
    "CountChoice",
    "Term",
    "choose_count",
    "cluster",
    "cluster_terms",
    "cluster_vectors",
    "communities",
    "layout",
    "layout_note",
    "map_page",
    "map_title",
    "method_note",
    "name_clusters",
    "write_count_picture",
    "write_map_page",
    "write_map_picture",
]
