"""The queue of rows: order, sharing, and what becomes of work that nobody waits for."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gtekit.arrays import Floats, Ints, TokenIds
from gtekit.serving.lane import ENGINE_THREADS, Lane, Work
from tests.serving.conftest import until

TIMEOUT_S = 20  # only ever waited for when something is broken


class Engine:
    """An engine whose vectors say which row they are of: first token, tokens, sum. It can be held."""

    def __init__(self) -> None:
        self.calls: list[list[list[int]]] = []
        self.go = threading.Event()
        self.go.set()
        self.began = threading.Semaphore(0)

    def __call__(self, token_ids: TokenIds, cu_seqlens: Ints, normalize: bool) -> Floats:
        rows = [token_ids[a:b].tolist() for a, b in pairwise(cu_seqlens)]
        self.calls.append(rows)
        self.began.release()
        assert self.go.wait(TIMEOUT_S)
        if any(13 in row for row in rows):
            raise RuntimeError("unlucky")
        return np.array([vector_of(row, normalize) for row in rows], np.float32)

    def hold(self, lane: Lane) -> list[Work]:
        """Keep all threads of a lane busy, each with one row of its own, until `go` is set."""
        self.go.clear()
        works = [work_of([[900 + thread]]) for thread in range(ENGINE_THREADS)]
        for work in works:
            lane.add(work, [0])
            assert self.began.acquire(timeout=TIMEOUT_S)
        return works


def vector_of(row: list[int], normalize: bool) -> list[float]:
    return [row[0], len(row), sum(row), float(normalize)]


def work_of(rows: list[list[int]], normalize: bool = True) -> Work:
    return Work(
        owner=Future(),
        token_ids=np.array([token for row in rows for token in row], np.int32),
        cu_seqlens=np.cumsum([0, *map(len, rows)], dtype=np.int64),
        normalize=normalize,
        vectors=np.full((len(rows), 4), np.nan, np.float32),
    )


def settle(works: Sequence[Work]) -> None:
    for work in works:
        if not work.owner.done():
            work.owner.set_result(work.error)


def result(work: Work) -> Floats:
    error = work.owner.result(TIMEOUT_S)
    if error is not None:
        raise error
    return work.vectors


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
def lane(engine: Engine) -> Iterator[Lane]:
    lane = Lane(engine, settle, call_tokens=10)
    yield lane
    engine.go.set()
    lane.close()


ROWS = st.lists(st.lists(st.integers(20, 25), min_size=1, max_size=14), min_size=1, max_size=12)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(ROWS, st.booleans()), min_size=1, max_size=6), st.integers(1, 30))
def test_every_work_gets_the_vectors_of_its_own_rows(
    jobs: list[tuple[list[list[int]], bool]], call_tokens: int
) -> None:
    engine = Engine()
    lane = Lane(engine, settle, call_tokens=call_tokens)
    works = [work_of(rows, normalize) for rows, normalize in jobs]
    for work in works:
        lane.add(work, range(len(work.cu_seqlens) - 1))
    for work, (rows, normalize) in zip(works, jobs, strict=True):
        assert result(work).tolist() == [vector_of(row, normalize) for row in rows]
    assert lane.queued_tokens == lane.queued_texts == 0
    for call in engine.calls:
        assert len(call) == 1 or sum(map(len, call)) <= call_tokens
    lane.close()


def test_rows_run_in_the_order_that_was_asked(lane: Lane, engine: Engine) -> None:
    engine.hold(lane)
    work = work_of([[1] * 4, [2] * 6, [3] * 5])
    lane.add(work, [1, 2, 0])
    engine.go.set()
    result(work)
    assert engine.calls[ENGINE_THREADS:] == [[[2] * 6], [[3] * 5, [1] * 4]]


def test_long_works_take_turns(lane: Lane, engine: Engine) -> None:
    engine.hold(lane)
    first, second = (work_of([[number * 10 + row] * 10 for row in range(3)]) for number in (1, 2))
    lane.add(first, range(3))
    lane.add(second, range(3))
    assert lane.queued_tokens == 60
    engine.go.set()
    result(first), result(second)
    taken = [call[0][0] // 10 for call in engine.calls[ENGINE_THREADS:]]
    assert taken[:4] in ([1, 2, 1, 2], [2, 1, 2, 1], [1, 2, 2, 1], [2, 1, 1, 2])  # two threads begin side by side


def test_short_works_are_served_as_they_came_and_share_a_call() -> None:
    engine = Engine()
    lane = Lane(engine, settle, call_tokens=10)
    engine.hold(lane)
    works = [work_of([[number] * 3]) for number in range(1, 8)]
    for work in works:
        lane.add(work, [0])
    engine.go.set()
    for work in works:
        result(work)
    calls = sorted(engine.calls[ENGINE_THREADS:])
    assert calls == [[[1] * 3, [2] * 3, [3] * 3], [[4] * 3, [5] * 3, [6] * 3], [[7] * 3]]
    lane.close()


def test_a_work_that_is_first_passes_those_that_wait(lane: Lane, engine: Engine) -> None:
    engine.hold(lane)
    works = [work_of([[number] * 10]) for number in range(1, 4)]
    watching = work_of([[9] * 10])
    watching.is_first = True
    for work in (*works, watching):
        lane.add(work, [0])
    engine.go.set()
    for work in (*works, watching):
        result(work)
    assert engine.calls[ENGINE_THREADS][0][0] == 9


def test_equal_rows_on_their_way_are_run_once(lane: Lane, engine: Engine) -> None:
    engine.hold(lane)
    first, second = work_of([[5, 6], [7], [5, 6]]), work_of([[7], [8]])
    lane.add(first, range(3))
    lane.add(second, range(2))
    other_kind = work_of([[7]], normalize=False)
    lane.add(other_kind, [0])
    engine.go.set()
    assert result(first)[0].tolist() == result(first)[2].tolist() == vector_of([5, 6], True)
    assert result(second)[0].tolist() == vector_of([7], True)
    assert result(other_kind)[0].tolist() == vector_of([7], False)
    ran = [tuple(row) for call in engine.calls[ENGINE_THREADS:] for row in call]
    assert sorted(ran) == [(5, 6), (7,), (7,), (8,)]
    assert (first.shared, second.shared, other_kind.shared) == (1, 1, 0)


def test_a_dropped_work_costs_nothing_more(lane: Lane, engine: Engine) -> None:
    engine.hold(lane)
    work = work_of([[1], [2]])
    lane.add(work, range(2))
    lane.drop(work)
    assert lane.queued_tokens == lane.queued_texts == 0
    engine.go.set()
    after = work_of([[3]])
    lane.add(after, [0])
    result(after)
    assert engine.calls[ENGINE_THREADS:] == [[[3]]]
    assert not work.owner.done()


def test_a_work_that_left_holds_no_vectors_and_none_of_the_queue_before_its_rows_are_handed_over(
    lane: Lane, engine: Engine
) -> None:
    held = engine.hold(lane)
    work, other, late = work_of([[1], [2]]), work_of([[2], [9]]), work_of([[1], [2]])
    lane.add(work, range(2))
    lane.add(other, range(2))
    for gone in (work, held[0]):
        lane.leave(gone)
        assert gone.vectors.nbytes == 0
    assert (lane.queued_texts, lane.queued_tokens) == (1, 1)
    lane.add(late, range(2))  # its rows are on their way, as far as it can see
    lane.drop(other)
    assert lane.queued_texts == 0
    engine.go.set()
    lane.hand_over(held[0])
    lane.hand_over(work)
    assert result(late).tolist() == [vector_of([1], True), vector_of([2], True)]
    assert lane.queued_tokens == lane.queued_texts == 0
    until(lambda: not lane._takers)


def test_a_work_that_was_dropped_before_it_came_is_not_taken(lane: Lane, engine: Engine) -> None:
    work = work_of([[1]])
    lane.drop(work)
    lane.add(work, [0])
    assert lane.queued_texts == 0
    assert engine.calls == []


def test_rows_of_a_dropped_work_that_others_want_run_in_their_name(lane: Lane, engine: Engine) -> None:
    engine.hold(lane)
    owner, other = work_of([[1], [2], [3]]), work_of([[2], [9]])
    lane.add(owner, range(3))
    lane.add(other, range(2))
    lane.drop(owner)
    assert lane.queued_texts == 2
    engine.go.set()
    assert result(other).tolist() == [vector_of([2], True), vector_of([9], True)]
    assert {row[0] for call in engine.calls[ENGINE_THREADS:] for row in call} == {2, 9}


def test_a_work_of_many_equal_rows_is_dropped_by_visiting_their_takers_once(lane: Lane, engine: Engine) -> None:
    engine.hold(lane)
    works = [work_of([[5]] * 3000) for _ in range(2)]
    for work in works:
        lane.add(work, range(3000))
    visits = 0

    class Takers(list[tuple[Work, int]]):
        def __iter__(self) -> Iterator[tuple[Work, int]]:
            nonlocal visits
            for taker in super().__iter__():
                visits += 1
                yield taker

    key = works[0].keys[0]
    lane._takers[key] = Takers(lane._takers[key])
    lane.drop(works[0])
    assert visits <= 6000
    engine.go.set()
    assert (result(works[1]) == vector_of([5], True)).all()


def test_a_row_that_has_begun_reaches_who_still_wants_it(lane: Lane, engine: Engine) -> None:
    held = engine.hold(lane)
    late = work_of([[900]])
    lane.add(late, [0])
    lane.drop(held[0])
    engine.go.set()
    assert result(late).tolist() == [vector_of([900], True)]
    assert len(engine.calls) == ENGINE_THREADS


def test_an_engine_that_fails_fails_the_works_of_that_call_and_no_others(lane: Lane, engine: Engine) -> None:
    engine.hold(lane)
    bad, good = work_of([[13] * 9, [1]]), work_of([[2] * 8])
    lane.add(bad, range(2))
    lane.add(good, [0])
    engine.go.set()
    with pytest.raises(RuntimeError, match="unlucky"):
        result(bad)
    assert result(good).tolist() == [vector_of([2] * 8, True)]
    again = work_of([[1]])
    lane.add(again, [0])
    assert result(again).tolist() == [vector_of([1], True)]


def test_the_cache_answers_without_the_engine() -> None:
    engine = Engine()
    lane = Lane(engine, settle, call_tokens=10, cache_bytes=10_000)
    first, second = work_of([[1, 2]]), work_of([[1, 2]])
    lane.add(first, [0])
    result(first)
    lane.add(second, [0])
    assert result(second).tolist() == result(first).tolist()
    assert (second.cached, second.shared) == (1, 0)
    assert len(engine.calls) == 1
    assert lane.cached_bytes > 0
    lane.close()


def test_closing_fails_what_waits_and_ends_the_threads() -> None:
    engine = Engine()
    lane = Lane(engine, settle, call_tokens=10)
    held = engine.hold(lane)
    waiting = work_of([[1]])
    lane.add(waiting, [0])
    closing = threading.Thread(target=lane.close)
    closing.start()
    engine.go.set()
    closing.join(TIMEOUT_S)
    assert not closing.is_alive()
    for work in held:
        assert work.owner.result(TIMEOUT_S) is None
    after = work_of([[2]])
    lane.add(after, [0])
    for work in (after, waiting):
        if work.vectors.tolist() != [vector_of([1], True)]:
            with pytest.raises(RuntimeError, match="closed"):
                result(work)
