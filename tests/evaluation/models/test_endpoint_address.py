"""Addresses and keys: what is sent to whom, and what is refused before anything is sent."""

import logging
import re
import subprocess
import sys

import pytest

from gtekit.errors import EndpointError, GtekitError
from gtekit.evaluation.models.endpoint import EndpointOptions, open_endpoint
from tests.evaluation.models.conftest import KEY, OpenModel, ignore, whole_chain
from tests.evaluation.models.embedding_server import DIMENSION, EmbeddingServer


@pytest.mark.parametrize("address", ["https://api.openai.com/v1", "https://eu.api.openai.com/v1"])
def test_openai_needs_its_key(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EndpointError, match="environment variable OPENAI_API_KEY holds none"):
        open_endpoint("text-embedding-3-small", address=address)
    monkeypatch.setenv("OPENAI_API_KEY", f"{KEY}\n")  # as $(cat key.txt) in some shells leaves it
    model = open_endpoint("text-embedding-3-small", address=address)
    assert model.facts.fingerprint == f"endpoint:{address.removeprefix('https://')}:text-embedding-3-small"
    endpoint = model._server.endpoint
    assert (endpoint.batch_size, endpoint.batch_tokens, endpoint.encoding) == (2_048, 300_000, "base64")


def test_the_key_for_openai_goes_to_nobody_else_unasked(
    server: EmbeddingServer, open_model: OpenModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_ORG_ID", "org-of-mine")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "Authorization: Bearer other\nX-Secret: one")
    open_model().embed(["a"], prompt="", normalize=None, done=ignore)
    assert "authorization" not in server.headers[0]
    open_model(key_variable="OPENAI_API_KEY").embed(["a"], prompt="", normalize=None, done=ignore)
    assert server.headers[1]["authorization"] == f"Bearer {KEY}"
    assert not any(word in str(server.headers) for word in ("org-of-mine", "other", "one"))


def test_nothing_is_sent_but_what_a_request_needs(server: EmbeddingServer, open_model: OpenModel) -> None:
    open_model().embed(["a"], prompt="", normalize=None, done=ignore)
    needed = {"host", "accept", "accept-encoding", "connection", "content-type", "content-length", "user-agent"}
    assert set(server.headers[0]) - needed == {"x-stainless-retry-count", "x-stainless-raw-response"}
    assert re.fullmatch(r"OpenAI/Python [\d.]+", server.headers[0]["user-agent"])


def test_nobody_else_is_spoken_to(server: EmbeddingServer) -> None:
    code = """
import sys
places = set()
sys.addaudithook(lambda event, arguments: places.add(arguments[1]) if event == "socket.connect" else None)
from gtekit.evaluation.models.endpoint import open_endpoint
open_endpoint("hash-8", address=sys.argv[1]).embed(["a"], prompt="", normalize=None, done=lambda _: None)
print(*places)
"""
    done = subprocess.run([sys.executable, "-c", code, server.address], capture_output=True, text=True, check=True)
    port = server.address.removeprefix("http://127.0.0.1:").removesuffix("/v1")
    assert (done.stdout, done.stderr) == (f"('127.0.0.1', {port})\n", "")


def test_user_and_password_of_the_address_are_sent_and_never_shown(
    server: EmbeddingServer, open_model: OpenModel, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with_password = server.address.replace("http://", "http://me:pass%20word@")
    server.authorization = "Basic bWU6cGFzcyB3b3Jk"  # printf 'me:pass word' | base64
    model = open_model(address=with_password)
    assert model.embed(["a"], prompt="", normalize=None, done=ignore).shape == (1, DIMENSION)
    assert model.facts == open_model().facts
    server.authorization = "Basic other"
    with pytest.raises(EndpointError, match=r"does not accept the user and password of the address \(401\)") as failure:
        model.embed(["b"], prompt="", normalize=None, done=ignore)
    shown = [*whole_chain(failure.value), repr(vars(model)), caplog.text]
    assert not any(word in text for text in shown for word in ("pass%20word", "pass word", "bWU6cGFzcyB3b3Jk"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"address": "localhost:8000/v1"}, "address='localhost:8000/v1' is none of a server"),
        ({"address": "http://:8000/v1"}, "none of a server"),
        ({"address": "http://[::1/v1"}, "none of a server"),
        ({"address": "http://a:99999/v1"}, "none of a server"),
        ({"address": "me:secret@host/v1"}, "the address is none of a server"),
        ({"address": "http://a/v1?key=1"}, r"has a part after \? or #"),
        ({"address": "http://api.openai.com/v1"}, "goes over https alone"),
        ({"key_variable": "sk-abc"}, "key_variable is no name of an environment variable"),
        ({"key_variable": "SPACED"}, "the key in SPACED has a space"),
        ({"key_variable": "NOT_SET"}, "environment variable NOT_SET holds none"),
        (
            {"key_variable": "SPACED", "address": "http://me:secret@host/v1"},
            "a user in the address and a key in SPACED",
        ),
        ({"name": " "}, "name is empty"),
        ({"options": EndpointOptions(batch_size=0)}, "batch_size=0 is not possible"),
        ({"options": EndpointOptions(parallel=0)}, "parallel=0 is not possible"),
        ({"options": EndpointOptions(max_retries=-1)}, "max_retries=-1 is not possible"),
        ({"options": EndpointOptions(max_characters=0)}, "max_characters=0 is not possible"),
        ({"options": EndpointOptions(timeout_s=0)}, "timeout_s=0 is not possible"),
        ({"options": EndpointOptions(timeout_s=float("nan"))}, "timeout_s=nan is not possible"),
        ({"options": EndpointOptions(encoding="hex")}, "encoding='hex' is not possible"),  # type: ignore[arg-type]
    ],
)
def test_what_can_not_be_used_is_told_before_anything_is_sent(
    monkeypatch: pytest.MonkeyPatch, arguments: dict[str, object], message: str
) -> None:
    monkeypatch.setenv("SPACED", "sk-a b")
    with pytest.raises(GtekitError, match=message) as failure:
        open_endpoint(**{"name": "a", "address": "http://localhost:1/v1", **arguments})  # type: ignore[arg-type]
    assert not any(secret in str(failure.value) for secret in ("secret", "sk-a"))
