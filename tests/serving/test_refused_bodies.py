"""A wrong body is told from another wrong body, and what was meant is guessed only where it can be."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gtekit.serving.inputs import decode
from gtekit.serving.problems import Kind, Problem
from gtekit.serving.refused_bodies import MIXED_BYTES


class Body(msgspec.Struct):
    input: str | list[str]
    model: str | None = None


class Strict(msgspec.Struct, forbid_unknown_fields=True):
    model: str | None = None


class Ranked(msgspec.Struct):
    query: str
    documents: list[str]


class Named(msgspec.Struct):
    model: str
    inner: Body | None = None


def problem_of(kind: Any, body: bytes) -> Problem:
    with pytest.raises(Problem) as caught:
        decode(kind, body)
    return caught.value


@pytest.mark.parametrize(
    ("body", "half", "at"),
    [
        (rb'{"input":"\ud83d"}', r"\ud83d", 10),
        (rb'{"input":"\uD83D\n"}', r"\uD83D", 10),
        (rb'{"input":["a","\ud83d"],"model":"x"}', r"\ud83d", 15),
        (rb'{"input":"\ude00 and more"}', r"\ude00", 10),
        (rb'{"input":"\ud83d\u0041 and more"}', r"\ud83d", 10),
        (rb'{"input":"\ud83d\ude00\ude00 and more"}', r"\ude00", 22),
        (rb'{"input":"\ud83d\ud83d\ude00 and more"}', r"\ud83d", 10),
        (rb'{"input":"a","other":"\ud83d"}', r"\ud83d", 22),
    ],
)
def test_half_of_a_surrogate_pair_is_named_with_its_place(body: bytes, half: str, at: int) -> None:
    problem = problem_of(Body, body)
    assert problem.kind is Kind.INVALID_JSON
    assert problem.message.startswith(f"the body has {half} at byte {at}: half of a surrogate pair")


@pytest.mark.parametrize("whole", [rb'{"input":"\ud83d\ude00"}', rb'{"input":"\\ud83d x"}', rb'{"input":"plain"}'])
def test_a_body_that_was_cut_is_not_called_half_a_pair(whole: bytes) -> None:
    decode(Body, whole)
    for end in range(1, len(whole)):
        assert problem_of(Body, whole[:end]).message == "the body is not JSON: Input data was truncated."


@given(st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(exclude_categories=["Cs"])))
def test_the_place_is_that_of_the_half_wherever_it_stands(before: str, after: str) -> None:
    body = json.dumps({"input": f"{before}\ud800.{after}"}).encode()
    at = len(json.dumps({"input": before}).encode()) - 2
    assert problem_of(Body, body).message.startswith(rf"the body has \ud800 at byte {at}: half")


Ids = st.lists(st.integers(0, 10**9), min_size=1)


@given(Ids | st.lists(Ids, min_size=1))
def test_numbers_alone_are_token_ids(ids: list[Any]) -> None:
    problem = problem_of(Body, json.dumps({"input": ids}).encode())
    assert (problem.kind, problem.param) == (Kind.TOKEN_IDS, "input")


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["a", 5], "input[1]: expected text, got number."),
        ([5, "a"], "input[0]: expected text, got number."),
        (["a", ["b", 1]], "input[1]: expected text, got list."),
        (["a", ["b"], [1, 2]], "input[1]: expected text, got list."),
        ([[]], "input[0]: expected text, got list."),
        ([5, None], "input[0]: expected text, got number."),
    ],
)
def test_a_number_among_texts_is_no_token_id(texts: list[Any], message: str) -> None:
    problem = problem_of(Body, json.dumps({"input": texts}).encode())
    assert (problem.kind, problem.param, problem.message) == (Kind.INVALID_JSON, "input", message)


@pytest.mark.parametrize(("texts", "place"), [([[1, 2], "a"], 0), (["a", [1, 2]], 1), (["a", [3], None], 1)])
def test_a_list_of_numbers_among_texts_is_one_of_token_ids(texts: list[Any], place: int) -> None:
    problem = problem_of(Body, json.dumps({"input": texts}).encode())
    assert (problem.kind, problem.param) == (Kind.TOKEN_IDS, "input")
    assert problem.message.startswith(f"input[{place}]: it holds token ids")


@pytest.mark.parametrize(("documents", "got"), [([1], "number"), ([[1, 2]], "list"), (["a", [1]], "list")])
def test_documents_to_rank_are_never_taken_for_token_ids(documents: list[Any], got: str) -> None:
    problem = problem_of(Ranked, json.dumps({"query": "a", "documents": documents}).encode())
    assert problem.message == f"documents[{len(documents) - 1}]: expected text, got {got}."


def test_a_long_list_is_not_made_into_objects_to_be_looked_into() -> None:
    long = json.dumps({"input": ["a", [1], *[1] * MIXED_BYTES]}).encode()
    assert problem_of(Body, long).message == "input[1]: expected text, got list."


@pytest.mark.parametrize("begin", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_another_encoding_than_plain_utf_8_is_named(begin: str) -> None:
    body = '{"input":"a"}'.encode(begin)
    message = f"the body begins with the bytes {body[:4].hex(' ')}, a byte-order mark or UTF-16. Send UTF-8 without"
    assert problem_of(Body, body).message.startswith(message)


def test_a_nested_field_is_looked_into() -> None:
    assert problem_of(Named, b'{"model":"m","inner":{"input":[1,2]}}').kind is Kind.TOKEN_IDS
    assert problem_of(Named, b'{"model":"m","inner":{"input":[1,"a"]}}').kind is Kind.INVALID_JSON


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            b'{"inputs":"a"}',
            "object missing required field input; the body has inputs, which is no field here (did you mean input by "
            "inputs?).",
        ),
        (
            b'{"texts":["a"],"model":"m"}',
            "object missing required field input; the body has texts, which is no field here.",
        ),
        (b'{"model":"m"}', "object missing required field input."),
    ],
)
def test_a_missing_field_is_said_with_what_was_sent_instead(body: bytes, message: str) -> None:
    problem = problem_of(Body, body)
    assert (problem.param, problem.message) == ("input", message)


@pytest.mark.parametrize(
    ("body", "param", "message"),
    [
        (b'{"modle":"m"}', "modle", "unknown field modle (did you mean model?)."),
        (b'{"quux":"m"}', "quux", "unknown field quux; known are: model."),
    ],
)
def test_a_field_that_is_refused_is_said_with_the_one_that_was_meant(body: bytes, param: str, message: str) -> None:
    problem = problem_of(Strict, body)
    assert (problem.param, problem.message) == (param, message)


def test_a_body_of_strange_names_makes_no_long_message() -> None:
    body = json.dumps({"x" * 1000 + str(number): 1 for number in range(1000)}).encode()
    assert len(problem_of(Body, body).message) < 600
    assert len(problem_of(Strict, body).message) < 1200  # msgspec names the first of them
