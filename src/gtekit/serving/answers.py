"""Vectors as bytes of an answer: JSON, base64, float32, and the headers that go with them."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote

import numpy as np
import orjson

from gtekit.arrays import Array, Floats
from gtekit.serving.messages import Header
from gtekit.vectors import to_bits

if TYPE_CHECKING:
    from gtekit.serving.served_models import ServedModel

SLICE_BYTES = 262_144  # of octets that are copied at a stretch: 0.05 ms
SLICE_ROWS = 64  # that are written at a stretch: 0.6 ms of JSON or 0.12 ms of base64 at 384 numbers each
MOST_INDICES = 100  # in a header

RowWriter = Callable[[Floats], list[bytes]]


class Counts(Protocol):
    """What answers say of the texts that were read: an `Encoded`, or a `Ranking`."""

    @property
    def tokens(self) -> int:
        """How many were read."""

    @property
    def truncated(self) -> list[int]:
        """The places of the texts that were cut, ascending."""


def float_rows(embeddings: Floats) -> list[bytes]:
    """Give each vector as JSON, with the fewest digits that are read back as the same float32.

    Args:
        embeddings: Shape (N, D), finite.
    """
    return _json_rows(embeddings)


def base64_rows(embeddings: Floats) -> list[bytes]:
    """Give each vector as base64 of its float32, little-endian; quotes are not part of it.

    Args:
        embeddings: Shape (N, D).
    """
    return [base64.b64encode(row) for row in np.ascontiguousarray(embeddings, "<f4")]


def quoted_base64_rows(embeddings: Floats) -> list[bytes]:
    """Give each vector as a string of JSON: `base64_rows` in quotes.

    Args:
        embeddings: Shape (N, D).
    """
    return [b'"%b"' % row for row in base64_rows(embeddings)]


def binary_rows(embeddings: Floats) -> list[bytes]:
    """Give the signs of each vector as JSON of int8: `ubinary_rows` less 128, as Cohere and Jina have it."""
    return _json_rows((to_bits(embeddings).astype(np.int16) - 128).astype(np.int8))


def ubinary_rows(embeddings: Floats) -> list[bytes]:
    """Give the signs of each vector as JSON of uint8, eight to a number, the first sign in the highest bit."""
    return _json_rows(to_bits(embeddings))


def _json_rows(rows: Array) -> list[bytes]:
    return [orjson.dumps(row, option=orjson.OPT_SERIALIZE_NUMPY) for row in np.ascontiguousarray(rows)]


def octets(embeddings: Floats) -> bytes:
    """Give all numbers as float32, little-endian, row after row."""
    return np.ascontiguousarray(embeddings, "<f4").tobytes()


async def slices(write: RowWriter, embeddings: Floats) -> AsyncIterator[list[bytes]]:
    """Give the rows as `write` writes them, a few at a time, and let other requests run in between.

    On the event loop and in no thread: the writers keep the interpreter to themselves, so that a thread would hold
    up others for longer than a slice does.
    """
    for first in range(0, len(embeddings), SLICE_ROWS):
        if first:
            await asyncio.sleep(0)
        yield write(embeddings[first : first + SLICE_ROWS])


def json_body(head: bytes, write: RowWriter, embeddings: Floats, tail: bytes) -> bytes | AsyncIterator[bytes]:
    """Give a body of JSON: few rows at once, with a content-length; many in parts, so that it is nowhere whole.

    Args:
        head: What is before the rows.
        write: How a row is written.
        embeddings: The rows.
        tail: What is after them.
    """
    if len(embeddings) <= SLICE_ROWS:
        return b"".join([head, b",".join(write(embeddings)), tail])
    return _json_parts(head, write, embeddings, tail)


async def _json_parts(head: bytes, write: RowWriter, embeddings: Floats, tail: bytes) -> AsyncIterator[bytes]:
    before = head
    async for rows in slices(write, embeddings):
        yield before + b",".join(rows)
        before = b","
    yield tail


def octet_body(arrays: Sequence[Array]) -> bytes | AsyncIterator[bytes]:
    """Give a body of the numbers of arrays, one after the other: little at once, much in parts, with no copy of all.

    Args:
        arrays: Of numbers; they are given little-endian.
    """
    parts = _octet_parts(arrays)
    if sum(array.nbytes for array in arrays) <= SLICE_BYTES:
        return b"".join(parts)
    return _in_turns(parts)


def _octet_parts(arrays: Sequence[Array]) -> Iterator[bytes]:
    for array in arrays:
        octets_of = np.ascontiguousarray(array, array.dtype.newbyteorder("<")).reshape(-1).view(np.uint8)
        for first in range(0, len(octets_of), SLICE_BYTES):
            yield octets_of[first : first + SLICE_BYTES].tobytes()


async def _in_turns(parts: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Give parts, small ones together, and let other requests run in between."""
    some: list[bytes] = []
    size = 0
    for part in parts:
        some.append(part)
        size += len(part)
        if size >= SLICE_BYTES:
            yield b"".join(some)
            some, size = [], 0
            await asyncio.sleep(0)
    yield b"".join(some)


def truncation_headers(counts: Counts) -> list[Header]:
    """Say how many tokens were read, how many texts were cut, and which (the first 100)."""
    headers = [("x-tokens", str(counts.tokens)), ("x-truncated-inputs", str(len(counts.truncated)))]
    if counts.truncated:
        headers.append(("x-truncated-indices", ",".join(map(str, counts.truncated[:MOST_INDICES]))))
    return headers


def space_headers(served: "ServedModel") -> list[Header]:
    """Say which model gave the vectors, in which space they are, and in which precision they were computed."""
    return [
        ("x-gtekit-model", _header_text(served.name)),
        ("x-gtekit-fingerprint", served.model.fingerprint),
        ("x-gtekit-precision", served.model.precision),
    ]


@lru_cache(maxsize=64)
def _header_text(name: str) -> str:
    return quote(name, safe="/:@ ")


def shape_header(embeddings: Floats) -> Header:
    """Say how the numbers of an answer in octets are laid out: rows, columns."""
    return ("x-gtekit-shape", ",".join(map(str, embeddings.shape)))
