"""The OpenAPI document of a server: what routes, their types and the table of problems say."""

import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import msgspec
import orjson

from gtekit.serving.dialects.openai import OPENAI
from gtekit.serving.dialects.tei_shapes import TEI
from gtekit.serving.messages import JSON, Account, Request, Response
from gtekit.serving.openapi_errors import described_problems, error_response, error_schemas
from gtekit.serving.openapi_media import answer_media, examples_of, query_parameters, request_media, takes_priority
from gtekit.serving.problems import Kind
from gtekit.serving.routes import Route
from gtekit.serving.state import State
from gtekit.version import __version__

REFERENCE = "#/components/schemas/{name}"
DESCRIPTION = (
    "Text embeddings and reranking in the words of several APIs. Vectors are those of the library, to the last bit. "
    "Reranking is the cosine of query and document. What was cut is told in headers."
)
LABELS = {
    "openai": "OpenAI",
    "tei": "Text Embeddings Inference",
    "cohere": "Cohere v2",
    "jina": "Jina",
    "native": "gtekit: what gtekit.Client speaks",
}
PARAMETERS = {
    "timeout": {
        "name": "x-timeout-ms",
        "in": "header",
        "description": "How many milliseconds the client will wait; then the answer is 504.",
        "schema": {"type": "integer", "minimum": 1, "maximum": 86_400_000},
    },
    "priority": {
        "name": "x-priority",
        "in": "header",
        "description": "Which queue takes the texts; without it, requests of few tokens are interactive.",
        "schema": {"type": "string", "enum": ["interactive", "bulk"]},
    },
}
ANSWER_HEADERS = {
    "request_id": ("x-request-id", "The id of the request in the log: the client's, or a random one."),
    "tokens": ("x-tokens", "How many tokens were read."),
    "truncated": ("x-truncated-inputs", "How many texts were cut."),
    "truncated_indices": ("x-truncated-indices", "Their places, the first hundred; absent where none was cut."),
    "model": ("x-gtekit-model", "Which model gave the vectors."),
    "fingerprint": ("x-gtekit-fingerprint", "Of the space that they are in: vectors of one space can be compared."),
    "precision": ("x-gtekit-precision", "In which number format the model computed them: float32, int8, ..."),
    "retry_after": ("retry-after", "In how many seconds it is worth trying again."),
    "retry_after_ms": ("retry-after-ms", "The same in milliseconds."),
}
OF_VECTORS = ("tokens", "truncated", "truncated_indices", "model", "fingerprint", "precision")


def document(routes: Sequence[Route]) -> dict[str, Any]:
    """Describe routes as OpenAPI 3.1.

    Args:
        routes: All that the server answers; each type of a body is a msgspec type.
    """
    types = list(_types(routes))
    schemas, components = msgspec.json.schema_components(types, ref_template=REFERENCE)
    schema_of = dict(zip(map(_key, types), schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schema_of)
    dialects = list({route.dialect.name: route.dialect for route in routes}.values())
    return {
        "openapi": "3.1.0",
        "info": {"title": "gtekit", "version": __version__, "description": DESCRIPTION},
        "servers": [{"url": "/"}],
        "tags": [{"name": dialect.name, "description": LABELS.get(dialect.name, dialect.name)} for dialect in dialects],
        "paths": paths,
        "components": {
            "schemas": components | error_schemas([OPENAI, *dialects]),
            "responses": _error_responses(routes),
            "parameters": PARAMETERS,
            "headers": _headers(),
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "From `gtekit keys new`."}},
        },
    }


async def openapi(request: Request, state: State, account: Account) -> Response:
    """Answer with the document of this server."""
    return Response(body=_own_document())


@cache
def _own_document() -> bytes:
    from gtekit.serving import route_table  # which lists this module's route too

    return orjson.dumps(document(route_table.ROUTES))


