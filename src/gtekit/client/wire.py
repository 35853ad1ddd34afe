"""Requests and answers of a server's own API as bytes: nothing here sends anything."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gtekit.arrays import Floats, Ints
from gtekit.errors import ArgumentError, EndpointError

JSON = "application/json"
OCTETS = "application/octet-stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request. All of them may be sent twice: they change nothing."""

    path: str
    body: bytes | None = None  # JSON; None: a GET
    accept: str = JSON


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer with status 200."""

    headers: Mapping[str, str]  # names in lower case
    body: bytes


@dataclass(frozen=True, slots=True)
class Rows:
    """Vectors as they came, and whole numbers that belong to them."""

    vectors: Floats  # (N, D)
    numbers: Ints  # as many as were promised


def post(path: str, texts: Sequence[str], fields: Mapping[str, Any], *, accept: str = JSON) -> Ask:
    """Make the request for some texts; fields that are None are left to the server."""
    values = {"texts": texts, **{name: value for name, value in fields.items() if value is not None}}
    body = json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode()
    return Ask(path=path, body=body, accept=accept)


def check_characters(texts: Sequence[str], first_index: int = 0) -> None:
    """Make sure that all texts can be sent.

    Raises:
        ArgumentError: If one holds half of a surrogate pair, worded as a local model words it.
    """
    for index, text in enumerate(texts, first_index):
        if text.isascii():
            continue
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise ArgumentError(
                f"texts[{index}] has {text[error.start]!a} at character {error.start}: half of a surrogate pair, which "
                "is no character (left by errors='surrogateescape' or by cutting UTF-16). Replace it: "
                "text.encode('utf-16', 'surrogatepass').decode('utf-16', 'replace')"
            ) from None


def read_rows(reply: Reply, address: str, *, numbers_a_row: int = 0, numbers: int = 0) -> Rows:
    """Read float32 rows with the int32 numbers that follow them, all little-endian.

    Args:
        reply: With the shape of the rows in x-gtekit-shape.
        address: Of the server, for messages.
        numbers_a_row: How many numbers belong to each row.
        numbers: How many there are besides.

    Raises:
        EndpointError: If the answer has another length than its shape says.
    """
    try:
        count, dimension = (int(part) for part in reply.headers.get("x-gtekit-shape", "").split(","))
    except ValueError:
        raise not_ours(address, "an answer in bytes has no header x-gtekit-shape") from None
    expected = 4 * (count * dimension + count * numbers_a_row + numbers)
    if min(count, dimension) < 0 or len(reply.body) != expected:
        raise not_ours(address, f"an answer has {len(reply.body):,} bytes where its headers promise {expected:,}")
    size = count * dimension
    vectors = np.frombuffer(reply.body, "<f4", size).astype(np.float32).reshape(count, dimension)
    return Rows(vectors, np.frombuffer(reply.body, "<i4", offset=4 * size).astype(np.int64))


def read_values(reply: Reply, name: str, count: int | None, address: str) -> list[Any]:
    """Read a list out of a JSON answer.

    Args:
        reply: What came.
        name: Of the list.
        count: How long it has to be; None: any length.
        address: Of the server, for messages.

    Raises:
        EndpointError: If there is no such list.
    """
    try:
        values = json.loads(reply.body)[name]
    except (ValueError, TypeError, KeyError):
        values = None
    if not isinstance(values, list) or (count is not None and len(values) != count):
        raise not_ours(address, f"an answer has no list {name!r} of the right length")
    return values


def not_ours(address: str, what: str) -> EndpointError:
    """Say that a server does not speak this API."""
    return EndpointError(
        f"{address}: {what}. Is it the address of a server that `gtekit serve` of this version runs, without a path "
        "such as /v1?"
    )
