from typing import Any

import numpy as np
import pytest

from gtekit.errors import ArgumentError, GtekitWarning
from gtekit.sentence_transformers import quantize_embeddings

RNG = np.random.default_rng(5)
VECTORS = RNG.standard_normal((120, 20), np.float32)


@pytest.mark.parametrize(("precision", "low", "dtype"), [("int8", -128, np.int8), ("uint8", 0, np.uint8)])
def test_bytes_use_the_whole_range_of_each_dimension(precision: Any, low: int, dtype: type) -> None:
    levels = quantize_embeddings(VECTORS, precision)
    assert levels.dtype == dtype
    assert (levels.min(0) == low).all()
    assert (levels.max(0) >= low + 254).all()  # floor: the largest value may round to one step below the top


def test_bits_hold_the_signs() -> None:
    bits = quantize_embeddings(VECTORS, "ubinary")
    assert bits.shape == (120, 3)
    np.testing.assert_array_equal(np.unpackbits(bits, axis=1)[:, :20], VECTORS > 0)
    np.testing.assert_array_equal(quantize_embeddings(VECTORS, "binary"), bits.astype(np.int16) - 128)


def test_float32_stays_as_it_is() -> None:
    assert quantize_embeddings(VECTORS, "float32") is VECTORS


def test_calibration_vectors_give_the_ranges_and_values_outside_are_clipped() -> None:
    levels = quantize_embeddings(VECTORS * 10, "int8", calibration_embeddings=VECTORS)
    assert levels.min() == -128
    assert levels.max() == 127
    ranges = np.stack([VECTORS.min(0), VECTORS.max(0)])
    np.testing.assert_array_equal(levels, quantize_embeddings(VECTORS * 10, "int8", ranges=ranges))


def test_one_vector_has_no_ranges_and_the_error_names_the_ways_out() -> None:
    with pytest.raises(ArgumentError, match=r"calibration_embeddings.*gtekit\.to_int8"):
        quantize_embeddings(VECTORS[:1], "int8")


def test_ranges_of_few_vectors_are_warned_about() -> None:
    with pytest.warns(GtekitWarning, match="taken from 10 vectors"):
        quantize_embeddings(VECTORS[:10], "uint8")


def test_an_unknown_precision_is_refused_with_the_choices() -> None:
    wrong: Any = "int4"
    with pytest.raises(ArgumentError, match="float32, int8, uint8, binary, ubinary"):
        quantize_embeddings(VECTORS, wrong)