def _types(routes: Iterable[Route]) -> Iterable[Any]:
    seen = set()
    for route in routes:
        for kind in (route.request, route.response):
            if kind is not None and _key(kind) not in seen:
                seen.add(_key(kind))
                yield kind


def _key(kind: object) -> str:
    return f"{kind!r}"  # list[float] is made anew each time it is written, and is not always hashable


def _operation(route: Route, schema_of: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": operation_id(route),
        "tags": [route.dialect.name],
        "summary": route.summary,
        "security": [] if route.is_open else [{"key": []}, {}],  # keys are asked for where the server has any
        "parameters": _parameters_of(route),
        "responses": {"200": _answer(route, schema_of)},
    }
    if route.request is not None:
        operation["requestBody"] = {"required": True, "content": _request_content(route, schema_of)}
    for status in described_problems(route):
        operation["responses"][str(status)] = {"$ref": f"#/components/responses/{route.dialect.name}_{status}"}
    operation["responses"]["431"] = {"$ref": "#/components/responses/headers_431"}
    return operation


def operation_id(route: Route) -> str:
    """Give a name that no other route has: post_v1_embeddings."""
    words = re.findall(r"\w+", route.path)
    return "_".join([route.method.lower(), *words]) if words else f"{route.method.lower()}_root"


def _parameters_of(route: Route) -> list[dict[str, Any]]:
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in re.findall(r"{(\w+)}", route.path)
    ]
    parameters += query_parameters(route)
    if route.request is not None:
        parameters.append({"$ref": "#/components/parameters/timeout"})
    if takes_priority(route):
        parameters.append({"$ref": "#/components/parameters/priority"})
    return parameters


def _request_content(route: Route, schema_of: dict[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] = {JSON: {"schema": schema_of[_key(route.request)]}}
    examples = examples_of(route)
    if examples:
        content[JSON]["examples"] = examples
    for media, schema in request_media(route).items():
        content[media] = {"schema": schema}
    return content


def _answer(route: Route, schema_of: dict[str, Any]) -> dict[str, Any]:
    headers = _header_references(["request_id", *(OF_VECTORS if takes_priority(route) else ())])
    answer: dict[str, Any] = {"description": route.response_text or "The answer.", "headers": headers}
    content = {media: {"schema": schema} for media, schema in answer_media(route).items()}
    if route.response is not None:
        content = {JSON: {"schema": schema_of[_key(route.response)]}} | content
    if content:
        answer["content"] = content
    return answer


def _error_responses(routes: Sequence[Route]) -> dict[str, Any]:
    kinds_of: dict[tuple[str, int], set[Kind]] = {}  # of all routes of a dialect: they share one description
    dialects = {route.dialect.name: route.dialect for route in routes}
    for route in routes:
        for status, kinds in described_problems(route).items():
            kinds_of.setdefault((route.dialect.name, status), set()).update(kinds)
    responses = {}
    for (name, status), found in sorted(kinds_of.items()):
        headers = ["request_id", *(["retry_after", "retry_after_ms"] if status in (429, 503) else [])]
        kinds = sorted(found, key=list(Kind).index)
        responses[f"{name}_{status}"] = error_response(dialects[name], kinds, _header_references(headers))
    # what is refused before it is a request has OpenAI's body, whatever its path
    responses["headers_431"] = error_response(OPENAI, [Kind.HEADERS], _header_references(["request_id"]))
    return responses


def _header_references(names: Iterable[str]) -> dict[str, Any]:
    return {ANSWER_HEADERS[name][0]: {"$ref": f"#/components/headers/{name}"} for name in names}


def _headers() -> dict[str, Any]:
    return {name: {"description": text, "schema": {"type": "string"}} for name, (_, text) in ANSWER_HEADERS.items()}


ROUTES = (
    Route(
        method="GET",
        path="/openapi.json",
        dialect=TEI,
        handler=openapi,
        summary="This document",
        response=dict[str, Any],
        is_open=True,
    ),
)
