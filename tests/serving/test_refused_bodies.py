"""A wrong body is told from another wrong body, and what was meant is guessed only where it can be."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gtekit.serving.inputs import decode
from gtekit.serving.problems import Kind, Problem


class Body(msgspec.Struct):
    input: str | list[str]
    model: str | None = None


class Strict(msgspec.Struct, forbid_unknown_fields=True):
    model: str | None = None


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
        (["a", 5], "input[1]: expected str, got int."),
        ([5, "a"], "input[0]: expected str, got int."),
        (["a", [1, 2]], "input[1]: expected str, got array."),
        ([[1, 2], ["a"]], "input[0]: expected str, got array."),
        ([[]], "input[0]: expected str, got array."),
        ([5, None], "input[0]: expected str, got int."),
    ],
)
def test_a_number_among_texts_is_no_token_id(texts: list[Any], message: str) -> None:
    problem = problem_of(Body, json.dumps({"input": texts}).encode())
    assert (problem.kind, problem.param, problem.message) == (Kind.INVALID_JSON, "input", message)


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
        (b'{"modle":"m"}', "modle", "object contains unknown field modle (did you mean model?)."),
        (b'{"quux":"m"}', "quux", "object contains unknown field quux."),
    ],
)
def test_a_field_that_is_refused_is_said_with_the_one_that_was_meant(body: bytes, param: str, message: str) -> None:
    problem = problem_of(Strict, body)
    assert (problem.param, problem.message) == (param, message)


def test_a_body_of_strange_names_makes_no_long_message() -> None:
    body = json.dumps({"x" * 1000 + str(number): 1 for number in range(1000)}).encode()
    assert len(problem_of(Body, body).message) < 600
    assert len(problem_of(Strict, body).message) < 1200  # msgspec names the first of them
