"""The language of filters: what it means, what it refuses and where it points."""

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gtekit.errors import ArgumentError
from gtekit.index.filters import Filter, parse
from gtekit.index.predicates import Column, column_of, like_regex, literal_sql
from tests.index.filter_cases import ROWS, Case, cases

COLUMNS = {"s": "string", "n": "int", "x": "float", "b": "bool", "Release Year": "int"}


def column(name: str) -> Column:
    kinds = {"id": "string", **COLUMNS}
    return column_of([row.get(name) for row in ROWS], kinds[name])


def found(where: str) -> list[str]:
    return [row["id"] for row, is_found in zip(ROWS, parse(where, COLUMNS).mask(column), strict=True) if is_found]


@given(cases())
def test_a_filter_means_what_plain_python_says(case: Case) -> None:
    where, meaning = case
    assert found(where) == [row["id"] for row in ROWS if meaning(row)]


@given(cases())
def test_not_finds_the_rest_but_for_rows_that_are_neither(case: Case) -> None:
    where, meaning = case
    neither = {row["id"] for row in ROWS if meaning(row) is None}
    assert sorted([*found(where), *found(f"NOT ({where})"), *neither]) == sorted(row["id"] for row in ROWS)


def test_a_text_that_ends_in_nul_is_not_the_one_without() -> None:
    assert found("s = 'a'") == ["0"]
    assert found("s = 'a\0'") == found("s IN ('a\0')") == found("s LIKE 'a\0'") == ["11"]
    assert found("s = '\0'") == []


def test_a_filter_knows_its_columns() -> None:
    assert parse("n = 1 AND (s IS NULL OR n > 2)", COLUMNS).names == {"n", "s"}


@pytest.mark.parametrize(
    ("where", "position", "message"),
    [
        ("", 1, "a filter is expected"),
        ("  ", 3, "a filter is expected"),
        ("n >", 4, "a value is expected .* found the end"),
        ("n > > 1", 5, "a value is expected .* found '>'"),
        ("year = 1", 1, "no column 'year'; there are: id, s, n, x, b, Release Year"),
        ('s = "a"', 5, "a value is expected"),
        ('"a" = s', 1, "text stands in single quotes: 'a'"),
        ("n = 'a'", 5, "holds int, which can't be compared with string"),
        ("s = 1", 5, "holds string, which can't be compared with int"),
        ("s = TRUE", 5, "holds string"),
        ("n = TRUE", 5, "holds int"),
        ("n = 1.5", 5, "holds whole numbers"),
        ("b > TRUE", 3, "has no order"),
        ("TRUE < b", 6, "has no order"),
        ("n == 1", 3, "== is written ="),
        ("n = NULL", 5, "write IS NULL"),
        ("n IN (1, NULL)", 10, "write IS NULL"),
        ("n IN ()", 7, "a value is expected"),
        ("n IN (1", 8, r"\) is expected, found the end"),
        ("n NOT 1", 7, "IN or LIKE is expected after NOT"),
        ("n LIKE 'a'", 8, "LIKE compares text"),
        (r"s LIKE 'a\b'", 8, "stands before"),
        ("s LIKE 'a\\'", 8, "stands before"),
        ("s = 'open", 5, "no closing quote"),
        ("`n = 1", 1, "no closing backtick"),
        ("n = 1; DROP TABLE x", 6, "';' has no meaning"),
        ("n = 1 -- rest", 7, "AND, OR or the end is expected"),
        ("n = 1 n = 2", 7, "AND, OR or the end is expected"),
        ("n", 2, "a comparison, IN, LIKE or IS is expected after 'n'"),
        ("n = s", 5, "a value is expected"),
        ("1 = 1", 5, "one side has to be one"),
        ("1", 2, "a comparison is expected"),
        ("n = 9223372036854775808", 5, "64 bits"),
        ("x = 1e999", 5, "too large"),
        ("n = 1)", 6, "the end is expected"),
        ("(n = 1", 7, r"\) is expected"),
        ("(" * 65 + "n = 1" + ")" * 65, 65, "more than 64"),
        ("NOT " * 100_000 + "b", 257, "more than 64"),
    ],
)
def test_what_cannot_be_read_is_pointed_at(where: str, position: int, message: str) -> None:
    with pytest.raises(ArgumentError, match=message) as caught:
        parse(where, COLUMNS)
    first, excerpt, caret = str(caught.value).split("\n")
    assert first.startswith(f"filter, character {position}: ")
    assert position > len(where) or excerpt[caret.index("^")] == re.sub(r"\s", " ", where)[position - 1]


