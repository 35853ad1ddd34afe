"""Answers in fewer bytes, for clients that are far away."""

import asyncio
import gzip
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

import pytest

from gtekit.serving.compression import LEAST_BYTES, THREAD_BYTES, choose_encoding, compress
from gtekit.serving.messages import OCTETS, Response
from gtekit.serving.zstd import zstd

FAR = "203.0.113.7"
JSON_BODY = b"[0.123456,-0.654321]" * LEAST_BYTES


def sent(response: Response, accepted: str, client: str = FAR) -> Response:
    return asyncio.run(compress(response, {"accept-encoding": accepted}, client))


@pytest.mark.parametrize("size", [LEAST_BYTES, 2 * THREAD_BYTES])
@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_json_is_compressed_as_the_client_reads_it(encoding: str, size: int) -> None:
    found = sent(Response(body=JSON_BODY[:size], headers=[("x-a", "b")]), encoding)
    assert isinstance(found.body, bytes)
    unpacked = gzip.decompress(found.body) if encoding == "gzip" else zstd.decompress(found.body)
    assert unpacked == JSON_BODY[:size]
    assert dict(found.headers) == {"x-a": "b", "content-encoding": encoding, "vary": "accept-encoding"}


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_json_that_comes_in_parts_is_compressed_as_it_comes(encoding: str) -> None:
    parts = [b"[", *[JSON_BODY[:100_000]] * 20, b"]"]
    ended = False

    async def body() -> AsyncIterator[bytes]:
        nonlocal ended
        try:
            for part in parts:
                yield part
        finally:
            ended = True

    async def read(most: int) -> list[bytes]:
        found = await compress(Response(body=body()), {"accept-encoding": encoding}, FAR)
        assert dict(found.headers) == {"content-encoding": encoding, "vary": "accept-encoding"}
        got: list[bytes] = []
        assert isinstance(found.body, AsyncGenerator)
        async with aclosing(found.body) as packed:
            async for part in packed:
                got.append(part)
                if len(got) == most:
                    break
        return got

    got = asyncio.run(read(1000))
    unpack = gzip.decompress if encoding == "gzip" else zstd.decompress
    assert unpack(b"".join(got)) == b"".join(parts)
    assert sum(1 for part in got if part) > 1
    ended = False
    asyncio.run(read(1))
    assert ended


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip, deflate", "gzip"),
        ("GZIP;q=1.0", "gzip"),
        ("gzip;q=0.5, zstd; q=0", "gzip"),
        ("identity", ""),
        ("", ""),
        ("*", ""),
        ("br", ""),
    ],
)
def test_what_the_client_does_not_read_is_not_sent(accepted: str, encoding: str) -> None:
    assert choose_encoding(accepted) == encoding


@pytest.mark.parametrize("client", ["127.0.0.1", "127.8.8.8", "::1", "unix"])
def test_nothing_is_compressed_for_this_machine(client: str) -> None:
    response = Response(body=JSON_BODY)
    assert sent(response, "gzip, zstd", client) is response


def test_float32_and_short_answers_are_left_alone() -> None:
    for response in (Response(body=JSON_BODY, content_type=OCTETS), Response(body=JSON_BODY[: LEAST_BYTES - 1])):
        assert sent(response, "gzip, zstd") is response
