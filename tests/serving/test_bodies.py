"""Bodies over a real socket: compressed, cut short, too large, or made to burst."""

import asyncio
import gzip
import io
import json
import zlib
from collections.abc import AsyncIterator, Callable
from typing import cast

import httpx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gtekit import Embedder
from gtekit.serving.bodies import MOST_MEMBERS, STEP, BodyReader, _Gzip, _Zstd
from gtekit.serving.exchange import Exchange
from gtekit.serving.memory import COPIES, SMALL_BYTES, Lease
from gtekit.serving.metrics import Metrics
from gtekit.serving.problems import Problem
from gtekit.serving.settings import ServerSettings
from gtekit.serving.zstd import zstd
from tests.serving.conftest import RunningServer, StartServer, until
from tests.serving.sockets import Wire, post

TEXTS = ["hello", "sorting algorithms"]
BODY = b'{"inputs":["hello","sorting algorithms"]}'


PACK: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "zstd": zstd.compress}


def no_limit() -> Lease:
    return Lease(Metrics(), 2**40)


def send(server: RunningServer, body: bytes, encoding: str) -> httpx.Response:
    headers = {"content-type": "application/json", "content-encoding": encoding}
    return httpx.post(f"{server.url}/embed", content=body, headers=headers)


@pytest.mark.parametrize("encoding", ["gzip", "zstd", "GZIP", "x-gzip", "identity"])
def test_a_compressed_body_gives_what_a_plain_one_gives(server: RunningServer, minilm: Embedder, encoding: str) -> None:
    packed = PACK.get(encoding.lower().removeprefix("x-"), bytes)(BODY)
    answer = send(server, packed, encoding)
    assert answer.status_code == 200
    np.testing.assert_array_equal(np.array(answer.json(), np.float32), minilm.encode(TEXTS))


@pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, gzip", "gzip, zstd", "gzip gzip"])
def test_other_and_nested_encodings_get_415_with_the_ones_that_are_read(server: RunningServer, encoding: str) -> None:
    answer = send(server, gzip.compress(gzip.compress(BODY)), encoding)
    assert answer.status_code in (415, 422)
    assert "gzip, zstd, identity" in answer.json()["error"]


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
@pytest.mark.parametrize("damage", ["cut", "changed", "plain", "nothing", "more"])
def test_a_damaged_compressed_body_is_refused(server: RunningServer, encoding: str, damage: str) -> None:
    packed = PACK[encoding](BODY)
    sent = {
        "cut": packed[:-3],
        "changed": packed[:14] + bytes([packed[14] ^ 255]) + packed[15:],
        "plain": BODY,
        "nothing": b"",
        "more": packed + b"and more",
    }[damage]
    assert 400 <= send(server, sent, encoding).status_code < 500


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_a_bomb_is_refused_before_it_has_burst(server: RunningServer, encoding: str) -> None:
    answer = send(server, bomb(encoding, 2**24) * 64, encoding)  # a gigabyte, in 64 members
    assert answer.status_code == 413
    assert "--max-body-bytes" in answer.json()["error"]
    until(lambda: server.state.metrics.held_bytes == 0)


