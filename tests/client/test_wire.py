"""Requests and answers as bytes."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gtekit.client.wire import Reply, check_characters, post, read_rows, read_values
from gtekit.errors import ArgumentError, EndpointError


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]))))
def test_texts_come_out_of_json_as_they_went_in(texts: list[str]) -> None:
    ask = post("/encode", texts, {"prompt": "", "dimensions": None})
    assert ask.body is not None
    assert json.loads(ask.body) == {"texts": texts, "prompt": ""}


@given(st.integers(0, 5), st.integers(1, 4), st.integers(0, 3), st.integers(0, 3))
def test_rows_and_their_numbers_are_read_as_they_were_written(rows: int, columns: int, each: int, more: int) -> None:
    vectors = np.arange(rows * columns, dtype="<f4").reshape(rows, columns) / 3
    numbers = np.arange(rows * each + more, dtype="<i4")
    reply = Reply({"x-gtekit-shape": f"{rows},{columns}"}, vectors.tobytes() + numbers.tobytes())
    read = read_rows(reply, "http://there", numbers_a_row=each, numbers=more)
    assert read.vectors.tobytes() == vectors.tobytes()
    assert read.vectors.shape == (rows, columns)
    assert read.numbers.tolist() == numbers.tolist()


@pytest.mark.parametrize("shape", ["", "3", "a,b", "1,2,3", "-1,2", "2,3"])
def test_an_answer_of_another_length_than_it_says_is_refused(shape: str) -> None:
    with pytest.raises(EndpointError, match=r"http://there: .*gtekit serve"):
        read_rows(Reply({"x-gtekit-shape": shape}, b"\0" * 16), "http://there")


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"counts": 3}', b'{"counts": [1, 2]}', b"\xff"])
def test_an_answer_without_its_list_is_refused(body: bytes) -> None:
    with pytest.raises(EndpointError, match="no list 'counts'"):
        read_values(Reply({}, body), "counts", 3, "http://there")


def test_half_a_surrogate_pair_is_found_before_anything_is_sent() -> None:
    with pytest.raises(ArgumentError, match=r"texts\[7\] has '\\ud83d' at character 1: half of a surrogate pair"):
        check_characters(["fine", "a\ud83d"], 6)
