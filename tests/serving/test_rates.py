"""Token buckets: what a key gets over time, and when it is told to come back."""

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gtekit.serving.keys import Key, sha256_of
from gtekit.serving.problems import Kind, Problem
from gtekit.serving.rates import MOST_MINUTES, Rates, Reservation


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


def key(requests: int | None = None, tokens: int | None = None, name: str = "a") -> Key:
    return Key(name=name, sha256=sha256_of(name), requests_per_minute=requests, tokens_per_minute=tokens)


def is_let_in(rates: Rates, who: Key) -> bool:
    try:
        rates.admit(who)
    except Problem:
        return False
    return True


def admitted(rates: Rates, who: Key) -> Reservation:
    reservation = rates.admit(who)
    assert reservation is not None
    return reservation


def can_take(reservation: Reservation, tokens: int) -> bool:
    try:
        reservation.raise_to(tokens)
    except Problem:
        return False
    return True


def remaining(rates: Rates, who: Key, what: str = "tokens") -> int:
    return int(dict(rates.headers(who))[f"x-ratelimit-remaining-{what}"])


def test_a_minute_of_requests_at_once_and_then_one_at_a_time() -> None:
    clock = Clock()
    rates = Rates(clock)
    who = key(requests=60)
    assert [is_let_in(rates, who) for _ in range(61)] == [True] * 60 + [False]
    with pytest.raises(Problem) as caught:
        rates.admit(who)
    assert caught.value.kind is Kind.RATE_LIMIT
    assert caught.value.retry_after_s == pytest.approx(1.0)
    assert caught.value.message == (
        "The key a may use 60 requests a minute; this request counts for 1, and 0 are left. Try again in 1 s."
    )
    clock.now += 1.0
    assert [is_let_in(rates, who) for _ in range(2)] == [True, False]


def test_requests_at_the_same_time_share_the_tokens_of_a_minute() -> None:
    clock = Clock()
    rates = Rates(clock)
    who = key(tokens=2000)
    at_once = [admitted(rates, who) for _ in range(10)]
    assert [can_take(reservation, 800) for reservation in at_once] == [True] * 2 + [False] * 8
    with pytest.raises(
        Problem, match="2,000 tokens a minute; this request counts for about 800, and 400 are"
    ) as caught:
        at_once[2].raise_to(800)
    assert caught.value.kind is Kind.RATE_LIMIT
    assert caught.value.retry_after_s == pytest.approx(12.0)
    at_once[0].settle(300)
    assert can_take(at_once[2], 800)


def test_a_request_may_overdraw_a_full_bucket_and_the_debt_is_waited_for() -> None:
    clock = Clock()
    rates = Rates(clock)
    who = key(tokens=600)
    reservation = admitted(rates, who)
    reservation.raise_to(900)
    reservation.settle(1599)
    with pytest.raises(Problem, match="600 tokens a minute") as caught:
        rates.admit(who)
    assert caught.value.retry_after_s == pytest.approx(100.0)
    clock.now += caught.value.retry_after_s or 0
    with pytest.raises(Problem) as caught:
        admitted(rates, who).raise_to(900)
    clock.now += caught.value.retry_after_s or 0
    admitted(rates, who).raise_to(900)


def test_a_request_of_many_minutes_is_refused_for_good() -> None:
    rates = Rates(Clock())
    who = key(tokens=600)
    reservation = admitted(rates, who)
    with pytest.raises(Problem, match="may use 600 a minute") as caught:
        reservation.raise_to(MOST_MINUTES * 600 + 1)
    assert (caught.value.kind, caught.value.retry_after_s) == (Kind.TOO_LARGE, None)
    reservation.raise_to(MOST_MINUTES * 600)


def test_a_reservation_that_grows_takes_the_difference() -> None:
    rates = Rates(Clock())
    who = key(tokens=600)
    reservation = admitted(rates, who)
    for tokens in (100, 50, 250, 250):
        reservation.raise_to(tokens)
    assert (reservation.taken, remaining(rates, who)) == (250, 350)


