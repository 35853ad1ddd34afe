"""Examples of bodies, and the media types beside JSON: the part of the OpenAPI document that types do not say."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from gtekit.serving.messages import JSON, NDJSON, OCTETS
from gtekit.serving.routes import Route

_BYTES = {"type": "string", "format": "binary"}
_TEXT = {"type": "string"}
_STATUS = {"type": "object", "properties": {"status": {"type": "string"}}, "required": ["status"]}
_LINES_IN = {
    "type": "string",
    "description": 'A line a text: a JSON string, or {"text": "...", "id": ...}. Any length, read as it comes.',
}
_LINES_OUT = {
    "type": "string",
    "description": 'A line a text: {"index": 0, "embedding": [...], "tokens": 9}; what breaks later is a last line '
    '{"error": {...}}.',
}
_QUERY = "Which planet is known as the red planet?"
_DOCUMENTS = ["Venus is often called the twin of Earth.", "Mars is red because of the iron in its soil."]
_MODEL = "gte-small"

_REQUESTS: Final[Mapping[str, Mapping[str, Any]]] = {"POST /encode": {NDJSON: _LINES_IN}}
_ANSWERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "POST /encode": {OCTETS: _BYTES, NDJSON: _LINES_OUT},
    "POST /encode_chunks": {OCTETS: _BYTES},
    "POST /token_states": {OCTETS: _BYTES},
    "POST /v1/embeddings": {OCTETS: _BYTES},
    "POST /embeddings": {OCTETS: _BYTES},
    "POST /embed": {OCTETS: _BYTES},
    "POST /": {OCTETS: _BYTES},
    "GET /metrics": {"text/plain": _TEXT},
    "GET /": {"text/html": _TEXT, "text/plain": _TEXT},
    "GET /page/{name}": {"text/css": _TEXT, "text/javascript": _TEXT, "image/svg+xml": _TEXT},
    "GET /live": {JSON: _STATUS},
    "GET /startup": {JSON: _STATUS},
    "GET /ready": {JSON: _STATUS},
}
_NO_PRIORITY: Final = frozenset(  # these wait in no queue, or always behind others
    f"POST /{name}"
    for name in ("tokenize", "decode", "count_tokens", "tokens", "token_places", "truncation_report", "encode_chunks")
)
_MODEL_IN_QUERY: Final[dict[str, Any]] = {
    "name": "model",
    "in": "query",
    "description": "Which of several models, by its name or an alias; without it the first.",
    "schema": {"type": "string"},
}
_QUERY_PARAMETERS: Final[Mapping[str, Sequence[dict[str, Any]]]] = {
    "GET /info": [_MODEL_IN_QUERY],
    "GET /model": [_MODEL_IN_QUERY],
}
EXAMPLES: Final[Mapping[str, Mapping[str, Any]]] = {
    "POST /v1/embeddings": {
        "one text": {"input": _QUERY, "model": _MODEL},
        "a list, in base64": {"input": _DOCUMENTS, "model": _MODEL, "encoding_format": "base64"},
    },
    "POST /embeddings": {"a list": {"input": _DOCUMENTS, "model": _MODEL}},
    "POST /embed": {"a list": {"inputs": _DOCUMENTS}, "refuse what is too long": {"inputs": _QUERY, "truncate": False}},
    "POST /": {"a list": {"inputs": _DOCUMENTS}},
    "POST /embed_all": {"a list": {"inputs": _DOCUMENTS}},
    "POST /similarity": {"a sentence": {"inputs": {"source_sentence": _QUERY, "sentences": _DOCUMENTS}}},
    "POST /rerank": {"as TEI": {"query": _QUERY, "texts": _DOCUMENTS, "return_text": True}},
    "POST /tokenize": {"a list": {"inputs": _DOCUMENTS}},
    "POST /decode": {"ids": {"ids": [101, 2054, 2003, 102]}},
    "POST /v2/embed": {
        "documents": {
            "model": _MODEL,
            "input_type": "search_document",
            "texts": _DOCUMENTS,
            "embedding_types": ["float", "int8"],
        }
    },
    "POST /v2/rerank": {"two documents": {"model": _MODEL, "query": _QUERY, "documents": _DOCUMENTS, "top_n": 1}},
    "POST /v1/rerank": {"two documents": {"model": _MODEL, "query": _QUERY, "documents": _DOCUMENTS}},
    "POST /encode": {"a list": {"texts": _DOCUMENTS}},
    "POST /encode_chunks": {"a list": {"texts": _DOCUMENTS}},
    "POST /token_states": {"a list": {"texts": _DOCUMENTS}},
    "POST /count_tokens": {"a list": {"texts": _DOCUMENTS}},
    "POST /tokens": {"a list": {"texts": _DOCUMENTS}},
    "POST /token_places": {"a list": {"texts": _DOCUMENTS}},
    "POST /truncation_report": {"a list": {"texts": _DOCUMENTS}},
}


def request_media(route: Route) -> Mapping[str, Any]:
    """Give the media types that a route takes beside JSON, each with its schema."""
    return _REQUESTS.get(_name(route), {})


def answer_media(route: Route) -> Mapping[str, Any]:
    """Give the media types that a route answers with beside JSON, each with its schema."""
    return _ANSWERS.get(_name(route), {})


def takes_priority(route: Route) -> bool:
    """Say whether a route reads the header x-priority."""
    return route.request is not None and _name(route) not in _NO_PRIORITY


def query_parameters(route: Route) -> Sequence[dict[str, Any]]:
    """Give what a route reads from its query string."""
    return _QUERY_PARAMETERS.get(_name(route), ())


def examples_of(route: Route) -> dict[str, Any]:
    """Give examples of a body, by what they show."""
    return {summary: {"value": body} for summary, body in EXAMPLES.get(_name(route), {}).items()}


def _name(route: Route) -> str:
    return f"{route.method} {route.path}"
