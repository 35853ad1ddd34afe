"""Memory of all requests, counted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gtekit.serving.memory import COPIES, SMALL_BYTES, Lease
from gtekit.serving.metrics import Metrics
from gtekit.serving.problems import Kind, Problem

LIMIT = 10 * SMALL_BYTES


@given(takes=st.lists(st.tuples(st.integers(0, 2), st.integers(0, LIMIT)), max_size=30))
def test_never_more_is_held_than_the_limit_and_the_small_parts_and_all_is_given_back(
    takes: list[tuple[int, int]],
) -> None:
    metrics = Metrics()
    leases = [Lease(metrics, LIMIT) for _ in range(3)]
    for place, size in takes:
        before = metrics.held_bytes
        try:
            leases[place].take(size)
        except Problem:
            assert metrics.held_bytes == before
        else:
            assert metrics.held_bytes == before + size
        assert metrics.held_bytes <= LIMIT + SMALL_BYTES * len(leases)
    for lease in leases:
        lease.release()
        lease.release()
    assert metrics.held_bytes == 0


def test_what_never_fits_is_told_apart_from_what_does_not_fit_now() -> None:
    metrics = Metrics()
    Lease(metrics, LIMIT).take(4 * SMALL_BYTES)
    for take in (Lease(metrics, LIMIT).take, lambda size: Lease(metrics, LIMIT).check_body(size // COPIES)):
        with pytest.raises(Problem) as refused:
            take(7 * SMALL_BYTES)
        assert refused.value.kind is Kind.OVERLOADED
        with pytest.raises(Problem) as refused:
            take(11 * SMALL_BYTES)
        assert refused.value.kind is Kind.TOO_LARGE
    assert metrics.held_bytes == 4 * SMALL_BYTES


def test_the_first_bytes_of_a_request_are_held_however_full_the_memory_is() -> None:
    metrics = Metrics()
    Lease(metrics, LIMIT).take(LIMIT)
    lease = Lease(metrics, LIMIT)
    lease.take(SMALL_BYTES - 1)
    lease.take(1)
    with pytest.raises(Problem, match="--max-memory-bytes"):
        lease.take(1)
    assert lease.held == SMALL_BYTES


def test_a_body_counts_with_the_texts_that_are_made_of_it() -> None:
    lease = Lease(Metrics(), LIMIT)
    lease.take_body(100)
    assert lease.held == COPIES * 100


@given(steps=st.lists(st.tuples(st.booleans(), st.integers(0, LIMIT)), max_size=30))
def test_no_more_is_given_back_than_is_held(steps: list[tuple[bool, int]]) -> None:
    metrics = Metrics()
    other, lease = Lease(metrics, LIMIT), Lease(metrics, LIMIT)
    other.hold(7)
    for is_given, size in steps:
        if is_given:
            lease.give_back(size)
        else:
            lease.hold(size)
        assert metrics.held_bytes == 7 + lease.held >= 7
