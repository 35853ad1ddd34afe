"""Filters as SQL for LanceDB."""

import pytest
from hypothesis import given

from gtekit.index.filters import parse
from gtekit.index.lance.sql import where_sql
from tests.index.filter_cases import Case, cases
from tests.index.test_filters import COLUMNS as ALL_COLUMNS
from tests.index.test_filters import found

COLUMNS = {"n": "int", "s": "string", "b": "bool"}


@pytest.mark.parametrize(
    ("where", "sql"),
    [
        ("n = 1", "`n` = 1"),
        ("NOT n < 1", "`n` IS NOT NULL AND `n` >= 1"),
        ("NOT NOT n < 1", "`n` < 1"),
        ("n IN (1, 2)", "`n` IN (1, 2)"),
        ("NOT (n = 1 AND s = 'it''s')", "(`n` IS NOT NULL AND `n` <> 1) OR (`s` IS NOT NULL AND `s` <> 'it''s')"),
        ("NOT (n = 1 OR s IS NULL)", "(`n` IS NOT NULL AND `n` <> 1) AND (`s` IS NOT NULL)"),
        ("s NOT LIKE 'a%'", "`s` IS NOT NULL AND `s` NOT LIKE 'a%'"),
        ("id IN ('a') AND n IS NOT NULL", "(`id` IN ('a')) AND (`n` IS NOT NULL)"),
    ],
)
def test_no_not_stands_before_parentheses(where: str, sql: str) -> None:
    assert where_sql(parse(where, COLUMNS).predicate) == sql


@pytest.mark.parametrize(
    ("where", "sql"),
    [
        ("n>=1", "`n` >= 1"),
        ("1 < n", "`n` > 1"),
        ("n = 2.0", "`n` = 2"),
        ("x = 2", "`x` = 2.0"),
        ("x = -0.0", "`x` = 0.0"),
        ("n = - 5", "`n` = -5"),
        ("n != +5", "`n` <> 5"),
        ("b", "`b` = TRUE"),
        ("not b", "`b` IS NOT NULL AND `b` <> TRUE"),
        ("s = 'it''s'", "`s` = 'it''s'"),
        ('"Release Year" > 1999', "`Release Year` > 1999"),
        ("`Release Year` is not null", "`Release Year` IS NOT NULL"),
        ("s In ('a', 'b')", "`s` IN ('a', 'b')"),
        (r"s NOT LIKE 'a\%%'", r"`s` IS NOT NULL AND `s` NOT LIKE 'a\%%'"),
        ("n = 1 or n = 2 and b", "(`n` = 1) OR ((`n` = 2) AND (`b` = TRUE))"),
        ("(n = 1 or n = 2) and b", "((`n` = 1) OR (`n` = 2)) AND (`b` = TRUE)"),
        ("n\n=\t1", "`n` = 1"),
        ("id = '7'", "`id` = '7'"),
    ],
)
def test_filters_are_written_as_plain_sql(where: str, sql: str) -> None:
    assert where_sql(parse(where, ALL_COLUMNS).predicate) == sql


@given(cases())
def test_the_sql_finds_the_rows_of_the_filter(case: Case) -> None:
    written = where_sql(parse(case[0], ALL_COLUMNS).predicate)
    assert found(written) == found(case[0])
