"""The document describes the server that gives it: every route, every error, examples that work."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import pytest
from openapi_spec_validator import validate

import gtekit
from gtekit.serving.keys import sha256_of
from gtekit.serving.openapi import document, operation_id
from gtekit.serving.openapi_errors import MEANINGS
from gtekit.serving.openapi_media import EXAMPLES
from gtekit.serving.problems import Kind, Problem
from gtekit.serving.route_table import ROUTES
from gtekit.serving.settings import ServerSettings
from tests.serving.conftest import NAME, running
from tests.serving.raw_http import ask

DOCUMENT = document(ROUTES)
DIALECTS = {route.dialect.name: route.dialect for route in ROUTES}
INPUTS = [{"content": [{"type": "text", "text": "a"}]}]
TYPED = [route for route in ROUTES if route.request is not None]


@pytest.fixture(scope="module")
def url(minilm: gtekit.Embedder) -> Iterator[str]:
    with running({NAME: minilm}, ServerSettings(port=0, model=(NAME,), alias=(f"*={NAME}",), log="off")) as server:
        yield server.url


def test_it_is_an_openapi_document() -> None:
    validate(DOCUMENT)


def test_every_route_is_described_once() -> None:
    described = {(method.upper(), path) for path, methods in DOCUMENT["paths"].items() for method in methods}
    assert described == {(route.method, route.path) for route in ROUTES}
    names = [operation_id(route) for route in ROUTES]
    assert len(names) == len(set(names))


def test_the_server_gives_it_as_it_is(url: str) -> None:
    answer = ask(url, "GET", "/openapi.json")
    assert answer.status == 200
    assert json.loads(answer.plain()) == DOCUMENT


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS.keys())
@pytest.mark.parametrize("kind", Kind)
def test_every_problem_has_the_body_that_is_described(dialect: Any, kind: Kind) -> None:
    schema = {"$ref": f"#/components/schemas/{dialect.name}_error", "components": DOCUMENT["components"]}
    for param in (None, "input"):
        problem = Problem(kind, "What is wrong, and what to do.", param=param, retry_after_s=1.0)
        body = json.loads(dialect.error_body(problem, dialect.status(kind), "4f1c"))
        jsonschema_rs.validate(schema, body)


def test_every_kind_of_problem_has_a_meaning() -> None:
    assert set(MEANINGS) == set(Kind)


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_every_reference_leads_somewhere() -> None:
    found = set(references(DOCUMENT))
    assert len(found) > 50
    for reference in found:
        target: Any = DOCUMENT
        for name in reference.removeprefix("#/").split("/"):
            target = target[name]


def test_headers_that_are_too_long_get_the_body_that_is_described(url: str) -> None:
    answer = ask(url, "GET", "/info", headers={"x-long": "a" * 20_000})
    content = DOCUMENT["paths"]["/info"]["get"]["responses"]
    assert content["431"] == {"$ref": "#/components/responses/headers_431"}
    schema = DOCUMENT["components"]["responses"]["headers_431"]["content"]["application/json"]["schema"]
    assert answer.status == 431
    jsonschema_rs.validate({**schema, "components": DOCUMENT["components"]}, json.loads(answer.body))


@pytest.mark.parametrize("route", TYPED, ids=operation_id)
def test_the_examples_of_a_route_work_and_fit_its_types(url: str, route: Any) -> None:
    operation = DOCUMENT["paths"][route.path][route.method.lower()]
    content = operation["requestBody"]["content"]["application/json"]
    assert content.get("examples"), f"{route.method} {route.path} has no example."
    for example in content["examples"].values():
        jsonschema_rs.validate({**content["schema"], "components": DOCUMENT["components"]}, example["value"])
        sent = json.dumps(example["value"]).encode()
        answer = ask(url, route.method, route.path, sent, {"content-type": "application/json"})
        assert answer.status == 200, answer
        described = set(operation["responses"]["200"]["headers"]) - {"x-truncated-indices"}  # where some were cut
        assert described <= set(answer.headers)
        if answer.headers["content-type"] == "application/json":
            schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
            jsonschema_rs.validate({**schema, "components": DOCUMENT["components"]}, json.loads(answer.plain()))


@pytest.mark.parametrize("route", [route for route in ROUTES if route.method == "GET"], ids=operation_id)
def test_what_is_got_has_a_media_type_that_is_described(url: str, route: Any) -> None:
    path = route.path.replace("{model}", NAME).replace("{name}", "style.css")
    answer = ask(url, "GET", path, headers={"accept": "text/html"} if path == "/" else {})
    assert answer.status == 200, answer
    content = DOCUMENT["paths"][route.path]["get"]["responses"]["200"].get("content", {})
    if content:
        assert answer.headers["content-type"].partition(";")[0] in content
    else:
        assert not answer.body


def test_no_example_is_left_over() -> None:
    assert set(EXAMPLES) <= {f"{route.method} {route.path}" for route in ROUTES}


def test_the_routes_that_are_said_to_need_a_key_do_and_the_others_do_not(
    minilm: gtekit.Embedder, tmp_path: Path
) -> None:
    keys = tmp_path / "keys.toml"
    keys.write_text(f'[[key]]\nname = "one"\nsha256 = "{sha256_of("secret")}"\n')
    headers = {"content-type": "application/json"}
    with running({NAME: minilm}, ServerSettings(port=0, model=(NAME,), keys_file=keys, log="off")) as server:
        for route in ROUTES:
            path = route.path.replace("{model}", NAME).replace("{name}", "style.css")
            operation = DOCUMENT["paths"][route.path][route.method.lower()]
            without = ask(server.url, route.method, path, headers=headers)
            assert (without.status == 401) == bool(operation["security"]), path
            assert ("401" in operation["responses"]) == bool(operation["security"]), path
            with_key = ask(server.url, route.method, path, headers={**headers, "authorization": "Bearer secret"})
            assert with_key.status != 401, path


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/embeddings", {"input": ""}),
        ("/v1/embeddings", {"input": []}),
        ("/v1/embeddings", {"input": ["a", ""]}),
        ("/v1/embeddings", {"input": "a", "dimensions": 0}),
        ("/v1/embeddings", {"input": "a", "prompt_name": ""}),
        ("/v1/embeddings", {"input": "a", "task": "dance"}),
        ("/v1/embeddings", {"input": "a", "input_type": "query", "task": "dance"}),
        ("/v1/embeddings", {"input": "a", "late_chunking": True}),
        ("/embed", {"inputs": "a", "prompt_name": ""}),
        ("/similarity", {"inputs": {"source_sentence": "", "sentences": ["a"]}}),
        ("/similarity", {"inputs": {"source_sentence": "a", "sentences": []}}),
        ("/decode", {"ids": []}),
        ("/decode", {"ids": [-1]}),
        ("/decode", {"ids": [1, [2]]}),
        ("/v2/embed", {"model": NAME, "input_type": "search_query", "texts": []}),
        ("/v2/embed", {"model": NAME, "input_type": "search_query", "texts": [], "inputs": INPUTS}),
        ("/v2/embed", {"model": NAME, "input_type": "search_query", "inputs": [{"content": []}]}),
        ("/v2/embed", {"model": NAME, "input_type": "search_query", "texts": ["a"], "images": ["x"]}),
        ("/v2/embed", {"model": NAME, "input_type": "image", "texts": ["a"]}),
        ("/v1/rerank", {"query": "", "documents": ["a"]}),
        ("/v1/rerank", {"query": "a", "documents": []}),
        ("/v1/rerank", {"query": "a", "documents": [{"text": ""}]}),
        ("/encode", {"texts": ["a"], "max_tokens": 0}),
        ("/encode", {"texts": ["a"], "dimensions": 0}),
        ("/encode", {"texts": ["a"], "prompt": "", "prompt_name": ""}),
        ("/encode_chunks", {"texts": ["a"], "overlap_tokens": -1}),
        ("/token_states", {"texts": ["a"], "on_truncation": "chunk"}),
        ("/truncation_report", {"texts": ["a"], "max_tokens": 0}),
    ],
)
def test_what_is_always_refused_is_not_allowed_by_the_schema(url: str, path: str, body: dict[str, Any]) -> None:
    schema = DOCUMENT["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert not jsonschema_rs.is_valid({**schema, "components": DOCUMENT["components"]}, body)
    assert httpx.post(f"{url}{path}", json=body).status_code in (400, 422)
