"""Servers that are busy, wrong, gone or broken, and that the key is in nothing that anybody sees of it."""

import logging
import socket
import time
from pathlib import Path

import numpy as np
import pytest

from gtekit.cli.exit_codes import ExitCode, exit_code_of
from gtekit.errors import EndpointError
from gtekit.evaluation.models.endpoint import EndpointOptions, open_endpoint
from tests.evaluation.models.conftest import KEY, OpenModel, ignore, whole_chain
from tests.evaluation.models.embedding_server import DIMENSION, EmbeddingServer, Reply, hashed, openai_error

TEXTS = [f"text number {number}" for number in range(50)]
BUSY = openai_error(429, "Rate limit reached", "rate_limit_exceeded", {"Retry-After-Ms": "50"})


@pytest.mark.parametrize(
    "replies",
    [
        [BUSY],
        [BUSY, BUSY],
        [openai_error(429, "Rate limit reached", headers={"Retry-After": "0.05"})],
        [openai_error(500, "The server had an error", headers={"Retry-After-Ms": "20"})],
        [Reply(503, b"<html>overloaded</html>", {"Retry-After-Ms": "20"})],
    ],
)
def test_a_server_that_is_busy_for_a_while_is_waited_for(
    server: EmbeddingServer, open_model: OpenModel, replies: list[Reply]
) -> None:
    server.replies = list(replies)
    vectors = open_model().embed(TEXTS, prompt="", normalize=None, done=ignore)
    assert np.array_equal(vectors, hashed(TEXTS))
    assert len(server.batches) == len(replies) + 1


def test_the_pause_that_the_server_asks_for_is_made(server: EmbeddingServer, open_model: OpenModel) -> None:
    model = open_model()
    model.embed(["a"], prompt="", normalize=None, done=ignore)
    server.replies = [openai_error(429, "Rate limit reached", headers={"Retry-After": "1"})]
    begun = time.monotonic()
    model.embed(["b"], prompt="", normalize=None, done=ignore)
    assert time.monotonic() - begun >= 1.0


def test_a_connection_that_breaks_in_the_middle_of_the_work_is_made_again(
    server: EmbeddingServer, open_model: OpenModel
) -> None:
    model = open_model()
    model.embed(["a"], prompt="", normalize=None, done=ignore)
    server.replies = [Reply(200, {"data": []}, kind="half")]
    assert np.array_equal(model.embed(TEXTS, prompt="", normalize=None, done=ignore), hashed(TEXTS))


def test_a_minute_of_refusals_is_survived() -> None:
    # the client's pauses: 0.5, 1, 2, 4, then 8 s, each shortened by at most a quarter
    pauses = [min(0.5 * 2**retry, 8) for retry in range(EndpointOptions().max_retries)]
    assert 0.75 * sum(pauses) > 60


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (openai_error(403, "Country not supported"), r"does not accept the key in THE_KEY for 'hash-8' \(403: Country"),
        (openai_error(404, "no such route"), r"has no model 'hash-8'.*404: no such route.*It has: hash-8\..*/v1"),
        (Reply(307, b"", {"Location": "https://elsewhere.example/v1"}), r"on to https://elsewhere.example/v1 \(307\)"),
        (Reply(402, {"detail": "out of tokens"}), r"failed \(402: out of tokens\)"),
        (openai_error(429, "You exceeded your quota", "insufficient_quota"), "no credit left"),
        (openai_error(400, "model is busy dreaming"), r"refused texts\[0\] alone \(400: model is busy dreaming\)"),
        (Reply(200, b"<html>Welcome to nginx"), "no embeddings: it is not JSON and begins '<html>Welcome to nginx'"),
        (Reply(200, {"choices": []}), "has no list called data and begins"),
        (Reply(200, {"data": []}), "has 0 vectors for 1 texts"),
        (Reply(200, {"data": [{"index": 1, "embedding": [1.0]}]}), "not numbered from 0 to 0"),
        (Reply(200, {"data": [{"embedding": [1.0]}]}), "an item of data has no index"),
        (Reply(200, {"data": [{"index": 0, "embedding": [1.0, None]}]}), "no number, such as null"),
        (Reply(200, {"data": [{"index": 0, "embedding": [[1.0], [2.0]]}]}), "no number"),
        (Reply(200, {"data": [{"index": 0, "embedding": [float("nan")]}]}), "NaN or an infinite value"),
        (Reply(200, {"data": [{"index": 0, "embedding": [1e39]}]}), "NaN or an infinite value"),  # over float32's range
        (Reply(200, {"data": [{"index": 0, "embedding": "AACA/w=="}]}), "NaN or an infinite value"),  # ff800000: -inf
        (Reply(200, {"data": [{"index": 0, "embedding": "AAA"}]}), "no base64 of float32"),
        (Reply(200, {"data": [{"index": 0, "embedding": "AAC?A/w=="}]}), "no base64 of float32"),
        (Reply(200, {"data": [{"index": 0, "embedding": "AAAAAAA="}]}), "no base64 of float32"),  # 5 bytes
        (Reply(200, {"data": [{"index": 0, "embedding": []}]}), "vector 0 is empty"),
        (Reply(200, {"data": [{"index": 0, "embedding": None}]}), "neither a list of numbers nor base64"),
        (Reply(kind="close"), "can't be reached, or closes the connection"),
        (Reply(200, {"data": ["long enough to be cut"]}, kind="half"), "can't be reached, or closes the connection"),
        (Reply(delay_s=2), "gave no answer within 0.5 s"),
    ],
)
def test_what_goes_wrong_is_said_and_the_key_is_not(
    server: EmbeddingServer,
    open_model: OpenModel,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    reply: Reply,
    message: str,
) -> None:
    monkeypatch.setenv("THE_KEY", KEY)
    caplog.set_level(logging.DEBUG)
    server.authorization = f"Bearer {KEY}"
    server.replies = [reply]
    paid = tmp_path / "paid.sqlite"
    model = open_model(key_variable="THE_KEY", timeout_s=0.5, max_retries=0, paid_vectors=paid)
    with pytest.raises(EndpointError, match=message) as failure:
        model.embed(["a text"], prompt="", normalize=None, done=ignore)
    assert str(failure.value).startswith(server.address)
    assert server.headers[0]["authorization"] == f"Bearer {KEY}"  # so there was something to give away
    model.embed(["another text"], prompt="", normalize=None, done=ignore)
    shown = [
        *whole_chain(failure.value),
        repr(vars(model)),
        repr(vars(model._server)),
        caplog.text,
        *capfd.readouterr(),
    ]
    assert not any(KEY in text for text in shown)
    assert not any(KEY.encode() in file.read_bytes() for file in tmp_path.iterdir())


