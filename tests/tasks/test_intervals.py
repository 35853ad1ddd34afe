"""Wilson's interval: its figures, and that the share lies in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gtekit.tasks.intervals import wilson


def test_the_figures_are_those_of_the_formula() -> None:
    assert wilson(9, 10) == pytest.approx((0.5958, 0.9821), abs=1e-4)


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_the_share_lies_in_its_interval_and_more_pairs_make_it_narrower(count: int, part: float) -> None:
    right = round(part * count)
    low, high = wilson(right, count)
    assert 0 <= low <= right / count <= high <= 1
    wider = wilson(right, count)
    narrower = wilson(4 * right, 4 * count)
    assert narrower[1] - narrower[0] < wider[1] - wider[0]
