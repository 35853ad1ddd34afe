"""The body of an answer in the shape of OpenAI's embeddings, made into vectors; whatever is none is refused."""

import base64
import binascii
import json
from collections.abc import Mapping

import numpy as np

from gtekit.arrays import Floats

SHOWN_CHARACTERS = 200


class NoEmbeddingsError(ValueError):
    """An answer that is no embeddings; the message says why, as the end of a sentence."""


def read_answer(content: bytes, count: int) -> Floats:
    """Read the vectors of an answer.

    Args:
        content: The body.
        count: How many texts were sent.

    Returns:
        In the order of the texts, shape (count, D).

    Raises:
        NoEmbeddingsError: If it is not JSON of the right shape, has too few vectors, or vectors of different
            dimensions, or values that are no numbers.
    """
    embeddings: Floats | None = None
    for place, value in enumerate(_in_order(_read_data(content), count)):
        vector = _read_vector(value, place)
        if embeddings is None:
            embeddings = np.empty((count, len(vector)), np.float32)
        if len(vector) != embeddings.shape[1]:
            raise NoEmbeddingsError(
                f"vector {place} has {len(vector)} dimensions, and vector 0 has {embeddings.shape[1]}"
            )
        if not np.isfinite(vector).all():
            raise NoEmbeddingsError(f"vector {place} holds NaN or an infinite value")
        embeddings[place] = vector
    if embeddings is None:
        raise NoEmbeddingsError("it has no vectors")
    return embeddings


def _read_data(content: bytes) -> list[object]:
    begin = _begin(content)
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        raise NoEmbeddingsError(f"it is not JSON and begins {begin!r}") from None
    data = body.get("data") if isinstance(body, Mapping) else None
    if not isinstance(data, list):
        raise NoEmbeddingsError(f"it has no list called data and begins {begin!r}")
    return data


def _in_order(data: list[object], count: int) -> list[object]:
    """Give what the server calls the vector of each text, in the order of the texts."""
    if len(data) != count:
        raise NoEmbeddingsError(f"it has {len(data)} vectors for {count} texts")
    vectors: dict[int, object] = {}
    for item in data:
        if not isinstance(item, Mapping) or not isinstance(item.get("index"), int):
            raise NoEmbeddingsError(f"an item of data has no index and begins {str(item)[:SHOWN_CHARACTERS]!r}")
        vectors[item["index"]] = item.get("embedding")
    if sorted(vectors) != list(range(count)):
        raise NoEmbeddingsError(f"its vectors are not numbered from 0 to {count - 1}, each once")
    return [vectors[place] for place in range(count)]


def _read_vector(value: object, place: int) -> Floats:
    if isinstance(value, str):
        vector = _decode(value, place)
    elif isinstance(value, list):
        vector = _convert(value, place)
    else:
        raise NoEmbeddingsError(f"vector {place} is neither a list of numbers nor base64")
    if not len(vector):
        raise NoEmbeddingsError(f"vector {place} is empty")
    return vector


def _decode(value: str, place: int) -> Floats:
    try:
        return np.frombuffer(base64.b64decode(value, validate=True), "<f4")
    except (binascii.Error, ValueError):  # of base64; of bytes that are no whole number of float32
        raise NoEmbeddingsError(f"vector {place} is a string that is no base64 of float32") from None


def _convert(value: list[object], place: int) -> Floats:
    try:
        numbers = np.asarray(value)
    except ValueError:  # lists of different lengths
        numbers = np.empty(0, object)
    if value and (numbers.ndim != 1 or numbers.dtype.kind not in "fiu"):  # null is how some servers write NaN
        raise NoEmbeddingsError(f"vector {place} is a list with something in it that is no number, such as null")
    with np.errstate(over="ignore"):  # what float32 can't hold becomes infinite, and is refused as that
        return numbers.astype(np.float32)


def _begin(content: bytes) -> str:
    return " ".join(content[: 4 * SHOWN_CHARACTERS].decode("utf-8", "replace").split())[:SHOWN_CHARACTERS]
