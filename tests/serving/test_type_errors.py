"""What is wrong with a value is said with its place and with what may stand there."""

from typing import Annotated, Any, Literal

import httpx
import msgspec
import pytest

from gtekit.serving.type_errors import explain, field_names
from tests.serving.conftest import RunningServer


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    side: Literal["left", "right"] = "left"


class Outer(msgspec.Struct, forbid_unknown_fields=True):
    kind: Literal["a", "b"] | None = None
    kinds: list[Literal["a", "b"]] = []
    inner: Inner | None = None
    several: list[str | Inner] = []
    count: Annotated[int, msgspec.Meta(ge=1)] | None = None
    name: Annotated[str, msgspec.Meta(min_length=1)] | None = None
    share: float = 0.0
    is_on: bool | None = None
    plain: str = msgspec.field(default="", name="other-name")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"kind": "c"}, "kind is 'c'; choose from: a, b"),
        ({"kind": 1}, "kind: expected text or null, got number; choose from: a, b"),
        ({"kinds": ["a", "c"]}, "kinds[1] is 'c'; choose from: a, b"),
        ({"inner": {"side": "up"}}, "inner.side is 'up'; choose from: left, right"),
        ({"several": ["x", {"side": "up"}]}, "several[1].side is 'up'; choose from: left, right"),
        ({"several": [1]}, "several[0]: expected text or object, got number"),
        ({"kind": "it's ` - at `$.kinds`"}, 'kind is "it\'s ` - at `$.kinds`"; choose from: a, b'),
        ({"count": 0}, "count: expected whole number >= 1"),
        ({"count": 1.5}, "count: expected whole number or null, got number that is not whole"),
        ({"name": ""}, "name: expected text that is not empty"),
        ({"share": "1"}, "share: expected number, got text"),
        ({"is_on": "yes"}, "is_on: expected true, false or null, got text"),
        ({"inner": {"sides": 1}}, "inner: unknown field sides (did you mean side?)"),
        ({"other_name": 1}, "unknown field other_name (did you mean other-name?)"),
        ({"x": 1}, "unknown field x; known are: kind, kinds, inner, several, count, name, share, is_on, other-name"),
        ([], "expected object, got list"),
        (None, "expected object, got null"),
    ],
)
def test_what_is_wrong_is_said_with_what_may_stand_there(value: Any, message: str) -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.json.decode(msgspec.json.encode(value), type=Outer)
    assert explain(caught.value, Outer).message == message


def test_a_value_and_a_name_that_are_long_are_not_repeated_whole() -> None:
    for value in ({"kind": "x" * 10_000}, {"x" * 10_000: 1}):
        with pytest.raises(msgspec.ValidationError) as caught:
            msgspec.convert(value, Outer)
        assert len(explain(caught.value, Outer).message) < 200


def test_names_of_fields_are_found_at_any_place_of_a_type() -> None:
    assert field_names(str | Outer, "several[3]") == ["side"]
    assert field_names(Outer, "kind") == []
    assert field_names(Outer, "nothing.here[0]") == []


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        (
            "/v1/embeddings",
            {"input": "a", "encoding_format": "hex"},
            "encoding_format is 'hex'; choose from: base64, float.",
        ),
        (
            "/embed",
            {"inputs": "a", "truncation_direction": "up"},
            "truncation_direction is 'up'; choose from: Left, Right, left, right.",
        ),
        (
            "/v2/embed",
            {"model": "m", "texts": ["a"], "input_type": "query"},
            "input_type is 'query'; choose from: classification, clustering, search_document, search_query.",
        ),
        (
            "/encode",
            {"texts": ["a"], "on_truncation": "cut"},
            "on_truncation is 'cut'; choose from: chunk, error, ignore, warn.",
        ),
        ("/encode", {"texts": ["a"], "encodng": "hex"}, "unknown field encodng (did you mean encoding?)."),
        ("/v1/rerank", {"query": "a", "documents": [1]}, "documents[0]: expected text or object, got number."),
        ("/rerank", {"query": "a", "texts": ["a", [1]]}, "texts[1]: expected text, got list."),
    ],
)
def test_every_dialect_says_what_may_stand_there(server: RunningServer, path: str, body: Any, message: str) -> None:
    answer = httpx.post(f"{server.url}{path}", json=body)
    assert answer.status_code in (400, 422)
    assert msgspec.json.encode(message)[1:-1] in answer.content.replace(b"\\u0027", b"'")


@pytest.mark.parametrize(
    ("query", "param", "message"),
    [
        ("encoding=hex", "encoding", "encoding is 'hex'; choose from: base64, float."),
        ("encodng=base64", "encodng", "unknown field encodng (did you mean encoding?)."),
        ("normalize=maybe", "normalize", "normalize: expected true, false or null, got text 'maybe'."),
        ("max_tokens=ten", "max_tokens", "max_tokens: expected whole number or null, got text 'ten'."),
        ("prompt_name=", "prompt_name", "prompt_name: expected text that is not empty."),
    ],
)
def test_a_query_string_is_refused_in_the_same_words(
    server: RunningServer, query: str, param: str, message: str
) -> None:
    lines = {"content-type": "application/x-ndjson"}
    answer = httpx.post(f"{server.url}/encode?{query}", content='"a"', headers=lines)
    error = answer.json()["error"]
    assert (answer.status_code, error["param"], error["message"]) == (400, param, f"query string: {message}")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"text": 5}', "text: expected text, got number."),
        ('{"texts": "a"}', "unknown field texts (did you mean text?)."),
        ('{"text": "a", "id": 1.5}', "id: expected whole number, text or null, got number that is not whole."),
        ("5", "expected text or object, got number."),
        (
            "\ufeff5",
            "it begins with the bytes ef bb bf 35, a byte-order mark or UTF-16. Send UTF-8 without a byte-order mark.",
        ),
        ("no", "it is not JSON: "),
    ],
)
def test_a_line_is_refused_in_the_same_words(server: RunningServer, line: str, reason: str) -> None:
    lines = {"content-type": "application/x-ndjson"}
    answer = httpx.post(f"{server.url}/encode", content=f'"a"\n{line}\n'.encode(), headers=lines)
    message = msgspec.json.decode(answer.content.splitlines()[-1])["error"]["message"]
    assert message.startswith(f'line 2 is neither a JSON string nor {{"text": "...", "id": ...}}: {reason}')
    assert "`" not in message


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_body_in_another_encoding_is_refused_with_the_one_to_send(server: RunningServer, encoding: str) -> None:
    body = '{"input": "a"}'.encode(encoding)
    answer = httpx.post(f"{server.url}/v1/embeddings", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].endswith("Send UTF-8 without a byte-order mark.")