def bomb(encoding: str, size: int) -> bytes:
    """Give zeros of a size, compressed a megabyte at a time."""
    packed = io.BytesIO()
    packer: zlib._Compress | zstd.ZstdCompressor
    packer = zlib.compressobj(9, wbits=31) if encoding == "gzip" else zstd.ZstdCompressor()
    for _ in range(size // 2**20):
        packed.write(packer.compress(bytes(2**20)))
    packed.write(packer.flush())
    return packed.getvalue()


@pytest.mark.parametrize("unpacker", [_Gzip, _Zstd])
def test_a_step_of_a_bomb_is_small(unpacker: type[_Gzip] | type[_Zstd]) -> None:
    packed = bomb("gzip" if unpacker is _Gzip else "zstd", 2**25)
    assert max(len(piece) for piece in unpacker(no_limit()).feed(packed)) <= STEP


@given(
    parts=st.lists(st.binary(max_size=300_000), min_size=1, max_size=3),
    cut=st.integers(1, 70_000),
    encoding=st.sampled_from(["gzip", "zstd"]),
)
def test_what_was_packed_comes_out_however_it_is_cut(parts: list[bytes], cut: int, encoding: str) -> None:
    packed = b"".join(PACK[encoding](part) for part in parts)  # members one after another are one body
    unpacker = _Gzip(no_limit()) if encoding == "gzip" else _Zstd(no_limit())
    found = b"".join(
        piece for begin in range(0, len(packed), cut) for piece in unpacker.feed(packed[begin : begin + cut])
    )
    assert found == b"".join(parts)
    assert unpacker.is_whole


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_members_that_hold_next_to_nothing_are_refused_before_long(server: RunningServer, encoding: str) -> None:
    for content in (b"", b" "):
        answer = send(server, PACK[encoding](content) * 3000 + PACK[encoding](BODY), encoding)
        assert answer.status_code in (400, 422)
        assert "1,000 pieces" in answer.json()["error"]


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_many_members_that_hold_something_are_read(encoding: str) -> None:
    unpacker = _Gzip(no_limit()) if encoding == "gzip" else _Zstd(no_limit())
    packed = PACK[encoding](bytes(1024)) * 2 * MOST_MEMBERS
    assert sum(map(len, unpacker.feed(packed))) == 1024 * 2 * MOST_MEMBERS


class Source:
    """An exchange that has received a body already."""

    def __init__(self, encoding: str, parts: list[bytes]) -> None:
        self.headers = {"content-encoding": encoding}
        self.bytes_in = 0
        self._parts = parts

    async def parts(self) -> AsyncIterator[bytes]:
        for part in self._parts:
            self.bytes_in += len(part)
            yield part


def endless(size: int) -> BodyReader:
    """Give a reader of one gzip that is so long, in parts of a megabyte, and holds nothing: empty stored blocks."""
    head = gzip.compress(b"")[:10]
    parts = [head, *[b"\x00\x00\x00\xff\xff" * 200_000] * (size // 10**6)]
    return BodyReader(cast("Exchange", Source("gzip", parts)), ServerSettings(max_body_bytes=4 * 10**6), no_limit())


def test_compressed_bytes_that_give_nothing_are_counted_too() -> None:
    async def read() -> int:
        return sum([len(part) async for part in endless(5 * 10**6)()])

    with pytest.raises(Problem, match="--max-body-bytes"):
        asyncio.run(read())


def test_others_have_a_turn_while_compressed_bytes_give_nothing() -> None:
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def read() -> None:
        task = asyncio.get_running_loop().create_task(others())
        with pytest.raises(Problem, match="ends in the middle"):
            async for _ in endless(8 * 10**6).unlimited():
                pass
        task.cancel()

    asyncio.run(read())
    assert turns >= 6


def test_a_window_larger_than_http_allows_is_refused(server: RunningServer) -> None:
    for window_log, status in (23, 200), (24, 422):
        packer = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: window_log})
        packed = packer.compress(BODY) + packer.flush()  # knows no size: asks for all of the window
        assert send(server, packed, "zstd").status_code == status


@pytest.mark.parametrize("is_chunked", [False, True])
def test_a_body_above_the_limit_gets_413(start_server: StartServer, is_chunked: bool) -> None:
    small = start_server(max_body_bytes=1000)
    body = b'{"inputs":"%s"}' % (b"a" * 2000)
    content = iter([body]) if is_chunked else body
    answer = httpx.post(f"{small.url}/embed", content=content, headers={"content-type": "application/json"})
    assert answer.status_code == 413
    assert "1,000" in answer.json()["error"]
    assert httpx.post(f"{small.url}/embed", json={"inputs": "a"}).status_code == 200


def test_a_body_that_never_fits_into_memory_gets_413(start_server: StartServer) -> None:
    small = start_server(max_memory_bytes=100_000)
    assert httpx.post(f"{small.url}/embed", json={"inputs": "a" * 60_000}).status_code == 413


def test_a_body_that_never_fits_is_refused_before_it_comes(start_server: StartServer) -> None:
    small = start_server(max_memory_bytes=1_000_000)
    with Wire(small.port) as wire:
        assert wire.send(post("/embed", b"", length=600_000)).receive().status == 413


@pytest.mark.parametrize("is_declared", [False, True])
def test_bodies_of_others_that_fill_the_memory_give_429_until_they_are_gone(
    start_server: StartServer, is_declared: bool
) -> None:
    full = start_server(max_memory_bytes=3_000_000)
    large = json.dumps({"inputs": ["word " * 100] * 600}).encode()
    headers = {"content-type": "application/json"}
    with Wire(full.port) as wire:
        wire.send(post("/embed", b" " * 1_400_000, length=1_499_000))
        until(lambda: full.state.metrics.held_bytes == 2_800_000)
        content = large if is_declared else iter([large])
        answer = httpx.post(f"{full.url}/embed", content=content, headers=headers)
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) >= 1
        assert "--max-memory-bytes" in answer.json()["error"]
    until(lambda: full.state.metrics.held_bytes == 0)
    assert httpx.post(f"{full.url}/embed", content=large, headers=headers).status_code == 200


