"""The number formats that vectors can be written in."""

from typing import Literal, get_args

from gtekit.arrays import Floats
from gtekit.files import Vectors
from gtekit.vectors import to_bits, to_float16, to_int8

Dtype = Literal["float32", "float16", "int8", "bits"]
DTYPES: tuple[Dtype, ...] = get_args(Dtype)


def convert(embeddings: Floats, dtype: Dtype) -> Vectors:
    """Turn float32 vectors (N, D) into what the output holds: int8 with a scale each, or D / 8 bytes of bits."""
    if dtype == "float16":
        return Vectors(to_float16(embeddings))
    if dtype == "int8":
        quantized = to_int8(embeddings)
        return Vectors(quantized.values, quantized.scales)
    if dtype == "bits":
        return Vectors(to_bits(embeddings))
    return Vectors(embeddings)
