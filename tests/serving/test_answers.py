"""Vectors in an answer: whatever the form, the client reads the very same float32."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import gtekit
from gtekit.arrays import Floats
from gtekit.serving.answers import (
    SLICE_BYTES,
    SLICE_ROWS,
    RowWriter,
    base64_rows,
    binary_rows,
    float_rows,
    json_body,
    octet_body,
    octets,
    quoted_base64_rows,
    shape_header,
    slices,
    space_headers,
    truncation_headers,
    ubinary_rows,
)
from gtekit.serving.served_models import ServedModel

Embeddings = arrays(
    np.float32,
    st.tuples(st.integers(0, 5), st.integers(1, 20)),
    elements=st.floats(width=32, allow_nan=False, allow_infinity=False),
)


def bits(array: Floats) -> bytes:
    return np.ascontiguousarray(array, np.float32).tobytes()


@given(Embeddings)
def test_json_is_read_back_as_the_same_float32(embeddings: Floats) -> None:
    rows = [json.loads(row) for row in float_rows(embeddings)]
    assert bits(np.array(rows, np.float32).reshape(embeddings.shape)) == bits(embeddings)


@given(Embeddings)
def test_base64_and_octets_are_the_same_float32(embeddings: Floats) -> None:
    assert b"".join(map(base64.b64decode, base64_rows(embeddings))) == bits(embeddings)
    assert octets(embeddings) == bits(embeddings)


@pytest.mark.parametrize("write", [float_rows, base64_rows, binary_rows, ubinary_rows])
def test_rows_that_do_not_lie_side_by_side_are_written_too(write: RowWriter) -> None:
    embeddings = np.random.default_rng(0).standard_normal((6, 40)).astype(np.float32)
    apart = embeddings[::2, ::2]
    assert not apart.flags.c_contiguous
    assert write(apart) == write(np.ascontiguousarray(apart))
    assert octets(apart) == bits(apart)


@given(Embeddings)
def test_bits_are_the_signs(embeddings: Floats) -> None:
    unsigned = np.array([json.loads(row) for row in ubinary_rows(embeddings)], int)
    signed = np.array([json.loads(row) for row in binary_rows(embeddings)], int)
    assert (signed == unsigned - 128).all()
    if len(embeddings):
        signs = np.unpackbits(unsigned.astype(np.uint8), axis=1, count=embeddings.shape[1])
        assert (signs == (embeddings > 0)).all()


async def parts_of(body: bytes | AsyncIterator[bytes]) -> list[bytes]:
    return [body] if isinstance(body, bytes) else [part async for part in body]


@pytest.mark.parametrize("write", [float_rows, quoted_base64_rows])
@pytest.mark.parametrize("count", [0, 1, SLICE_ROWS, SLICE_ROWS + 1, 3 * SLICE_ROWS])
def test_a_body_of_json_has_all_rows_in_order_and_no_part_more_than_a_slice(count: int, write: RowWriter) -> None:
    embeddings = np.arange(count * 2, dtype=np.float32).reshape(count, 2)
    parts = asyncio.run(parts_of(json_body(b'{"rows":[', write, embeddings, b'],"n":1}')))
    assert b"".join(parts) == b'{"rows":[' + b",".join(write(embeddings)) + b'],"n":1}'
    assert len(json.loads(b"".join(parts))["rows"]) == count
    assert len(parts) == (1 if count <= SLICE_ROWS else -(-count // SLICE_ROWS) + 1)


@pytest.mark.parametrize(
    "rows", [[], [0], [1, 2], [1000, 0, 7], [SLICE_BYTES // 8], [SLICE_BYTES // 8 + 1], [9, 500_000]]
)
def test_a_body_of_octets_is_that_of_its_arrays_in_parts_of_bounded_size(rows: list[int]) -> None:
    arrays = [np.arange(2 * count, dtype=np.float32).reshape(count, 2)[:, ::-1] for count in rows]
    numbers = np.arange(3, dtype="<i4")
    parts = asyncio.run(parts_of(octet_body([*arrays, numbers])))
    assert b"".join(parts) == b"".join(map(bits, arrays)) + numbers.tobytes()
    assert max(map(len, parts)) < 2 * SLICE_BYTES
    assert (len(parts) == 1) == (8 * sum(rows) + 12 <= SLICE_BYTES)


def test_others_have_their_turn_between_slices() -> None:
    async def turns() -> list[str]:
        seen: list[str] = []

        async def other() -> None:
            seen.append("other")

        waiting = None
        async for rows in slices(float_rows, np.zeros((2 * SLICE_ROWS, 1), np.float32)):
            seen.append(f"{len(rows)} rows")
            waiting = waiting or asyncio.ensure_future(other())
        return seen

    assert asyncio.run(turns()) == [f"{SLICE_ROWS} rows", "other", f"{SLICE_ROWS} rows"]


def test_headers_say_how_many_texts_were_cut_and_which() -> None:
    whole = truncation_headers(SimpleNamespace(tokens=12, truncated=[]))
    assert whole == [("x-tokens", "12"), ("x-truncated-inputs", "0")]
    cut = dict(truncation_headers(SimpleNamespace(tokens=12, truncated=[0, 7])))
    assert cut == {"x-tokens": "12", "x-truncated-inputs": "2", "x-truncated-indices": "0,7"}
    many = dict(truncation_headers(SimpleNamespace(tokens=12, truncated=list(range(10_000)))))
    assert many["x-truncated-inputs"] == "10000"
    assert many["x-truncated-indices"].split(",") == [str(index) for index in range(100)]


def test_headers_say_which_space_vectors_are_in(minilm: gtekit.Embedder) -> None:
    scheduler = None
    served = ServedModel("klein/ä\r\nx", minilm, scheduler)  # type: ignore[arg-type]
    headers = dict(space_headers(served))
    assert headers["x-gtekit-fingerprint"] == minilm.fingerprint
    assert headers["x-gtekit-precision"] == minilm.precision
    assert headers["x-gtekit-model"] == "klein/%C3%A4%0D%0Ax"


def test_the_shape_of_octets_is_rows_and_columns() -> None:
    assert shape_header(np.zeros((3, 5), np.float32)) == ("x-gtekit-shape", "3,5")
