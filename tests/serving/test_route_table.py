"""Which operation answers which path."""

import pytest

from gtekit.serving.problems import Kind, Problem
from gtekit.serving.route_table import ROUTES, RouteTable


def test_every_route_is_found_by_its_own_path() -> None:
    table = RouteTable(ROUTES)
    for route in ROUTES:
        path = route.path.replace("{model}", "thenlper%2Fgte-small").replace("{name}", "a")
        assert table.find(route.method, path) is route
        if route.method == "GET":
            assert table.find("HEAD", path) is route


def test_every_dialect_words_its_own_errors() -> None:
    table = RouteTable(ROUTES)
    for path, name in (("/v1/x", "openai"), ("/v2/x", "cohere"), ("/x", "tei"), ("/v1/rerank", "jina")):
        dialect = table.dialect(path)
        assert dialect.name == name
        assert b"why" in dialect.error_body(Problem(Kind.NO_ROUTE, "why"), dialect.status(Kind.NO_ROUTE), "id")


def test_one_operation_twice_is_a_mistake_that_shows_at_the_start() -> None:
    with pytest.raises(ValueError, match="twice"):
        RouteTable((*ROUTES, ROUTES[0]))
