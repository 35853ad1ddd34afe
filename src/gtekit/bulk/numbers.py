"""The number formats that vectors can be written in."""

from typing import Literal, get_args

from gtekit.arrays import Floats
from gtekit.files import Vectors
from gtekit.vectors import to_bits, to_float16, to_int8

NumberFormat = Literal["float32", "float16", "int8", "bits"]
NUMBER_FORMATS: tuple[NumberFormat, ...] = get_args(NumberFormat)


def convert(embeddings: Floats, form: NumberFormat) -> Vectors:
    """Turn float32 vectors (N, D) into what the output holds: int8 with a scale each, or D / 8 bytes of bits."""
    if form == "float16":
        return Vectors(to_float16(embeddings))
    if form == "int8":
        quantized = to_int8(embeddings)
        return Vectors(quantized.values, quantized.scales)
    if form == "bits":
        return Vectors(to_bits(embeddings))
    return Vectors(embeddings)
