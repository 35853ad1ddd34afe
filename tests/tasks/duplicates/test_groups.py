"""From pairs to groups, held against the plainest code that does the same."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gtekit.arrays import Array
from gtekit.nearest import Pairs
from gtekit.tasks.duplicates.groups import join_components, join_greedily

ROWS = 12
links = st.sets(st.tuples(st.integers(0, ROWS - 1), st.integers(0, ROWS - 1)).filter(lambda pair: pair[0] < pair[1]))
NO_VECTORS = np.ones((ROWS, 1), np.float32)


def in_blocks(found: set[tuple[int, int]], size: int) -> list[Pairs]:
    """Pairs in the order of `pairs_above`, cut anywhere, also between two pairs of one row."""
    ordered = sorted(found, key=lambda pair: (pair[1], pair[0]))
    cut = [ordered[begin : begin + size] for begin in range(0, len(ordered), size)]
    return [
        Pairs(
            np.array([left for left, _ in block], np.int64),
            np.array([right for _, right in block], np.int64),
            np.array([score(*pair) for pair in block], np.float32),
        )
        for block in cut
    ]


def score(left: int, right: int) -> float:
    return 0.5 + left / 100 + right / 1000


@settings(deadline=None)
@given(found=links, size=st.integers(1, 20))
def test_greedy_is_the_loop_over_rows_however_the_pairs_are_cut(found: set[tuple[int, int]], size: int) -> None:
    stands_for, scores = join_greedily(in_blocks(found, size), NO_VECTORS)
    kept: list[int] = []
    for row in range(ROWS):
        expected = next((other for other in kept if (other, row) in found), row)
        if expected == row:
            kept.append(row)
        assert stands_for[row] == expected
        assert scores[row] == (1 if expected == row else np.float32(score(expected, row)))


@settings(deadline=None)
@given(found=links, size=st.integers(1, 20))
def test_components_are_what_chains_of_pairs_reach(found: set[tuple[int, int]], size: int) -> None:
    stands_for, _ = join_components(in_blocks(found, size), NO_VECTORS)
    reached = np.eye(ROWS, dtype=bool)
    for left, right in found:
        reached[left, right] = reached[right, left] = True
    for _ in range(ROWS):
        reached = (reached.astype(int) @ reached) > 0
    assert stands_for.tolist() == reached.argmax(axis=1).tolist()  # the first of those that are linked


def test_components_have_the_cosine_to_the_row_that_stands_for_them() -> None:
    angles = np.array([0.0, 0.3, 0.6])
    vectors: Array = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    stands_for, scores = join_components(in_blocks({(0, 1), (1, 2)}, 1), vectors)
    assert stands_for.tolist() == [0, 0, 0]
    assert scores.tolist() == pytest.approx(np.cos(angles).tolist(), abs=1e-6)
