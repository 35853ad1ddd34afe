"""Answers that are no success, in one sentence, whoever gave them."""

import json
from typing import TYPE_CHECKING, Any

import pytest

from gtekit.client import Client
from gtekit.client.refusals import SHOWN_CHARS, refusal
from gtekit.errors import ArgumentError, EndpointError

if TYPE_CHECKING:
    from tests.serving.conftest import RunningServer

ADDRESS = "http://there"


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "No such path.", "type": "invalid_request_error", "param": None, "code": "not_found"}},
        {"error": {"message": "No such path.", "kind": "not_found", "param": None, "request_id": "1"}},
        {"error": "No such path.", "error_type": "Validation"},
        {"message": "No such path.", "id": "1"},
        {"detail": "No such path."},
    ],
)
def test_the_message_is_found_in_the_body_of_any_dialect(body: Any) -> None:
    error = refusal(404, {}, json.dumps(body).encode(), ADDRESS)
    assert isinstance(error, EndpointError)
    assert str(error).startswith(f"{ADDRESS}: answers 404: No such path. Is it a server that `gtekit serve`")


@pytest.mark.parametrize(
    "body", [b"", b"<html>  busy\n</html>", b"[1]", b'{"error": {"message": 7}}', b'{"detail": [1]}']
)
def test_a_body_that_says_nothing_is_shown(body: bytes) -> None:
    shown = " ".join(body.decode().split()) or "an empty body"
    assert str(refusal(500, {}, body, ADDRESS)) == f"{ADDRESS}: answers 500: {shown}."


def test_what_others_say_is_cut() -> None:
    for body in (b"x" * 5000, json.dumps({"detail": "x" * 5000}).encode()):
        assert str(refusal(500, {}, body, ADDRESS)) == f"{ADDRESS}: answers 500: {'x' * SHOWN_CHARS}."


def test_only_our_own_kinds_become_errors_of_a_local_model() -> None:
    ours, theirs = ({"error": {"message": "No.", name: "invalid_value"}} for name in ("kind", "code"))
    assert type(refusal(400, {}, json.dumps(ours).encode(), ADDRESS)) is ArgumentError
    assert type(refusal(400, {}, json.dumps(theirs).encode(), ADDRESS)) is EndpointError


def test_a_model_that_is_not_there_is_no_doubt_about_the_server(server: "RunningServer") -> None:
    with Client(server.url, model="nope") as client, pytest.raises(EndpointError) as caught:
        client.encode(["x"])
    message = str(caught.value)
    assert "There is no model 'nope' here; there are: all-MiniLM-L6-v2" in message
    assert "Is it" not in message
