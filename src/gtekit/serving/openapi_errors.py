"""What can go wrong on a route, and how each dialect says it: the part of the OpenAPI document about errors."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import orjson

from gtekit.serving.messages import JSON
from gtekit.serving.problems import Kind, Problem
from gtekit.serving.routes import Dialect, Route

_ANY = (Kind.INVALID_VALUE, Kind.FORBIDDEN, Kind.INTERNAL, Kind.UNAVAILABLE, Kind.DEADLINE)
_WITH_A_KEY = (Kind.UNAUTHORIZED, Kind.RATE_LIMIT)
_WITH_A_BODY = (
    *(Kind.INVALID_JSON, Kind.EMPTY, Kind.TOKEN_IDS, Kind.TOO_LONG, Kind.TOO_MANY, Kind.NO_MODEL),
    *(Kind.READ_TIMEOUT, Kind.TOO_LARGE, Kind.MEDIA_TYPE, Kind.OVERLOADED),
)
MEANINGS: Final[Mapping[Kind, str]] = {
    Kind.INVALID_JSON: "The body is no JSON, or a field has another type than described.",
    Kind.INVALID_VALUE: "A field or a header has a value that is not possible.",
    Kind.EMPTY: "There are no texts, or one of them is empty.",
    Kind.TOKEN_IDS: "Token ids were sent in place of texts.",
    Kind.TOO_LONG: "A text is longer than the model reads, and cutting was refused.",
    Kind.TOO_MANY: "There are more texts than one request may have.",
    Kind.UNAUTHORIZED: "The key is missing or unknown.",
    Kind.FORBIDDEN: "The key does not allow this, or a web page calls that was not named.",
    Kind.NO_ROUTE: "There is no such path.",
    Kind.NO_MODEL: "There is no model of that name.",
    Kind.METHOD: "The path does not take this method.",
    Kind.READ_TIMEOUT: "The request came too slowly.",
    Kind.TOO_LARGE: "The body is larger than the server takes.",
    Kind.MEDIA_TYPE: "The content-type or content-encoding of the body is not taken here.",
    Kind.RATE_LIMIT: "The key has used up what it may use in a minute.",
    Kind.OVERLOADED: "The server has as much to do as it takes.",
    Kind.HEADERS: "The request line and headers are too long.",
    Kind.GONE: "The client has hung up.",
    Kind.INTERNAL: "A bug of the server; the log has it under the request id.",
    Kind.UNAVAILABLE: "The server is starting or stopping.",
    Kind.DEADLINE: "The time that the client gave has passed.",
}


def _object(**properties: dict[str, Any]) -> dict[str, Any]:
    """An object that has exactly these properties."""
    required = list(properties)
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


_TEXT = {"type": "string", "minLength": 1}
_TEXT_OR_NULL = {"type": ["string", "null"]}
_TEI_TYPE = {"type": "string", "enum": ["Unhealthy", "Backend", "Overloaded", "Validation", "Tokenizer", "Empty"]}
_KIND = {"type": "string", "enum": [kind.value for kind in Kind]}
_BODIES: Final[Mapping[str, Any]] = {  # by the name of the dialect
    "openai": _object(error=_object(message=_TEXT, type=_TEXT, param=_TEXT_OR_NULL, code=_TEXT_OR_NULL)),
    "tei": _object(error=_TEXT, error_type=_TEI_TYPE),
    "cohere": _object(message=_TEXT, id=_TEXT),
    "jina": _object(detail=_TEXT),
    "native": _object(error=_object(kind=_KIND, message=_TEXT, param=_TEXT_OR_NULL, request_id=_TEXT)),
}


def described_problems(route: Route) -> dict[int, list[Kind]]:
    """Give the statuses above 399 that a route can answer with, ascending, and what each can mean there."""
    kinds = [*_ANY]
    if not route.is_open:
        kinds += _WITH_A_KEY
    if route.request is not None:
        kinds += _WITH_A_BODY
    elif not route.is_open:
        kinds.append(Kind.NO_MODEL)
    elif "{" in route.path:
        kinds.append(Kind.NO_ROUTE)
    by_status: dict[int, list[Kind]] = {}
    for kind in sorted(kinds, key=list(Kind).index):
        by_status.setdefault(route.dialect.status(kind), []).append(kind)
    return dict(sorted(by_status.items()))


def error_schemas(dialects: Iterable[Dialect]) -> dict[str, Any]:
    """Give the schema of each dialect's error body, by the name that `error_response` refers to."""
    return {_name(dialect): _BODIES[dialect.name] for dialect in dialects}


def error_response(dialect: Dialect, kinds: Sequence[Kind], headers: Mapping[str, Any]) -> dict[str, Any]:
    """Describe one status of one dialect, with the body of each kind of problem as an example."""
    status = dialect.status(kinds[0])
    examples = {
        kind.value: {"value": orjson.loads(dialect.error_body(Problem(kind, MEANINGS[kind]), status, "4f1c"))}
        for kind in kinds
    }
    return {
        "description": " ".join(MEANINGS[kind] for kind in kinds),
        "headers": headers,
        "content": {JSON: {"schema": {"$ref": f"#/components/schemas/{_name(dialect)}"}, "examples": examples}},
    }


def _name(dialect: Dialect) -> str:
    return f"{dialect.name}_error"
