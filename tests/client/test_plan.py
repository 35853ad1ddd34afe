"""How lists are cut into requests."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gtekit.client import plan
from gtekit.client.facts import ServedFacts
from gtekit.client.plan import MAX_CHARS, MAX_TEXTS, Limits, limits_of, plan_requests
from gtekit.client.wire import post
from gtekit.errors import ArgumentError
from gtekit.serving import metered_body, rates

NO_LIMIT = 10**9
FIELDS = {"prompt": 'a "query": ', "normalize": True}
OTHER_BYTES = len(post("/encode", [], FIELDS).body or b"")


def limits(**few: Any) -> Limits:
    return Limits(**{"texts": NO_LIMIT, "chars": NO_LIMIT, "text_chars": NO_LIMIT, "body_bytes": NO_LIMIT, **few})


def facts(**some: Any) -> ServedFacts:
    values: dict[str, Any] = dict.fromkeys(ServedFacts.__slots__)
    sizes = {"max_texts": 10_000, "max_text_chars": 1_000_000, "max_body_bytes": 33_554_432}
    return ServedFacts(**{**values, **sizes, **some})


@given(st.lists(st.text(max_size=40), max_size=60), st.integers(1, 9), st.integers(1, 100))
def test_requests_hold_each_text_once_in_order_and_within_the_limits(
    texts: list[str], max_texts: int, max_chars: int
) -> None:
    spans = plan_requests(texts, limits(texts=max_texts, chars=max_chars))
    assert [index for span in spans for index in span] == list(range(len(texts)))
    for span in spans:
        assert 1 <= len(span) <= max_texts
        assert len(span) == 1 or sum(len(texts[index]) for index in span) <= max_chars


@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from('"\\\n\0é語😀'), max_size=20), max_size=30
    ),
    st.integers(0, 200),
)
def test_bodies_are_as_large_as_they_may_be_and_no_larger(texts: list[str], more: int) -> None:
    largest = max((len(post("/encode", [text], FIELDS).body or b"") for text in texts), default=0)
    most = largest + more
    spans = plan_requests(texts, limits(body_bytes=most), other_bytes=OTHER_BYTES)
    assert [index for span in spans for index in span] == list(range(len(texts)))
    for span in spans:
        assert len(post("/encode", texts[span.start : span.stop], FIELDS).body or b"") <= most
        if span.stop < len(texts):
            assert len(post("/encode", texts[span.start : span.stop + 1], FIELDS).body or b"") > most


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=40), max_size=40), st.integers(1, 2000))
def test_a_key_pays_for_each_request_what_it_may(texts: list[str], paid_bytes: int) -> None:
    spans = plan_requests(texts, limits(paid_bytes=paid_bytes), other_bytes=OTHER_BYTES, prompt_bytes=11)
    assert [index for span in spans for index in span] == list(range(len(texts)))
    for span in spans:
        chosen = texts[span.start : span.stop]
        prompted = [FIELDS["prompt"], *(f"{FIELDS['prompt']}{text}" for text in chosen)]
        assert len(span) == 1 or len(json.dumps(prompted, ensure_ascii=False).encode()) <= paid_bytes + 4 * len(span)
        assert len(span) == 1 or len(post("/encode", chosen, FIELDS).body or b"") <= paid_bytes


def test_a_text_that_no_request_can_hold_is_named_by_its_place() -> None:
    texts = ["short", "x" * 100]
    with pytest.raises(ArgumentError, match=r"texts\[8\] has 100 characters, the limit is 99\..*--max-text-chars"):
        plan_requests(texts, limits(text_chars=99), first_index=7)
    with pytest.raises(
        ArgumentError, match=r"texts\[1\] alone.* a body of 142 bytes; this server takes 141\..*--max-bo"
    ):
        plan_requests(texts, limits(body_bytes=141), other_bytes=40)
    with pytest.raises(ArgumentError, match=r"texts\[1\] alone has about 48 tokens; the key may use 15 a minute"):
        plan_requests(texts, limits(tokens_per_minute=15), other_bytes=40)
    for enough in ({"text_chars": 100}, {"body_bytes": 142}, {"tokens_per_minute": 16}):
        assert plan_requests(texts[1:], limits(**enough), other_bytes=40) == [range(1)]


def test_without_a_limit_of_the_key_the_plan_is_as_large_as_ever() -> None:
    assert limits_of(facts(), 120.0) == limits(
        texts=MAX_TEXTS, chars=MAX_CHARS, text_chars=1_000_000, body_bytes=33_554_432
    )
    assert [len(span) for span in plan_requests(["ä" * 100] * 2000, limits_of(facts(), 120.0))] == [512, 512, 512, 464]
    assert [len(span) for span in plan_requests(["\n" * 1000] * 200, limits_of(facts(), 120.0))] == [131, 69]


def test_a_request_waits_a_quarter_of_its_time_for_its_tokens_and_15_s_at_most() -> None:
    key = facts(tokens_per_minute=6000)  # 100 a second, of 3 bytes
    assert [limits_of(key, timeout_s).paid_bytes for timeout_s in (1.0, 20.0, 60.0, 600.0)] == [75, 1500, 4500, 4500]


def test_tokens_are_counted_as_the_server_counts_them() -> None:
    assert plan.TOKEN_BYTES == metered_body.TOKEN_BYTES
    assert plan.MOST_MINUTES == rates.MOST_MINUTES
