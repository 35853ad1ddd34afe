"""Bodies and headers that no client should send, and the law that every answer to them obeys."""

import json
import math
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import jsonschema_rs
from hypothesis import strategies as st

from gtekit.serving.openapi import document
from gtekit.serving.route_table import ROUTES
from tests.serving.raw_http import Answer

POSTS = [route for route in ROUTES if route.method == "POST"]
DOCUMENT = document(ROUTES)
SPENT = 504  # the one status above 499 that a client brings about: it gave a deadline that has passed

# valid bodies, and what can be put in the place of any value in them


def examples(path: str) -> list[Any]:
    """The bodies that the document shows for a path."""
    shown = DOCUMENT["paths"][path]["post"]["requestBody"]["content"]["application/json"].get("examples", {})
    return [example["value"] for example in shown.values()]


LONG = "word " * 400
WITH_ALL_FIELDS: list[tuple[str, Any]] = [
    (
        "/v1/embeddings",
        {"input": [LONG, "a"], "model": "m", "encoding_format": "float", "dimensions": 384, "user": "u"},
    ),
    ("/v1/embeddings", {"input": LONG, "task": "text-matching", "embedding_type": "ubinary", "on_truncation": "chunk"}),
    (
        "/v1/embeddings",
        {"input": "a", "normalized": False, "truncate": True, "late_chunking": False, "input_type": "query"},
    ),
    (
        "/embed",
        {"inputs": [LONG], "truncate": True, "truncation_direction": "Left", "normalize": False, "dimensions": 384},
    ),
    ("/embed_all", {"inputs": "a b", "truncate": True, "truncation_direction": "left", "prompt_name": None}),
    ("/similarity", {"inputs": {"source_sentence": LONG, "sentences": ["b"]}, "parameters": {"truncate": True}}),
    ("/rerank", {"query": "a", "documents": ["b", {"text": LONG}], "top_n": 1, "return_documents": False}),
    ("/rerank", {"query": "a", "texts": [LONG], "truncate": True, "truncation_direction": "Right", "raw_scores": True}),
    ("/tokenize", {"inputs": ["a \U0001f600", LONG], "add_special_tokens": False, "prompt_name": None}),
    ("/decode", {"ids": [[101, 102], [2054]], "skip_special_tokens": False}),
    (
        "/v2/embed",
        {
            "model": "m",
            "input_type": "search_query",
            "inputs": [{"content": [{"type": "text", "text": LONG}]}],
            "max_tokens": 8,
            "output_dimension": 384,
            "truncate": "START",
            "priority": 1,
            "embedding_types": ["float", "int8", "uint8", "binary", "ubinary", "base64"],
        },
    ),
    (
        "/v2/rerank",
        {"model": "m", "query": LONG, "documents": ["b", LONG], "max_tokens_per_doc": 8, "priority": 3, "top_n": 9},
    ),
    ("/v1/rerank", {"query": "a", "documents": [{"text": "b"}, "c"], "top_n": 2, "return_documents": True}),
    (
        "/encode",
        {
            "texts": [LONG, ""],
            "prompt": "query: ",
            "max_tokens": 16,
            "on_truncation": "chunk",
            "normalize": False,
            "dimensions": 8,
            "encoding": "base64",
            "return_lengths": True,
        },
    ),
    ("/encode_chunks", {"texts": [LONG], "max_tokens": 16, "overlap_tokens": 2, "dimensions": 8, "prompt": "a "}),
    ("/token_states", {"texts": [LONG, "a"], "max_tokens": 16, "on_truncation": "ignore", "prompt": "a "}),
    ("/truncation_report", {"texts": [LONG], "max_tokens": 16, "prompt": "a "}),
]
TARGETS = [(route.path, body) for route in POSTS for body in examples(route.path)] + WITH_ALL_FIELDS
WEIRD: st.SearchStrategy[Any] = st.sampled_from(
    [
        *(None, True, False, 0, -1, 1, 2**31, 2**63, 2**64, 10**40, 1.5, -0.0, 1e308, math.nan, math.inf, -math.inf),
        *("", " ", "\x00", "\ud800", "\U0001f600", "é", "a" * 3000, "word " * 700, "‮", "[CLS] [SEP]", "%s%n", "base64"),
        *([], {}, [[]], [None], [""], ["a", 1], [101, 102], [[101, 102]], {"text": "a"}, {"": None}, ["x"] * 300),
    ]
)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def nodes(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where the values are in a body, the whole of it included."""
    found = [path]
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        found += nodes(inner, (*path, key))
    return found


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(copy[path[0]], path[1:], new)
    return copy


def without(value: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: inner for name, inner in value.items() if name != key}


@st.composite
def other_values(draw: st.DrawFn, body: Any) -> bytes:
    """A body with one value exchanged, one field left out, or one field that nobody knows."""
    change = draw(st.sampled_from(["exchange", "exchange", "exchange", "omit", "add"]))
    if change == "omit":
        body = without(body, draw(st.sampled_from(sorted(body))))
    elif change == "add":
        body = {**body, draw(st.text(max_size=12)): draw(WEIRD | ANY_JSON)}
    else:
        body = replaced(body, draw(st.sampled_from(nodes(body))), draw(WEIRD | ANY_JSON))
    return json.dumps(body, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")


@st.composite
def other_bytes(draw: st.DrawFn, body: Any) -> bytes:
    """A body of which single bytes are changed, lost or added."""
    whole = bytearray(json.dumps(body).encode())
    change = draw(st.sampled_from(["flip", "cut", "insert", "repeat key", "prefix", "suffix", "utf-16", "deep"]))
    place = draw(st.integers(0, len(whole) - 1))
    if change == "flip":
        whole[place] ^= 1 << draw(st.integers(0, 7))
    elif change == "cut":
        del whole[place:]
    elif change == "insert":
        whole[place:place] = draw(st.binary(min_size=1, max_size=6))
    elif change == "repeat key":
        key = json.dumps(draw(st.sampled_from(sorted(body)))).encode()
        whole[1:1] = key + b": " + json.dumps(draw(WEIRD)).encode() + b", "
    elif change == "prefix":
        whole[:0] = draw(st.sampled_from([b"\xef\xbb\xbf", b" \n\t", b"\x00", b"\xff\xfe", b"{}", b"// \n"]))
    elif change == "suffix":
        whole += draw(st.sampled_from([b" ", b"}", b"\x00", b",", b"{}", b"\n\n", b"\xff"]))
    elif change == "utf-16":
        return json.dumps(body).encode("utf-16")
    else:
        bracket = draw(st.sampled_from([b"[", b'{"a":', b'{"input":', b'{"texts":[']))
        return bracket * draw(st.sampled_from([10, 1000, 100_000]))
    return bytes(whole)


def bodies(body: Any) -> st.SearchStrategy[bytes]:
    """Everything that can become of a valid body, and bytes that never were one."""
    return other_values(body) | other_bytes(body) | st.binary(max_size=200) | ANY_JSON.map(_dumps)


def _dumps(value: Any) -> bytes:
    return json.dumps(value).encode()


TOKENS = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=20)
HEADERS: Mapping[str, st.SearchStrategy[str]] = {
    "content-type": st.sampled_from(
        [
            *("application/json", "application/json; charset=utf-8", "application/x-ndjson", "text/plain", "*/*", ""),
            *("application/json; charset=utf-16", "application/octet-stream", "multipart/form-data; boundary=x", ";"),
        ]
    )
    | TOKENS,
    "content-encoding": st.sampled_from(["identity", "gzip", "zstd", "br", "deflate", "gzip, gzip", "", "x"]) | TOKENS,
    "accept": st.sampled_from(
        [
            "application/json",
            "*/*",
            "application/octet-stream",
            "application/x-ndjson",
            "text/html",
            "image/png;q=0",
            "",
        ]
    )
    | TOKENS,
    "accept-encoding": st.sampled_from(["gzip", "zstd", "identity", "gzip;q=0, *", "*", "", "gzip;q=a"]) | TOKENS,
    "x-timeout-ms": st.sampled_from(["10000", "1", "0", "-5", "1e3", "nan", "inf", "9" * 40, "١", "", " 5 "])
    | st.sampled_from(["1" + "0" * 400, "0" * 19 + "1" + "9" * 400, "0" * 9000 + "1"])
    | TOKENS,
    "x-priority": st.sampled_from(["interactive", "bulk", "", "Bulk", "0"]) | TOKENS,
    "x-request-id": st.sampled_from(["abc", "a" * 300, "../..", "<script>", "\u00e9", ""]) | TOKENS,
    "authorization": st.sampled_from(["Bearer x", "Bearer", "Basic eDp5", "", "Bearer \u00e9", "Bearer a b"]) | TOKENS,
    "origin": st.sampled_from(["null", "http://evil.example", ""]) | TOKENS,
}
ANY_HEADERS = st.lists(
    st.sampled_from(sorted(HEADERS)).flatmap(lambda name: st.tuples(st.just(name), HEADERS[name])),
    max_size=4,
    unique_by=lambda header: header[0],  # twice is refused before it is a request
)

# the law


def dialect_of(path: str) -> set[str]:
    """In whose words an error of a path may be said: of its route, or by the look of the path."""
    path = path.split("?", maxsplit=1)[0]
    found = {"openai"} if path.startswith("/v1/") else {"cohere"} if path.startswith("/v2/") else {"tei"}
    for route in ROUTES:
        prefix, brace, _ = route.path.partition("{")
        if path == route.path:
            return {route.dialect.name}
        if brace and path.startswith(prefix):  # and what follows may be no name
            found.add(route.dialect.name)
    return found


@cache
def validator(name: str) -> jsonschema_rs.Draft202012Validator:
    """Checks a value against a schema of the document, or what an operation answers."""
    schema = {"$ref": name} if name.startswith("#") else _answer_schema(name)
    return jsonschema_rs.Draft202012Validator({**schema, "components": DOCUMENT["components"]})


def _answer_schema(path: str) -> dict[str, Any]:
    content = DOCUMENT["paths"][path]["post"]["responses"]["200"]["content"]
    return dict(content["application/json"]["schema"])


def check_error(answer: Answer, dialects: set[str]) -> None:
    """An error has a status of its own, the body of its dialect with all fields, and says when to come again."""
    assert 400 <= answer.status < 500 or answer.status == SPENT, (answer.status, answer.body)
    assert answer.headers["content-type"].startswith("application/json"), answer
    assert answer.headers["x-request-id"], answer
    body = json.loads(answer.plain())
    fitting = [name for name in dialects if validator(f"#/components/schemas/{name}_error").is_valid(body)]
    assert fitting, f"{body} has the shape of none of {dialects}"
    if answer.status in (429, 503):
        assert int(answer.headers["retry-after"]) >= 1
        assert int(answer.headers["retry-after-ms"]) >= 1


def check_answer(answer: Answer, path: str, sent: bytes) -> None:
    """Every answer is either right, or an error as its dialect has it."""
    if answer.status != 200:
        check_error(answer, dialect_of(path))
        return
    assert answer.headers["x-request-id"], answer
    if not answer.headers["content-type"].startswith("application/json"):
        assert answer.headers["content-type"] in DOCUMENT["paths"][path]["post"]["responses"]["200"]["content"]
        return
    body = json.loads(answer.plain(), parse_constant=_refuse_constant)
    validator(path).validate(body)
    count = COUNTS.get(path)
    if count is not None:
        # what nobody asked for is passed over unread, and need not be UTF-8
        texts, vectors = count(json.loads(sent.decode("utf-8", "replace")), body)
        assert texts == vectors, f"{texts} texts, {vectors} in the answer"


def _refuse_constant(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


def _length(value: Any) -> int:
    return len(value) if isinstance(value, list) else 1


def _top(sent: Any, name: str) -> int:
    top = sent.get("top_n")
    return len(sent[name]) if top is None else min(top, len(sent[name]))


COUNTS: Mapping[str, Callable[[Any, Any], tuple[int, int]]] = {  # what was sent and answered -> both counts
    "/v1/embeddings": lambda sent, got: (_length(sent["input"]), len(got["data"])),
    "/embeddings": lambda sent, got: (_length(sent["input"]), len(got["data"])),
    "/embed": lambda sent, got: (_length(sent["inputs"]), len(got)),
    "/embed_all": lambda sent, got: (_length(sent["inputs"]), len(got)),
    "/tokenize": lambda sent, got: (_length(sent["inputs"]), len(got)),
    "/similarity": lambda sent, got: (len(sent["inputs"]["sentences"]), len(got)),
    "/v2/rerank": lambda sent, got: (_top(sent, "documents"), len(got["results"])),
    "/v1/rerank": lambda sent, got: (_top(sent, "documents"), len(got["results"])),
}
