"""Memory of all requests, counted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gtekit.serving.memory import COPIES, Lease
from gtekit.serving.metrics import Metrics
from gtekit.serving.problems import Kind, Problem

LIMIT = 1000


@given(takes=st.lists(st.tuples(st.integers(0, 2), st.integers(0, LIMIT)), max_size=30))
def test_never_more_is_held_than_allowed_and_all_is_given_back(takes: list[tuple[int, int]]) -> None:
    metrics = Metrics()
    leases = [Lease(metrics, LIMIT) for _ in range(3)]
    for place, size in takes:
        before = metrics.held_bytes
        try:
            leases[place].take(size)
        except Problem:
            assert metrics.held_bytes == before
        else:
            assert metrics.held_bytes == before + COPIES * size
        assert metrics.held_bytes <= LIMIT
    for lease in leases:
        lease.release()
        lease.release()
    assert metrics.held_bytes == 0


def test_what_never_fits_is_told_apart_from_what_does_not_fit_now() -> None:
    metrics = Metrics()
    Lease(metrics, LIMIT).take(400)
    with pytest.raises(Problem) as refused:
        Lease(metrics, LIMIT).take(400)
    assert refused.value.kind is Kind.OVERLOADED
    with pytest.raises(Problem) as refused:
        Lease(metrics, LIMIT).take(600)
    assert refused.value.kind is Kind.TOO_LARGE
