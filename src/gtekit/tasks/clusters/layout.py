"""Vectors on a map: two numbers for each, so that what is near stays near."""

import numpy as np

from gtekit.arrays import Floats
from gtekit.inputs import check_count
from gtekit.nearest import nearest
from gtekit.tasks.clusters.reduce import are_alike, principal_components
from gtekit.tasks.scikit import one_thread, scikit
from gtekit.tasks.unit_vectors import normalized_rows
from gtekit.vectors import Vectors

LAID_OUT_ROWS = 3_000  # t-SNE of 3,000 rows took 35 s and of 5,000 60 s on one thread of a busy machine
COMPONENTS = 50
PERPLEXITY = 30.0
NEIGHBOURS = 5
FEWEST_ROWS = 5  # fewer lie where their two principal components are
JITTER = 0.006  # of the half width: placed rows must not hide each other


def layout(vectors: Vectors, *, laid_out_rows: int = LAID_OUT_ROWS, seed: int = 42) -> Floats:
    """Give each row a place, shape (N, 2), -1 to 1, the centre at 0.

    Up to `laid_out_rows` rows are laid out by t-SNE of their 50 principal components. Of more, so many are drawn and
    laid out, and each other row lies at the median of the five drawn rows that are nearest to it.
    Distances between far places mean little; which rows lie together does.

    Args:
        vectors: Shape (N, D).
        laid_out_rows: The most rows for t-SNE.
        seed: Of the draw, the components and t-SNE.

    Source:
        van der Maaten and Hinton 2008, from principal components (Kobak and Berens 2019), as in scikit-learn.
    """
    check_count("laid_out_rows", laid_out_rows, least=FEWEST_ROWS)
    rows = normalized_rows(vectors)
    if len(rows) <= laid_out_rows:
        return _centred(_lay_out(rows, seed))
    random_numbers = np.random.default_rng(seed)
    drawn = np.sort(random_numbers.permutation(len(rows))[:laid_out_rows])
    rest = np.setdiff1d(np.arange(len(rows)), drawn)
    points = np.empty((len(rows), 2), np.float32)
    points[drawn] = _centred(_lay_out(rows[drawn], seed))
    _, near = nearest(rows[rest], rows[drawn], NEIGHBOURS)
    points[rest] = np.median(points[drawn][near], axis=1)
    points[rest] += random_numbers.normal(0, JITTER, (len(rest), 2))
    return _centred(points)


def layout_note(rows: int, laid_out_rows: int = LAID_OUT_ROWS) -> str:
    """Say how the places of so many rows came about."""
    if rows < FEWEST_ROWS:
        return "Places: two principal components."
    if rows <= laid_out_rows:
        return f"Places: t-SNE of {COMPONENTS} principal components; near means alike, far means little."
    return (
        f"Places: t-SNE of {COMPONENTS} principal components for {laid_out_rows:,} texts drawn at random, the others "
        f"among the drawn ones most like them; near means alike, far means little."
    )


def _lay_out(rows: Floats, seed: int) -> Floats:
    if are_alike(rows):
        return np.zeros((len(rows), 2), np.float32)
    components = principal_components(rows, COMPONENTS, seed=seed)
    if len(rows) < FEWEST_ROWS or components.shape[1] < 2:
        padded = np.zeros((len(rows), 2), np.float32)
        padded[:, : min(2, components.shape[1])] = components[:, :2]
        return padded
    perplexity = min(PERPLEXITY, (len(rows) - 1) / 3)
    t_sne = scikit("the map", "manifold").TSNE(2, init="pca", random_state=seed, perplexity=perplexity)
    with one_thread():
        return np.asarray(t_sne.fit_transform(components), np.float32)


def _centred(points: Floats) -> Floats:
    if not len(points):
        return points
    low, high = points.min(axis=0), points.max(axis=0)
    half = float((high - low).max()) / 2
    centred: Floats = (points - (low + high) / 2) / np.float32(half if half > 0 else 1)
    return centred