def test_a_length_that_is_only_declared_takes_no_memory(server: RunningServer) -> None:
    length = server.state.settings.max_body_bytes
    wires = [Wire(server.port) for _ in range(8)]
    try:
        for wire in wires:
            wire.send(post("/v1/embeddings", b"{", length=length))
        until(lambda: server.state.metrics.held_bytes == COPIES * len(wires))  # of a byte each
        large = httpx.post(f"{server.url}/embed", json={"inputs": "word " * 60_000})
        assert large.status_code == 200
    finally:
        for wire in wires:
            wire.socket.close()
    until(lambda: server.state.metrics.held_bytes == 0)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/embeddings", {"input": ["sorting algorithms"] * 16}),
        ("/embed", {"inputs": "word " * 13_000}),  # 65 kB
        ("/rerank", {"query": "sorting", "texts": ["quicksort", "a cake"]}),
        ("/tokenize", {"inputs": "sorting algorithms"}),
    ],
)
def test_small_requests_are_answered_while_large_ones_of_others_fill_the_memory(
    start_server: StartServer, path: str, body: dict[str, object]
) -> None:
    full = start_server()
    limit = full.state.settings.max_memory_bytes
    full.state.metrics.held_bytes += limit
    assert httpx.post(f"{full.url}{path}", json=body).status_code == 200
    assert httpx.post(f"{full.url}/embed", json={"inputs": "a" * SMALL_BYTES}).status_code == 429
    until(lambda: full.state.metrics.held_bytes == limit)
    full.state.metrics.held_bytes -= limit


def test_a_stream_may_be_longer_than_any_body(start_server: StartServer) -> None:
    small = start_server(max_body_bytes=5000, max_memory_bytes=2_000_000)  # of 4 MB of answer
    lines = [b'"text %d"\n' % number for number in range(300)] * 3
    headers = {"content-type": "application/x-ndjson", "accept": "application/x-ndjson"}
    with httpx.stream("POST", f"{small.url}/encode", content=iter(lines), headers=headers, timeout=60) as answer:
        assert answer.status_code == 200
        assert sum(1 for _ in answer.iter_lines()) == len(lines)
    until(lambda: small.state.metrics.held_bytes == 0)


def test_the_window_of_zstd_counts_as_memory(start_server: StartServer) -> None:
    small = start_server(max_memory_bytes=1_000_000)
    packer = zstd.ZstdCompressor()  # knows no size, and asks for 2 MB
    assert send(small, packer.compress(BODY) + packer.flush(), "zstd").status_code == 413
    assert send(small, zstd.compress(BODY), "zstd").status_code == 200
    packer = zstd.ZstdCompressor(level=1)  # 512 kB
    assert send(small, packer.compress(BODY) + packer.flush(), "zstd").status_code == 200
