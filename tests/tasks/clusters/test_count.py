"""The number of clusters: found where it is plain, with the curve kept."""

import numpy as np
import pytest

from gtekit.errors import ArgumentError, ShapeError
from gtekit.tasks.clusters import choose_count
from gtekit.tasks.clusters.count import counts_to_try
from tests.tasks.clusters.blobs import blobs


@pytest.mark.parametrize("groups", [2, 3, 6, 9])
@pytest.mark.parametrize("criterion", ["silhouette", "calinski_harabasz"])
def test_groups_that_lie_apart_are_counted(groups: int, criterion: str) -> None:
    vectors, _ = blobs(groups, 40, spread=0.04)
    assert choose_count(vectors, counts=range(2, 13), criterion=criterion).best == groups  # type: ignore[arg-type]


def test_the_curve_is_kept_and_its_largest_value_is_the_choice() -> None:
    vectors, _ = blobs(5, 30, spread=0.2)
    choice = choose_count(vectors)
    assert choice.counts == tuple(counts_to_try(len(vectors)))
    assert choice.best == choice.counts[int(np.argmax(choice.values))]
    assert all(-1 <= value <= 1 for value in choice.values)
    assert choose_count(vectors) == choice


def test_only_the_numbers_asked_for_are_tried() -> None:
    choice = choose_count(blobs(5, 30)[0], counts=[9, 3, 3])
    assert choice.counts == (3, 9)


@pytest.mark.parametrize("rows", [1, 5, 6, 7, 30, 300, 10**6])
def test_numbers_to_try_rise_from_2_and_stay_below_the_rows(rows: int) -> None:
    counts = counts_to_try(rows)
    assert counts[0] == 2
    assert (np.diff(counts) > 0).all()
    assert counts[-1] == max(2, min(100, rows // 3))


def test_rows_that_leave_no_choice_are_one_cluster() -> None:
    assert choose_count(np.eye(3, dtype=np.float32)).best == 1
    same = choose_count(np.full((20, 4), 0.5, np.float32))
    assert (same.best, same.counts) == (1, ())


def test_an_unknown_criterion_and_vectors_that_are_none_are_refused() -> None:
    vectors, _ = blobs(3, 20)
    with pytest.raises(ArgumentError, match="criterion='foo' is not possible; choose from: 'silhouette'"):
        choose_count(vectors, criterion="foo")  # type: ignore[arg-type]
    vectors[7, 2] = np.nan
    with pytest.raises(ArgumentError, match=r"vectors\[7\] holds numbers that are not finite"):
        choose_count(vectors)
    with pytest.raises(ShapeError, match="expected"):
        choose_count(np.ones(5, np.float32))


def test_impossible_numbers_are_refused() -> None:
    for counts in ([], [1], [60]):
        with pytest.raises(ArgumentError, match="counts"):
            choose_count(blobs(3, 20)[0], counts=counts)
