"""Blocks come in order, one ahead and no more, and errors come after what was good."""

import itertools
import threading
import time
from collections.abc import Iterator

import pytest

from gtekit.errors import TextTypeError
from gtekit.streaming import BLOCK_CHARS, blocks_of, one_ahead


def test_blocks_keep_order_and_know_where_they_begin() -> None:
    texts = [str(number) for number in range(10)]
    assert list(blocks_of(texts, 4)) == [(0, texts[:4]), (4, texts[4:8]), (8, texts[8:])]
    assert list(blocks_of([], 4)) == []


def test_long_texts_end_a_block_sooner() -> None:
    texts = ["x" * (BLOCK_CHARS // 2 + 1)] * 5
    assert [len(block) for _, block in blocks_of(texts, 4)] == [2, 2, 1]


def test_something_that_is_no_str_is_named_by_its_place_in_the_stream() -> None:
    with pytest.raises(TextTypeError, match=r"texts\[5\] is None, expected str"):
        list(blocks_of(["a"] * 5 + [None], 4))  # type: ignore[list-item]


def test_the_next_block_is_prepared_while_one_is_out() -> None:
    prepared = []
    blocks = one_ahead(blocks_of(map(str, itertools.count()), 2), lambda index, *_: prepared.append(index))
    next(blocks)
    deadline = time.monotonic() + 10
    while len(prepared) < 2 and time.monotonic() < deadline:
        time.sleep(0.001)
    assert prepared == [0, 2]
    blocks.close()


def test_texts_are_pulled_on_the_calling_thread_and_two_blocks_ahead_at_most() -> None:
    pulled: list[threading.Thread] = []

    def endless() -> Iterator[str]:
        while True:
            pulled.append(threading.current_thread())
            yield "text"

    blocks = one_ahead(blocks_of(endless(), 3), lambda index, *_: index)
    assert [next(blocks) for _ in range(4)] == [0, 3, 6, 9]
    assert len(pulled) == 15
    assert set(pulled) == {threading.current_thread()}
    blocks.close()


def test_an_error_from_the_iterable_comes_after_the_blocks_before_it() -> None:
    def breaks() -> Iterator[str]:
        yield from ["a", "b", "c", "d"]
        raise OSError("disk gone")

    blocks = one_ahead(blocks_of(breaks(), 2), lambda index, *_: index)
    assert [next(blocks), next(blocks)] == [0, 2]
    with pytest.raises(OSError, match="disk gone"):
        next(blocks)


def test_an_error_from_preparing_comes_after_the_blocks_before_it() -> None:
    blocks = one_ahead(blocks_of(map(str, itertools.count()), 1), lambda index, *_: 6 / (3 - index))
    assert [next(blocks) for _ in range(3)] == [2, 3, 6]
    with pytest.raises(ZeroDivisionError):
        next(blocks)


def test_closing_ends_the_thread() -> None:
    before = threading.active_count()
    blocks = one_ahead(blocks_of(map(str, itertools.count()), 2), lambda index, *_: index)
    next(blocks)
    assert threading.active_count() == before + 1
    blocks.close()
    assert threading.active_count() == before


def test_closing_asks_the_preparation_under_way_to_stop() -> None:
    has_begun = threading.Event()

    def prepare(index: int, block: list[str], stop: threading.Event) -> int:
        if index:
            has_begun.set()
            assert stop.wait(60), "nobody asked to stop"
        return index

    blocks = one_ahead(blocks_of(map(str, itertools.count()), 1), prepare)
    next(blocks)
    assert has_begun.wait(60)
    start = time.monotonic()
    blocks.close()
    assert time.monotonic() - start < 30
