"""A warning points at the line that called the package."""

import warnings
from pathlib import Path

import gtekit


def test_the_place_of_a_warning_is_the_callers_line(tiny_checkpoint: Path) -> None:
    model = gtekit.load(tiny_checkpoint)
    long = ["word " * 500]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.encode(long)
        model.encode_one(long[0])
        model.encode_query(long)
        list(model.encode_stream(long))
        model.token_states(long)
    assert [warning.category for warning in caught] == [gtekit.TruncationWarning] * 5
    assert {warning.filename for warning in caught} == {__file__}
    assert len({warning.lineno for warning in caught}) == 5
