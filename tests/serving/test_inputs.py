"""Bodies and texts of requests: what is wrong is refused with its place, and nothing else is."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, cast

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gtekit
from gtekit.checkpoint.seeded import write_seeded_checkpoint
from gtekit.serving.encoding import Encoded, EncodeJob, Truncation
from gtekit.serving.inputs import (
    MOST_STRINGS,
    check_dimensions,
    check_texts,
    decode,
    embed,
    find_model,
    find_prompt,
    lane_of,
    read_json,
    shown,
    truncation_for,
)
from gtekit.serving.messages import Account, Request
from gtekit.serving.problems import Kind, Problem
from gtekit.serving.served_models import ServedModel, ServedModels
from gtekit.serving.settings import ServerSettings
from gtekit.serving.state import State


class Body(msgspec.Struct):
    input: str | list[str]
    count: Annotated[int, msgspec.Meta(ge=1)] = 1


class Named(msgspec.Struct):
    model: str
    count: int = 1


class Nested(msgspec.Struct):
    documents: list[str | Body]


def request(body: bytes = b"{}", **headers: str) -> Request:
    async def read() -> AsyncIterator[bytes]:
        yield body

    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(method="POST", path="/", query="", headers=named, request_id="1", client="127.0.0.1", read=read)


def problem_of(call: Any, *arguments: Any, **keywords: Any) -> Problem:
    with pytest.raises(Problem) as caught:
        call(*arguments, **keywords)
    return caught.value


def served(model: gtekit.Embedder) -> ServedModel:
    return ServedModel("small", model, cast("Any", None))


@pytest.fixture(scope="module")
def tiny(tiny_checkpoint: Path) -> ServedModel:
    return served(gtekit.load(tiny_checkpoint, language_warning=False))


@pytest.fixture(scope="module")
def prompted(tmp_path_factory: pytest.TempPathFactory) -> ServedModel:
    folder = write_seeded_checkpoint(tmp_path_factory.mktemp("prompted"), size="tiny")
    prompts = {"query": "query: ", "passage": "passage: ", "other": "other: "}
    settings = {"prompts": prompts, "default_prompt_name": "other"}
    (folder / "config_sentence_transformers.json").write_text(json.dumps(settings))
    return served(gtekit.load(folder, language_warning=False))


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=5))
def test_what_is_right_is_decoded_as_it_was_sent(texts: list[str]) -> None:
    for ascii_only in (True, False):
        body = json.dumps({"input": texts, "more": [1, {"x": None}]}, ensure_ascii=ascii_only).encode()
        assert decode(Body, body).input == texts


Json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["input", "count"]), inner),
)


@given(st.binary() | Json.map(lambda value: json.dumps(value).encode()))
def test_whatever_comes_is_decoded_or_a_problem(body: bytes) -> None:
    with suppress(Problem):  # and never another exception
        assert decode(Body, body).input == json.loads(body)["input"]


@pytest.mark.parametrize(
    ("body", "kind", "param", "message"),
    [
        (b"", Kind.INVALID_JSON, None, "the body is empty."),
        (b"{", Kind.INVALID_JSON, None, "the body is not JSON: Input data was truncated."),
        (b'{"input": "a"} b', Kind.INVALID_JSON, None, "not JSON"),
        (b'{"input": "\xff"}', Kind.INVALID_JSON, None, "not UTF-8"),
        (b'{"input": "\\ud800"}', Kind.INVALID_JSON, None, "half of a surrogate pair"),
        (b'{"input": "a", "count": NaN}', Kind.INVALID_JSON, None, "not JSON"),
        (b'{"input": "a", "x": ' + b"[" * 100_000, Kind.INVALID_JSON, None, "nested too deeply"),
        (b"[]", Kind.INVALID_JSON, None, "expected object, got list."),
        (b"{}", Kind.INVALID_JSON, "input", "object missing required field input."),
        (b'{"input": null}', Kind.INVALID_JSON, "input", "input: expected text or list, got null."),
        (b'{"input": ["a", null]}', Kind.INVALID_JSON, "input", "input[1]: expected text, got null."),
        (b'{"input": "a", "count": 0}', Kind.INVALID_JSON, "count", "count: expected whole number >= 1."),
        (b'{"input": "a", "count": ' + b"9" * 5000 + b"}", Kind.INVALID_JSON, "count", "count: integer value out of"),
        (b'{"input": [1, 2]}', Kind.TOKEN_IDS, "input", "input[0]: it holds token ids"),
        (b'{"input": ["a", [1, 2]]}', Kind.TOKEN_IDS, "input", "input[1]: it holds token ids"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(body: bytes, kind: Kind, param: str | None, message: str) -> None:
    problem = problem_of(decode, Body, body)
    assert (problem.kind, problem.param) == (kind, param)
    assert message in problem.message


def test_token_ids_are_refused_with_the_fix_of_langchain() -> None:
    for wrong in ([1], [[1, 2]]):
        for problem in (
            problem_of(decode, Body, json.dumps({"input": wrong}).encode()),
            problem_of(check_texts, wrong, ServerSettings(), "input"),
        ):
            assert problem.kind == Kind.TOKEN_IDS
            assert "check_embedding_ctx_length=False" in problem.message
            assert problem.message.startswith("input[0]")


def test_a_wrong_document_is_named_by_its_place() -> None:
    problem = problem_of(decode, Nested, b'{"documents": ["a", {"text": "b"}]}')
    assert problem.message == "documents[1]: object missing required field input."
    assert problem.param == "documents"


def test_a_body_of_very_many_strings_is_refused_before_they_are_made() -> None:
    strings = b'["' + b'","' * MOST_STRINGS + b'"]'
    problem = problem_of(decode, Body, b'{"input": ' + strings + b"}")
    assert problem.kind == Kind.TOO_MANY


def test_quotes_within_a_text_are_no_strings() -> None:
    text = '"\\' * (MOST_STRINGS + 1)
    assert decode(Body, json.dumps({"input": text}).encode()).input == text


@pytest.mark.parametrize(
    "content_type", ["application/json", "Application/JSON; charset=UTF-8", "application/json;x=y"]
)
def test_json_is_read(content_type: str) -> None:
    body = asyncio.run(read_json(request(b'{"input": "a"}', content_type=content_type), Body))
    assert body == Body("a")


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonp"])
def test_other_media_types_are_refused_with_what_to_send(content_type: str) -> None:
    problem = problem_of(asyncio.run, read_json(request(b'{"input": "a"}', content_type=content_type), Body))
    assert problem.kind == Kind.MEDIA_TYPE
    assert "-H 'content-type: application/json'" in problem.message


def test_another_charset_is_refused() -> None:
    sent = request(b'{"input": "a"}', content_type='application/json; charset="latin-1"')
    assert problem_of(asyncio.run, read_json(sent, Body)).kind == Kind.MEDIA_TYPE


def test_a_body_that_names_no_model_is_told_the_names(tiny: ServedModel) -> None:
    models = ServedModels([tiny], {"other": "small"})
    for body in (b'{"input": "a"}', b'{"model": null}'):
        problem = problem_of(asyncio.run, read_json(request(body, content_type="application/json"), Named, models))
        assert (problem.kind, problem.param) == (Kind.INVALID_JSON, "model")
        assert problem.message.endswith(f" Models here: {', '.join(models.names())}.")
        assert {"small", "other"} <= set(models.names())
    wrong = request(b'{"model": "small", "count": "a"}', content_type="application/json")
    assert "Models here" not in problem_of(asyncio.run, read_json(wrong, Named, models)).message


def test_one_text_is_a_list_of_one() -> None:
    assert check_texts("a", ServerSettings(), "input") == ["a"]
    assert check_texts([" ", "b"], ServerSettings(), "input") == [" ", "b"]


@pytest.mark.parametrize(
    ("texts", "kind", "message"),
    [
        ([], Kind.EMPTY, "input is empty; send at least one text."),
        ("", Kind.EMPTY, "input is an empty string"),
        (["a", "", ""], Kind.EMPTY, "input[1] is an empty string"),
        (["a"] * 4, Kind.TOO_MANY, "input has 4 texts, the limit is 3"),
        (["a", "b" * 11], Kind.TOO_LONG, "input[1] has 11 characters, the limit is 10"),
        (["a", None], Kind.INVALID_VALUE, "input[1] is a NoneType, expected a string."),
        (["a", 5], Kind.INVALID_VALUE, "input[1] is a int, expected a string."),
        (["a", True], Kind.INVALID_VALUE, "input[1] is a bool, expected a string."),
    ],
)
def test_texts_that_can_not_be_embedded_are_refused(texts: Any, kind: Kind, message: str) -> None:
    problem = problem_of(check_texts, texts, ServerSettings(max_texts=3, max_text_chars=10), "input")
    assert (problem.kind, problem.param) == (kind, "input")
    assert message in problem.message


def test_limits_are_the_last_that_is_taken() -> None:
    assert check_texts(["b" * 10] * 3, ServerSettings(max_texts=3, max_text_chars=10), "input") == ["b" * 10] * 3


def test_a_model_that_is_not_there_yet_is_worth_waiting_for() -> None:
    state = State(settings=ServerSettings(), models=None, keys=cast("Any", None), metrics=cast("Any", None))
    problem = problem_of(find_model, state, None)
    assert problem.kind == Kind.UNAVAILABLE
    assert problem.retry_after_s == 1


def test_prompts_are_found_by_name_role_and_default(prompted: ServedModel, tiny: ServedModel) -> None:
    assert find_prompt(prompted) == "other: "
    assert find_prompt(prompted, role="query") == "query: "
    assert find_prompt(prompted, role="document") == "passage: "
    assert find_prompt(prompted, name="query", role="document") == "query: "
    assert find_prompt(tiny) == find_prompt(tiny, role="query") == ""


def test_an_unknown_prompt_is_refused_with_those_that_there_are(prompted: ServedModel, tiny: ServedModel) -> None:
    problem = problem_of(find_prompt, prompted, name="x" * 1000)
    assert problem.param == "prompt_name"
    assert "it has: 'query', 'passage', 'other'" in problem.message
    assert len(problem.message) < 200
    assert "it has: none" in problem_of(find_prompt, tiny, name="query").message


@pytest.mark.parametrize(
    ("policy", "expected"), [("dialect", "start"), ("error", "error"), ("cut", "end"), ("chunk", "chunk")]
)
def test_the_policy_stands_in_for_the_default_of_a_dialect(policy: Any, expected: Truncation) -> None:
    assert truncation_for(ServerSettings(on_truncation=policy), "start") == expected


def test_the_lane_is_what_the_header_says() -> None:
    assert lane_of(request()) is None
    assert lane_of(request(x_priority="bulk")) == "bulk"
    assert problem_of(lane_of, request(x_priority="first")).kind == Kind.INVALID_VALUE


def test_shorter_vectors_need_leave(tiny: ServedModel) -> None:
    settings, allowing = ServerSettings(), ServerSettings(allow_dimensions=True)
    assert check_dimensions(tiny, None, settings) is None
    assert check_dimensions(tiny, 32, settings) is None
    assert check_dimensions(tiny, 1, allowing) == 1
    problem = problem_of(check_dimensions, tiny, 16, settings, "output_dimension")
    assert "--allow-dimensions" in problem.message
    assert problem.param == "output_dimension"
    for wrong in (0, -1, 33):
        assert "vectors of 1 to 32" in problem_of(check_dimensions, tiny, wrong, allowing).message


class Answering:
    """Gives every job the same answer."""

    def __init__(self, embeddings: Any) -> None:
        self._embeddings = np.asarray(embeddings, np.float32)

    async def encode(self, job: EncodeJob, account: Account) -> Encoded:
        """Give it."""
        return Encoded(
            embeddings=self._embeddings,
            lengths=np.array([3, 9]),
            truncated=[1],
            tokens=8,
            lane="bulk",
            cached=1,
            deduplicated=2,
            tokenization_s=0.25,
            queue_s=0.5,
            inference_s=2.0,
        )


def test_what_a_job_took_is_written_down(tiny: ServedModel) -> None:
    account, job = Account(), EncodeJob(texts=["a", "b"])
    answering = ServedModel("small", tiny.model, cast("Any", Answering([[1], [2]])))
    asyncio.run(embed(answering, job, account))
    asyncio.run(embed(answering, job, account))
    assert account == Account(
        model="small",
        lane="bulk",
        texts=4,
        tokens=16,
        truncated=2,
        cached=2,
        deduplicated=4,
        tokenization_s=0.5,
        queue_s=1.0,
        inference_s=4.0,
    )


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_a_number_that_is_none_is_never_sent(tiny: ServedModel, number: float) -> None:
    answering = ServedModel("small", tiny.model, cast("Any", Answering([[1], [number]])))
    problem = problem_of(asyncio.run, embed(answering, EncodeJob(texts=["a", "b"]), Account()))
    assert problem.kind == Kind.INTERNAL


def test_messages_show_no_more_than_the_beginning_of_what_was_sent() -> None:
    assert shown("it's\n") == '"it\'s\\n"'
    assert len(shown("x" * 1000)) < 100
