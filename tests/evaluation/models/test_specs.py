"""The names of models on the command line."""

import pytest

from gtekit.errors import ArgumentError
from gtekit.evaluation.models.specs import ModelSpec, parse_spec, with_precisions


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("gte-small", ModelSpec("gtekit", "gte-small")),
        ("gte-small@int8", ModelSpec("gtekit", "gte-small", "int8")),
        ("thenlper/gte-small@float32", ModelSpec("gtekit", "thenlper/gte-small", "float32")),
        ("gtekit:gte-small", ModelSpec("gtekit", "gte-small")),
        ("./folder@home", ModelSpec("gtekit", "./folder@home")),
        ("C:\\models\\gte", ModelSpec("gtekit", "C:\\models\\gte")),
        ("openai:text-embedding-ada-002", ModelSpec("openai", "text-embedding-ada-002")),
        ("openai:org/model:free", ModelSpec("openai", "org/model:free")),
        ("sentence-transformers:sentence-t5-xxl", ModelSpec("sentence-transformers", "sentence-t5-xxl")),
        ("sentence-transformers/all-MiniLM-L6-v2", ModelSpec("gtekit", "sentence-transformers/all-MiniLM-L6-v2")),
    ],
)
def test_a_name_says_who_runs_the_model_and_how(text: str, spec: ModelSpec) -> None:
    assert parse_spec(text) == spec


@pytest.mark.parametrize("text", ["", "  ", "openai:", "gtekit: "])
def test_no_name_is_an_error_that_shows_some(text: str) -> None:
    with pytest.raises(ArgumentError, match=r"names no model\. Choose gte-small, gte-small@int8"):
        parse_spec(text)


def test_a_precision_for_somebody_else_s_model_is_an_error() -> None:
    with pytest.raises(ArgumentError, match="leave out @int8"):
        parse_spec("sentence-transformers:gte-small@int8")


def test_each_model_without_a_precision_runs_in_all_of_them_once() -> None:
    specs = [parse_spec(text) for text in ("gte-small", "gte-base@int8", "openai:ada", "gte-small@int8")]
    assert list(map(str, with_precisions(specs, ["float32", "int8"]))) == [
        "gte-small@float32",
        "gte-small@int8",
        "gte-base@int8",
        "openai:ada",
    ]
