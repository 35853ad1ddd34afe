"""k-means on vectors of length 1: every row goes to one of a fixed number of clusters."""

import warnings

from gtekit.arrays import Array, Floats
from gtekit.errors import ArgumentError, GtekitWarning
from gtekit.notices import warn_caller
from gtekit.tasks.scikit import one_thread, scikit

ALL_AT_ONCE_ROWS = 20_000  # so many rows of 384, 20 clusters: 34 s at once, 0.9 s in mini-batches, on a busy machine
BATCH_ROWS = 4096
BEGINNINGS = 10  # of k-means on all rows; the best is kept


def k_means(vectors: Floats, clusters: int, *, batch_rows: int | None, seed: int) -> Array:
    """Give the cluster of each row, shape (N,), 0 to `clusters` - 1.

    Args:
        vectors: Shape (N, D), normalized: the squared distance is then 2 - 2 cosine.
        clusters: How many. Fewer come out, with a warning, where fewer rows differ.
        batch_rows: Mini-batches of so many rows, one beginning; None: all rows at once and the best of ten beginnings,
            or mini-batches of 4,096 above 20,000 rows.
        seed: Of the beginnings.

    Raises:
        ArgumentError: If there are fewer rows than clusters.

    Source:
        scikit-learn's KMeans and MiniBatchKMeans. `batch_rows=500` is what MTEB's clustering tasks measure with.
    """
    if clusters > len(vectors):
        raise ArgumentError(
            f"clusters={clusters} is more than the {len(vectors)} texts; choose a whole number, 1 to {len(vectors)}."
        )
    module = scikit("k-means", "cluster")
    if batch_rows is None and len(vectors) > ALL_AT_ONCE_ROWS:
        batch_rows = BATCH_ROWS
    if batch_rows is None:
        fitted = module.KMeans(clusters, n_init=BEGINNINGS, random_state=seed)
    else:
        fitted = module.MiniBatchKMeans(clusters, batch_size=batch_rows, n_init="auto", random_state=seed)
    with one_thread(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of fewer different rows than clusters, which is said below in our words
        labels: Array = fitted.fit(vectors).labels_
    found = len(set(labels.tolist()))
    if found < clusters:
        warn_caller(
            f"the vectors fall into {found} cluster{'' if found == 1 else 's'}, not {clusters}: too few of them "
            f"differ. Ask for fewer clusters.",
            GtekitWarning,
        )
    return labels
