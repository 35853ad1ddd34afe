"""The metadata of passages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gtekit.index
from gtekit.index import Space
from gtekit.index.build.columns import OWN, Columns, column_name

VALUES = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
FIELDS = st.dictionaries(st.text(max_size=8), VALUES | st.text(st.characters(exclude_categories=["Cs"]), max_size=5))


@pytest.mark.parametrize("name", [*OWN, "id", "text", "vector"])
def test_names_that_are_taken_get_an_underscore(name: str) -> None:
    assert column_name(name) == f"{name}_"


def test_numbers_and_words_are_fitted_to_the_type_of_their_column() -> None:
    columns = Columns({"n": "int", "x": "float", "s": "string"})
    assert columns.fit({"n": 2.0, "x": 1, "s": True, "new": False}) == {"n": 2, "x": 1.0, "s": "True", "new": False}
    other = {"n_text": "2.5", "x_text": "many", "new_text": "1"}
    assert columns.fit({"n": 2.5, "x": "many", "new": 1.0, "s": None}) == other
    assert (columns.as_text, columns.dropped) == ({"n": 1, "x": 1, "new": 1}, {})
    assert columns.fit({"x": 2**53 + 1}) == {"x_text": str(2**53 + 1)}  # which no float is


def test_values_that_cannot_be_kept_under_any_name_are_counted() -> None:
    columns = Columns({"n": "int", "n_text": "bool"})
    assert columns.fit({"n": "many", "a.b": 1, "a_b": 2}) == {"a_b": 1}
    assert columns.dropped == {"n": 1, "a_b": 1}


@given(st.lists(FIELDS, max_size=5))
def test_an_index_takes_whatever_fields_come(rows: list[dict[str, object]]) -> None:
    with gtekit.index.in_memory(Space("f", "m", 2)) as index:
        columns = Columns(index.columns)
        for number, fields in enumerate(rows):
            index.upsert([str(number)], vectors=[[1.0, 0.0]], metadata=[columns.fit(fields)])  # type: ignore[arg-type]
        assert index.count() == len(rows)
