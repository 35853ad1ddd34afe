"""A small map with awkward texts."""

import numpy as np

from gtekit.tasks.clusters import ClusterMap, cluster_vectors, name_clusters
from tests.tasks.clusters.blobs import blobs

AWKWARD = (
    "</script><script>alert(1)</script>",
    """quotes " and ' and <b>tags</b> & ampersands""",
    "{{data}} {{title}} $math$ \\u003c",
    "line one\nline two\u2028three",
    "half \ud800 a pair",
    "",
)


def small_map(rows: int = 12) -> ClusterMap:
    """Give four groups of about `rows` points; the first texts are awkward, and so are title and names."""
    vectors, _ = blobs(4, rows)
    texts = [*AWKWARD, *(f"text {number} <i>" for number in range(len(vectors) - len(AWKWARD)))]
    clusters = name_clusters(cluster_vectors(vectors), texts)
    points = np.ascontiguousarray(vectors[:, :2])
    return ClusterMap(
        points=points, texts=texts, clusters=clusters, title='<Title> & "more" {{data}}', notes=("How <it> was made.",)
    )