def test_a_wrong_key_is_not_repeated_though_the_server_does(
    server: EmbeddingServer, open_model: OpenModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.authorization = "Bearer another"
    monkeypatch.setenv("THE_KEY", KEY)
    with pytest.raises(EndpointError, match=r"does not accept the key in THE_KEY for 'hash-8' \(401\)") as failure:
        open_model(key_variable="THE_KEY").embed(["a"], prompt="", normalize=None, done=ignore)
    assert KEY[:8] not in str(failure.value)
    server.replies = [openai_error(400, f"key {KEY} has no access")]
    with pytest.raises(EndpointError, match=r"400: key \[secret\] has no access"):
        open_model(key_variable="THE_KEY").embed(["a"], prompt="", normalize=None, done=ignore)


def test_a_server_that_wants_a_key_says_how_to_give_one(server: EmbeddingServer, open_model: OpenModel) -> None:
    server.authorization = "Bearer something"
    with pytest.raises(EndpointError, match=r"wants a key \(401\), and none was sent.*key_variable='MY_KEY'"):
        open_model().embed(["a"], prompt="", normalize=None, done=ignore)


def test_an_unknown_model_is_told_with_those_that_there_are(server: EmbeddingServer, open_model: OpenModel) -> None:
    server.models = ("chat", "some-embedding-8")
    with pytest.raises(EndpointError, match=r"no model 'hash-8'.*does not exist.*It has: some-embedding-8\."):
        open_model().embed(["a"], prompt="", normalize=None, done=ignore)


def test_a_limit_that_never_ends_is_told_after_all_retries(server: EmbeddingServer, open_model: OpenModel) -> None:
    server.replies = [BUSY] * 4  # the first request, and then one with two retries
    with pytest.raises(EndpointError, match=r"too many requests, also after 2 retries \(429: Rate limit reached"):
        open_model().embed(["a"], prompt="", normalize=None, done=ignore)
    assert len(server.batches) == 4


def test_the_exit_code_says_that_the_model_could_not_be_used() -> None:
    assert exit_code_of(EndpointError("no answer")) == ExitCode.NO_MODEL


def test_a_server_that_is_not_there_is_told_at_once() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    begun = time.monotonic()
    with pytest.raises(EndpointError, match=r"can't be reached.*[Rr]efused"):
        open_endpoint("a", address=address).embed(["a"], prompt="", normalize=None, done=ignore)
    assert time.monotonic() - begun < 5


def test_vectors_of_different_dimensions_are_refused_also_between_requests(
    server: EmbeddingServer, open_model: OpenModel
) -> None:
    server.replies = [Reply(200, {"data": [{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": [1.0, 2.0]}]})]
    with pytest.raises(EndpointError, match="vector 1 has 2 dimensions, and vector 0 has 1"):
        open_model().embed(["a", "b"], prompt="", normalize=None, done=ignore)
    server.replies = [Reply(200, {"data": [{"index": 0, "embedding": [1.0]}]})]
    with pytest.raises(EndpointError, match="vectors of 1 dimensions and then of 8"):
        open_model(batch_size=1).embed(["a", "b"], prompt="", normalize=None, done=ignore)


def test_a_server_without_base64_is_told_and_can_be_asked_for_floats(
    server: EmbeddingServer, open_model: OpenModel
) -> None:
    server.has_base64 = False
    assert open_model().embed(TEXTS, prompt="", normalize=None, done=ignore).shape == (50, DIMENSION)  # the default
    with pytest.raises(EndpointError, match=r"unsupported.*base64.*encoding='float'"):
        open_model(encoding="base64").embed(TEXTS, prompt="", normalize=None, done=ignore)


def test_after_an_error_what_others_have_answered_is_kept(
    server: EmbeddingServer, open_model: OpenModel, tmp_path: Path
) -> None:
    server.delay_s = 0.2
    texts = [*TEXTS[:8], "a very long story " * 20, *TEXTS[8:]]
    server.max_characters = 100
    model = open_model(batch_size=4, parallel=4, paid_vectors=tmp_path / "paid.sqlite")
    with pytest.raises(EndpointError, match=r"texts\[8\]"):
        model.embed(texts, prompt="", normalize=None, done=ignore)
    assert set(model.unpaid(texts, prompt="")) == set(texts) - set(server.answered)