@pytest.mark.parametrize(
    ("tokens", "problem", "cost"),
    [
        (120, None, 120),
        (300, None, 300),
        (0, None, 200),  # a tokenizer has read the texts
        (0, Kind.GONE, 200),  # the engine may have been at work
        (0, Kind.DEADLINE, 200),
        (300, Kind.GONE, 300),
        (0, Kind.TOO_LONG, 200),
        (0, Kind.TOO_MANY, 0),
        (50, Kind.OVERLOADED, 50),
    ],
)
def test_what_a_request_costs_depends_on_its_end(tokens: int, problem: Kind | None, cost: int) -> None:
    rates = Rates(Clock())
    who = key(tokens=600)
    reservation = admitted(rates, who)
    reservation.raise_to(200)
    reservation.settle(tokens, problem)
    reservation.settle(tokens, problem)
    assert remaining(rates, who) == 600 - cost


def test_a_stream_waits_until_its_tokens_are_there() -> None:
    clock = Clock()
    rates = Rates(clock, clock.sleep)
    who = key(tokens=600)
    reservation = admitted(rates, who)

    async def read() -> None:
        for _ in range(30):
            await reservation.wait_for(100)

    begin = clock.now
    asyncio.run(read())
    assert reservation.taken == 3000
    assert clock.now - begin == pytest.approx(240.0)  # 3000 tokens without the 600 that were there


def test_a_refused_request_costs_nothing() -> None:
    rates = Rates(Clock())
    who = key(requests=2, tokens=60)
    admitted(rates, who).raise_to(90)
    assert not any(is_let_in(rates, who) for _ in range(20))
    assert remaining(rates, who, "requests") == 1


def test_keys_do_not_share_and_no_limit_is_no_limit() -> None:
    rates = Rates(Clock())
    assert [is_let_in(rates, key(requests=1, name=name)) for name in ("a", "b", "a")] == [True, True, False]
    free = key()
    assert all(is_let_in(rates, free) for _ in range(1000))
    assert rates.admit(free) is None
    assert rates.admit(None) is None
    assert rates.headers(free) == []
    assert rates.headers(None) == []


def test_a_limit_that_has_changed_counts_at_once() -> None:
    rates = Rates(Clock())
    rates.admit(key(requests=100))
    assert [is_let_in(rates, key(requests=2)) for _ in range(3)] == [True, True, False]
    assert is_let_in(rates, replace(key(requests=2), requests_per_minute=None))


def test_headers_say_what_is_left() -> None:
    clock = Clock()
    rates = Rates(clock)
    who = key(requests=60, tokens=600)
    admitted(rates, who).raise_to(100)
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
@given(
    per_minute=st.integers(1, 6000),
    requests=st.lists(st.tuples(st.integers(0, 9000), st.integers(0, 9000), st.floats(0, 60)), max_size=60),
)
def test_nobody_gets_more_tokens_than_a_minute_and_the_rate_and_one_request(
    per_minute: int, requests: list[tuple[int, int, float]]
) -> None:
    clock = Clock()
    rates = Rates(clock)
    who = key(tokens=per_minute)
    begin, used, largest = clock.now, 0, 0
    for estimate, cost, pause in requests:
        clock.now += pause
        try:
            reservation = admitted(rates, who)
            reservation.raise_to(estimate)
        except Problem:
            continue
        reservation.settle(cost)
        used += cost or estimate
        largest = max(largest, cost, estimate)
    assert used <= per_minute + (clock.now - begin) * per_minute / 60 + largest + 1e-3


@settings(deadline=None)
@given(per_minute=st.integers(1, 10**6), cost=st.integers(0, 10**7), next_cost=st.integers(1, 10**6))
def test_who_comes_back_when_told_to_is_let_in(per_minute: int, cost: int, next_cost: int) -> None:
    next_cost = min(next_cost, MOST_MINUTES * per_minute)
    clock = Clock()
    rates = Rates(clock)
    who = key(tokens=per_minute)
    admitted(rates, who).settle(cost)
    for _ in range(2):  # it may be refused for want of a token, and then for want of all that it needs
        try:
            admitted(rates, who).raise_to(next_cost)
            return
        except Problem as problem:
            clock.now += problem.retry_after_s or 0
    admitted(rates, who).raise_to(next_cost)
