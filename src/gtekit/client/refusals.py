"""Answers that are no success, as exceptions: those of a local model where it would raise them, EndpointError else."""

import json
from collections.abc import Mapping
from typing import NamedTuple

from gtekit.client.retries import Patience
from gtekit.errors import ArgumentError, EndpointError, GtekitError

SHOWN_CHARS = 200  # of a body that is not ours
ARGUMENTS = frozenset({"invalid_value", "invalid_json", "empty_input", "too_many_texts", "request_too_large"})
FIXES = {
    401: "Give the key: Client(..., api_key=...), or the environment variable GTEKIT_API_KEY.",
    403: "Ask whoever runs the server for a key that may do this.",
    404: "Is it a server that `gtekit serve` of this version runs, at its address without a path such as /v1?",
    429: "It is busier than it can be: wait, raise retries or timeout_s, or send less at once.",
    503: "It is starting, stopping, or behind a proxy that does not reach it: wait, or raise retries and timeout_s.",
    504: "The time was over before the texts had their turn: raise timeout_s, or send less at once.",
}
KINDS = {
    "model_not_found": "",  # it lists the models by itself
    "rate_limit_exceeded": "Raise timeout_s or retries, or ask whoever runs the server for a larger limit of the key.",
}


class TooLongError(Exception):
    """A text is longer than the model reads, and that was to be refused. Never leaves this package."""


class _Said(NamedTuple):
    kind: str
    message: str


def refusal(status: int, headers: Mapping[str, str], body: bytes, address: str) -> GtekitError | TooLongError:
    """Give the exception that an answer means.

    Args:
        status: Not 200.
        headers: Names in lower case.
        body: Of the answer.
        address: Of the server.
    """
    said = _read(body)
    if said.kind == "context_length_exceeded":
        return TooLongError(said.message)
    if said.kind in ARGUMENTS:
        return ArgumentError(said.message)
    request_id = headers.get("x-request-id")
    named = f" (request {request_id})" if request_id else ""
    fix = KINDS.get(said.kind, FIXES.get(status, ""))
    parts = [f"{address}: answers {status}{named}: {said.message.rstrip('.')}.", fix]
    return EndpointError(" ".join(part for part in parts if part))


def given_up(failure: Exception, patience: Patience) -> Exception:
    """Give the exception for a request that is sent no more, with the reason for that where it is one of ours."""
    if isinstance(failure, EndpointError):
        return EndpointError(f"{failure} Given up: {patience.why}.")
    return failure


def _read(body: bytes) -> _Said:
    """Read what is wrong, also in the words of other servers: OpenAI's, TEI's, Cohere's, FastAPI's."""
    try:
        said = json.loads(body)
    except ValueError:
        said = None
    if isinstance(said, dict):
        error = said.get("error")
        if isinstance(error, dict) and isinstance(error.get("message"), str):
            return _Said(str(error.get("kind") or ""), error["message"])
        for message in (error, said.get("message"), said.get("detail")):
            if isinstance(message, str):
                return _Said("", message[:SHOWN_CHARS])
    text = " ".join(body[:SHOWN_CHARS].decode("utf-8", "replace").split())
    return _Said("", text or "an empty body")
