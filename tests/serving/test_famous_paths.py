"""What is not here is said with what is."""

import re

import pytest

from gtekit.serving.famous_paths import HINTS
from gtekit.serving.problems import Kind, Problem
from gtekit.serving.route_table import ROUTES, RouteTable

TABLE = RouteTable(ROUTES)


@pytest.mark.parametrize("path", HINTS)
def test_a_path_of_another_server_is_answered_with_what_to_use(path: str) -> None:
    with pytest.raises(Problem) as caught:
        TABLE.find("POST", path)
    assert caught.value.kind is Kind.NO_ROUTE
    assert caught.value.message == f"There is nothing at {path!r}. {HINTS[path]} All paths: GET /openapi.json"


@pytest.mark.parametrize("hint", dict.fromkeys(HINTS.values()))
def test_what_is_to_be_used_is_there(hint: str) -> None:
    named = re.findall(r"(?:[Uu]se |calls |and |OpenAI's, |: )(/[a-z0-9_/]*[a-z])", hint)
    assert all(TABLE.methods(path) for path in named)


def test_a_slash_too_many_is_said() -> None:
    with pytest.raises(Problem, match=r"'/v1/embeddings/'\. It is there without the slash at its end\. All paths"):
        TABLE.find("POST", "/v1/embeddings/")


def test_other_paths_have_no_hint() -> None:
    with pytest.raises(Problem, match=r"^There is nothing at '/x y'\. All paths: GET /openapi\.json$"):
        TABLE.find("GET", "/x%20y")
