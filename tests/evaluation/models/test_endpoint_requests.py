"""How texts are put into requests, and what happens to those that are refused."""

import time
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gtekit.arrays import Floats
from gtekit.evaluation.models.endpoint_requests import Piece, Sender, plan_requests, send_all
from gtekit.evaluation.models.endpoint_server import RefusedError
from tests.evaluation.models.conftest import OpenModel, ignore
from tests.evaluation.models.embedding_server import EmbeddingServer, hashed

TEXTS = [f"text number {number}" for number in range(50)]


def test_a_server_that_takes_fewer_texts_gets_fewer(server: EmbeddingServer, open_model: OpenModel) -> None:
    server.max_texts = 8
    model = open_model()
    assert np.array_equal(model.embed(TEXTS, prompt="", normalize=None, done=ignore), hashed(TEXTS))
    # 50 are refused, then 25 and 12; all that is left goes by 6
    assert [len(batch) for batch in server.batches[:3]] == [50, 25, 12]
    assert max(len(batch) for batch in server.batches[3:]) == 6
    server.batches.clear()
    model.embed([f"more {text}" for text in TEXTS], prompt="", normalize=None, done=ignore)
    assert [len(batch) for batch in server.batches] == [6] * 8 + [2]  # it is remembered


def test_requests_are_split_by_size_too(server: EmbeddingServer, open_model: OpenModel) -> None:
    # 20 characters are 20 // 2 + 1 = 11 tokens, estimated high: four texts are 44, five would be 55
    texts = [f"{number:020d}" for number in range(10)]
    open_model(batch_tokens=50).embed(texts, prompt="", normalize=None, done=ignore)
    assert [len(batch) for batch in server.batches] == [4, 4, 2]


def test_a_request_of_too_many_tokens_after_all_is_halved(server: EmbeddingServer, open_model: OpenModel) -> None:
    server.max_request_characters = 300
    vectors = open_model(parallel=2).embed(TEXTS, prompt="", normalize=None, done=ignore)
    assert np.array_equal(vectors, hashed(TEXTS))
    assert set(server.answered.values()) == {1}  # a refused request is not paid for, an answered one is not repeated


@given(
    texts=st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=40), max_size=60),
    batch_size=st.integers(1, 20),
    batch_tokens=st.integers(1, 60),
)
def test_planned_requests_put_together_are_the_texts_in_order(
    texts: list[str], batch_size: int, batch_tokens: int
) -> None:
    requests = plan_requests(texts, batch_size=batch_size, batch_tokens=batch_tokens)
    assert [texts[place] for request in requests for place in request] == texts
    for request in requests:
        assert 1 <= len(request) <= batch_size
        tokens = sum(len(texts[place].encode()) // 2 + 1 for place in request)
        assert tokens <= batch_tokens or len(request) == 1


@settings(deadline=None)  # threads can be kept waiting by the machine
@given(
    count=st.integers(1, 300), batch_size=st.integers(1, 99), max_texts=st.integers(1, 70), parallel=st.integers(1, 4)
)
def test_whatever_a_server_takes_every_text_gets_its_vector_once(
    count: int, batch_size: int, max_texts: int, parallel: int
) -> None:
    def ask(some: Sequence[str]) -> Floats:
        if len(some) > max_texts:
            raise RefusedError(422, "too many")
        return hashed(some)

    texts = [f"text {number}" for number in range(count)]
    sender = Sender(ask, texts, batch_size)
    pieces: list[Piece] = []
    requests = plan_requests(texts, batch_size=batch_size, batch_tokens=300_000)
    send_all(sender.pieces, requests, pieces.append, parallel)
    pieces.sort(key=lambda piece: piece[0].start)
    assert [place for places, _ in pieces for place in places] == list(range(count))
    assert np.array_equal(np.concatenate([vectors for _, vectors in pieces]), hashed(texts))


@pytest.mark.parametrize("parallel", [1, 4])
def test_the_one_text_that_is_refused_is_found(parallel: int) -> None:
    def ask(some: Sequence[str]) -> Floats:
        if "bad" in some:
            raise RefusedError(400, "no")
        return hashed(some)

    sender = Sender(ask, [*TEXTS, "bad", *TEXTS], 20)
    pieces: list[Piece] = []
    with pytest.raises(RefusedError, match="400: no") as refusal:
        send_all(
            sender.pieces, [range(start, min(start + 20, 101)) for start in range(0, 101, 20)], pieces.append, parallel
        )
    assert refusal.value.place == 50


def test_after_an_error_no_new_request_begins() -> None:
    asked: list[str] = []

    def ask(some: Sequence[str]) -> Floats:
        asked.extend(some)
        time.sleep(0.02)
        if TEXTS[4] in some:
            raise RefusedError(400, "no")
        return hashed(some)

    with pytest.raises(RefusedError):
        send_all(Sender(ask, TEXTS, 1).pieces, [range(place, place + 1) for place in range(50)], lambda _: None, 2)
    assert len(asked) < 20  # and not 50


def test_when_what_takes_the_answers_fails_the_rest_is_not_sent() -> None:
    asked: list[str] = []

    def ask(some: Sequence[str]) -> Floats:
        asked.extend(some)
        return hashed(some)

    def take(_: Piece) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        send_all(Sender(ask, TEXTS, 1).pieces, [range(place, place + 1) for place in range(50)], take, 1)
    assert asked == TEXTS[:1]
