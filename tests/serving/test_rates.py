"""Token buckets: what a key gets over time, and when it is told to come back."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gtekit.serving.keys import Key, sha256_of
from gtekit.serving.problems import Kind, Problem
from gtekit.serving.rates import Rates


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def key(requests: int | None = None, tokens: int | None = None, name: str = "a") -> Key:
    return Key(name=name, sha256=sha256_of(name), requests_per_minute=requests, tokens_per_minute=tokens)


def is_let_in(rates: Rates, who: Key) -> bool:
    try:
        rates.check(who)
    except Problem:
        return False
    return True


def test_a_minute_of_requests_at_once_and_then_one_at_a_time() -> None:
    clock = Clock()
    rates = Rates(clock)
    who = key(requests=60)
    assert [is_let_in(rates, who) for _ in range(61)] == [True] * 60 + [False]
    with pytest.raises(Problem) as caught:
        rates.check(who)
    assert caught.value.kind is Kind.RATE_LIMIT
    assert caught.value.retry_after_s == pytest.approx(1.0)
    assert "60 requests a minute" in caught.value.message
    clock.now += 1.0
    assert [is_let_in(rates, who) for _ in range(2)] == [True, False]


def test_tokens_are_paid_afterwards_and_a_debt_is_waited_for() -> None:
    clock = Clock()
    rates = Rates(clock)
    who = key(tokens=600)
    rates.check(who)
    rates.charge(who, 1599)
    with pytest.raises(Problem, match="600 tokens a minute") as caught:
        rates.check(who)
    assert caught.value.retry_after_s == pytest.approx(100.0)
    clock.now += caught.value.retry_after_s or 0
    rates.check(who)


def test_a_refused_request_costs_nothing() -> None:
    clock = Clock()
    rates = Rates(clock)
    who = key(requests=2, tokens=60)
    rates.check(who)
    rates.charge(who, 90)
    assert not any(is_let_in(rates, who) for _ in range(20))
    assert ("x-ratelimit-remaining-requests", "1") in rates.headers(who)


def test_keys_do_not_share_and_no_limit_is_no_limit() -> None:
    rates = Rates(Clock())
    assert [is_let_in(rates, key(requests=1, name=name)) for name in ("a", "b", "a")] == [True, True, False]
    free = key()
    assert all(is_let_in(rates, free) for _ in range(1000))
    rates.charge(free, 10**9)
    rates.check(free)
    rates.check(None)
    rates.charge(None, 10)
    assert rates.headers(free) == []
    assert rates.headers(None) == []


def test_a_limit_that_has_changed_counts_at_once() -> None:
    rates = Rates(Clock())
    rates.check(key(requests=100))
    assert [is_let_in(rates, key(requests=2)) for _ in range(3)] == [True, True, False]
    assert is_let_in(rates, replace(key(requests=2), requests_per_minute=None))


def test_headers_say_what_is_left() -> None:
    clock = Clock()
    rates = Rates(clock)
    who = key(requests=60, tokens=600)
    rates.check(who)
    rates.charge(who, 100)
    assert dict(rates.headers(who)) == {
        "x-ratelimit-limit-requests": "60",
        "x-ratelimit-remaining-requests": "59",
        "x-ratelimit-reset-requests": "1.000s",
        "x-ratelimit-limit-tokens": "600",
        "x-ratelimit-remaining-tokens": "500",
        "x-ratelimit-reset-tokens": "10.000s",
    }


@settings(deadline=None)
@given(
    per_minute=st.integers(1, 6000),
    pauses=st.lists(st.floats(0, 30), min_size=1, max_size=200),
)
def test_nobody_gets_more_than_a_minute_and_the_rate(per_minute: int, pauses: list[float]) -> None:
    clock = Clock()
    rates = Rates(clock)
    who = key(requests=per_minute)
    begin, passed = clock.now, 0
    for pause in pauses:
        clock.now += pause
        passed += is_let_in(rates, who)
    assert passed <= per_minute + (clock.now - begin) * per_minute / 60 + 1e-3


@settings(deadline=None)
@given(per_minute=st.integers(1, 10**6), cost=st.integers(0, 10**7))
def test_who_comes_back_when_told_to_is_let_in(per_minute: int, cost: int) -> None:
    clock = Clock()
    rates = Rates(clock)
    who = key(tokens=per_minute)
    rates.check(who)
    rates.charge(who, cost)
    if cost >= per_minute:
        with pytest.raises(Problem) as caught:
            rates.check(who)
        clock.now += caught.value.retry_after_s or 0
    rates.check(who)