WORDS = [*"nsxb ()='\"`%\\,-+.;<>!019\0é", " AND ", " OR ", "NOT ", " IN ", " LIKE ", " IS NULL", "'a'", "b=TRUE"]


@given(st.lists(st.sampled_from(WORDS), max_size=12).map("".join))
def test_any_text_is_read_or_refused(where: str) -> None:
    try:
        chosen = parse(where, COLUMNS)
    except ArgumentError:
        return
    assert isinstance(chosen, Filter)
    assert chosen.mask(column).shape == (len(ROWS),)


def test_a_filter_of_many_parts_needs_no_deep_stack() -> None:
    assert found(" OR ".join(f"n = {number}" for number in range(5000))) == found("n >= 0 AND n < 5000")
    assert found(f"n IN ({', '.join(map(str, range(50_000)))})") == found("n >= 0 AND n < 50000")


def test_what_is_no_text_or_too_long_is_refused() -> None:
    for bad in (None, 5, b"n = 1", "n = 1 OR " * 200_000):
        with pytest.raises(ArgumentError, match="where"):
            parse(bad, COLUMNS)  # type: ignore[arg-type]


def test_an_empty_column_gives_an_empty_mask() -> None:
    for where in ("s = 'a' AND n < 1", "b OR s LIKE '%'", "x IN (1.0) AND id IS NULL"):
        mask = parse(where, COLUMNS).mask(lambda name: column_of([], {"id": "string", **COLUMNS}[name]))
        assert mask.shape == (0,)
        assert mask.dtype == np.bool_


@given(st.text(), st.text())
def test_a_pattern_with_everything_escaped_matches_itself_alone(pattern: str, other: str) -> None:
    escaped = re.sub(r"([%_\\])", r"\\\1", pattern)
    assert like_regex(escaped).fullmatch(pattern)
    assert (like_regex(escaped).fullmatch(other) is not None) == (pattern == other)


@pytest.mark.parametrize(("value", "written"), [(True, "TRUE"), (1, "1"), (1e16, "1e+16"), ("a'b", "'a''b'")])
def test_values_are_written_as_sql(value: Any, written: str) -> None:
    assert literal_sql(value) == written


def matches(pattern: str, text: str) -> bool:
    """What % and _ mean, by trying everything."""
    if not pattern:
        return not text
    if pattern[0] == "%":
        return any(matches(pattern[1:], text[first:]) for first in range(len(text) + 1))
    return bool(text) and pattern[0] in ("_", text[0]) and matches(pattern[1:], text[1:])


@settings(max_examples=300)
@given(st.text("ab%_", max_size=7), st.text("ab\n", max_size=8))
def test_like_finds_what_trying_everything_finds(pattern: str, text: str) -> None:
    assert (like_regex(pattern).fullmatch(text) is not None) == matches(pattern, text)


@pytest.mark.parametrize("pattern", ["%a" * 12 + "%b", "%_a" * 12 + "%b", "%a_" * 12 + "%b", "a%" * 12 + "b"])
def test_many_wildcards_take_no_longer_in_a_long_text(pattern: str) -> None:
    text = "a" * 100_000  # trying all places for each took as good as forever
    assert like_regex(pattern).fullmatch(text) is None
    assert like_regex(pattern).fullmatch(text + "b")
