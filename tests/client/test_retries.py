"""When a request is sent again."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gtekit.client.retries import FIRST_PAUSE_S, LONGEST_PAUSE_S, Patience, hint_s


def test_milliseconds_go_before_seconds() -> None:
    assert hint_s({"retry-after-ms": "1500", "retry-after": "9"}) == 1.5
    assert hint_s({"retry-after": "9"}) == 9
    assert hint_s({"retry-after-ms": "soon", "retry-after": "0.5"}) == 0.5


def test_a_date_is_read_as_the_time_until_then() -> None:
    said = hint_s({"retry-after": format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)})
    assert said == pytest.approx(30, abs=2)
    assert hint_s({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0


@pytest.mark.parametrize("said", ["", "soon", "-1", "nan", "inf", "Wed, 99 Foo 2015"])
def test_what_can_not_be_read_is_no_hint(said: str) -> None:
    assert hint_s({"retry-after": said, "retry-after-ms": said}) is None


def test_pauses_without_a_hint_double_up_to_the_longest() -> None:
    patience = Patience(12, 3600)
    for tries in range(12):
        pause = patience.pause_s({})
        longest = min(FIRST_PAUSE_S * 2**tries, LONGEST_PAUSE_S)
        assert pause is not None
        assert longest / 2 <= pause <= longest
    assert patience.pause_s({}) is None


def test_a_pause_that_is_longer_than_the_time_left_ends_it() -> None:
    assert Patience(5, 1.0).pause_s({"retry-after": "2"}) is None
    assert Patience(5, 3.0).pause_s({"retry-after": "2"}) == 2


@given(st.floats(0, 1e6), st.integers(0, 20))
def test_a_hint_is_obeyed_as_it_is(seconds: float, retries: int) -> None:
    pause = Patience(retries, 1e9).pause_s({"retry-after": str(seconds)})
    assert pause == (seconds if retries else None)
