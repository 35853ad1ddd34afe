"""Vectors in fewer bytes come back as promised."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gtekit.arrays import Floats
from gtekit.cosines import l2_normalize, similarity, similarity_pairwise
from gtekit.errors import ArgumentError, ShapeError
from gtekit.vectors import from_bits, to_bits, to_float16, to_int8

ROWS = np.random.default_rng(0).standard_normal((50, 384)).astype(np.float32)
UNIT = l2_normalize(ROWS)

finite_rows = hnp.arrays(
    np.float32, st.tuples(st.integers(0, 5), st.integers(1, 40)), elements=st.floats(-1e6, 1e6, width=32)
)


@settings(max_examples=200, deadline=None)
@given(rows=finite_rows)
@example(rows=np.array([[1e-45]], np.float32))  # its scale, a 127th of it, is 0 in float32
def test_int8_is_off_by_half_a_scale_at_most(rows: Floats) -> None:
    quantized = to_int8(rows)
    assert quantized.values.dtype == np.int8
    assert quantized.scales.shape == (len(rows),) == (len(quantized),)
    error = np.abs(quantized.to_float32() - rows)
    # the rest is float32 rounding of the quotient and of the product
    assert (error <= quantized.scales[:, None] * (0.5 + 127 * 2**-22)).all()


def test_int8_of_one_vector_is_that_of_the_vector_among_others() -> None:
    together = to_int8(UNIT)
    alone = to_int8(UNIT[7:8])
    np.testing.assert_array_equal(alone.values[0], together.values[7])
    assert alone.scales[0] == together.scales[7]


def test_int8_of_zeros_is_zeros() -> None:
    assert not to_int8(np.zeros((1, 8), np.float32)).to_float32().any()


def test_int8_keeps_cosines() -> None:
    exact = similarity(UNIT[:5], UNIT)
    np.testing.assert_allclose(similarity(to_int8(UNIT[:5]), to_int8(UNIT)), exact, atol=5e-3)
    # the scales fall out of a cosine, so the bare values do as well
    np.testing.assert_allclose(similarity(to_int8(UNIT[:5]).values, to_int8(UNIT).values), exact, atol=5e-3)


def test_float16_halves_the_bytes_and_refuses_what_it_cannot_hold() -> None:
    halves = to_float16(UNIT)
    assert halves.dtype == np.float16
    np.testing.assert_allclose(halves, UNIT, atol=2**-12)
    np.testing.assert_allclose(similarity(halves, halves), similarity(UNIT, UNIT), atol=1e-3)
    with pytest.raises(ArgumentError, match=r"reach 1e\+06, float16 ends at 65504"):
        to_float16([[1e6]])


@settings(max_examples=100, deadline=None)
@given(rows=finite_rows)
def test_bits_are_the_signs(rows: Floats) -> None:
    bits = to_bits(rows)
    assert bits.shape == (len(rows), -(-rows.shape[1] // 8))
    np.testing.assert_array_equal(from_bits(bits, rows.shape[1]), np.where(rows > 0, 1, -1))


def test_the_first_number_is_in_the_highest_bit() -> None:
    assert to_bits([[1, -1, -1, -1, -1, -1, -1, -1, 1, 1]]).tolist() == [[0b10000000, 0b11000000]]


def test_bits_of_another_width_or_type_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"48\) and dtype uint8; 100 dimensions need uint8 of shape \(N, 13\)"):
        from_bits(to_bits(ROWS), 100)
    with pytest.raises(ShapeError, match="dtype float32"):
        from_bits(ROWS, 384)
    with pytest.raises(ArgumentError, match="packed bits"):
        similarity(to_bits(ROWS), to_bits(ROWS))


def test_no_vectors_have_no_similarities() -> None:
    nothing = np.empty((0, 384), np.float32)
    assert similarity(nothing, ROWS).shape == (0, 50)
    assert similarity_pairwise(nothing, nothing).shape == (0,)
    assert to_bits(nothing).shape == (0, 48)
    assert to_int8(nothing).to_float32().shape == (0, 384)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("shrink", [to_int8, to_float16])
def test_what_is_no_number_is_refused_with_its_place(shrink: Callable[[Floats], object], bad: float) -> None:
    rows = UNIT.copy()
    rows[7, 3] = bad
    with pytest.raises(ArgumentError, match=rf"embeddings\[7, 3\] is {bad}"):
        shrink(rows)
