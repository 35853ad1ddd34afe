"""The speed of an engine, as its queue sees it."""

import time

import pytest

from gtekit.serving.throughput import Throughput


def test_before_the_first_call_a_second_is_the_guess() -> None:
    throughput = Throughput()
    assert throughput.tokens_per_second == 0
    assert throughput.seconds_for(1_000_000) == 1


def test_time_without_work_does_not_count() -> None:
    throughput = Throughput()
    for _ in range(2):
        throughput.begin()
        time.sleep(0.02)
        throughput.end(100)
        time.sleep(0.2)
    assert throughput.tokens_per_second > 200 / 0.35  # with the pauses it would be below 200 / 0.4


def test_calls_side_by_side_share_their_time() -> None:
    throughput = Throughput()
    begin = time.monotonic()
    throughput.begin()
    throughput.begin()
    time.sleep(0.05)
    throughput.end(100)
    throughput.end(100)
    seconds = time.monotonic() - begin
    assert throughput.tokens_per_second >= 200 / seconds
    assert throughput.seconds_for(200) == pytest.approx(200 / throughput.tokens_per_second)
