"""The map: neighbours stay together, the same each time, and many rows are placed beside few."""

import numpy as np
import pytest

from gtekit.arrays import Floats, Ints
from gtekit.errors import ArgumentError
from gtekit.tasks.clusters import layout, layout_note
from tests.tasks.clusters.blobs import blobs


def share_beside_its_own(points: Floats, truth: Ints) -> float:
    """How many points have one of their own group for their nearest neighbour."""
    distances = ((points[:, None] - points[None]) ** 2).sum(axis=2)
    np.fill_diagonal(distances, np.inf)
    return float((truth[distances.argmin(axis=1)] == truth).mean())


def test_groups_stay_together_in_the_same_places_each_time() -> None:
    vectors, truth = blobs(4, 25)
    points = layout(vectors)
    assert points.shape == (len(vectors), 2)
    assert points.dtype == np.float32
    assert np.abs(points).max() == pytest.approx(1, abs=1e-5)
    assert share_beside_its_own(points, truth) > 0.95
    assert (layout(vectors) == points).all()


def test_rows_beyond_the_limit_are_placed_beside_those_most_like_them() -> None:
    vectors, truth = blobs(4, 60)
    points = layout(vectors, laid_out_rows=60)
    assert np.isfinite(points).all()
    assert len(np.unique(points, axis=0)) == len(points)
    assert share_beside_its_own(points, truth) > 0.95


@pytest.mark.parametrize("rows", [0, 1, 2, 3, 4, 5, 6])
def test_few_rows_have_places_too(rows: int) -> None:
    points = layout(np.eye(8, dtype=np.float32)[:rows])
    assert points.shape == (rows, 2)
    assert np.isfinite(points).all()


def test_equal_rows_share_a_place() -> None:
    assert (layout(np.ones((12, 4), np.float32)) == 0).all()


def test_the_note_says_when_rows_were_drawn() -> None:
    assert "drawn" not in layout_note(3_000)
    assert "3,000 texts drawn at random" in layout_note(3_001)
    with pytest.raises(ArgumentError, match="laid_out_rows=2 is not possible"):
        layout(np.eye(8), laid_out_rows=2)
