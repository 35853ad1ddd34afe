"""Values as JSON: null for what is no number, text for dates, and everything else as it is."""

import json
import math
from datetime import UTC, date, datetime, time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gtekit.errors import FileFormatError
from gtekit.files import json_text

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=["Cs"]))
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
)


def refuse(constant: str) -> None:
    raise AssertionError(constant)


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: plain(part) for name, part in value.items()}
    if isinstance(value, list):
        return [plain(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


@given(VALUES)
def test_what_comes_back_differs_in_numbers_that_are_none_alone(value: Any) -> None:
    assert json.loads(json_text(value), parse_constant=refuse) == plain(value)


def test_dates_have_a_form_at_any_depth_and_bytes_have_none() -> None:
    value = {"a": [date(2024, 1, 2), {"b": (time(3, 4), float("nan"))}], "c": datetime(2024, 1, 2, tzinfo=UTC)}
    assert json.loads(json_text(value)) == {
        "a": ["2024-01-02", {"b": ["03:04:00", None]}],
        "c": "2024-01-02T00:00:00+00:00",
    }
    for bad in (b"x", [float("nan"), b"x"]):
        with pytest.raises(FileFormatError, match="bytes"):
            json_text(bad)
