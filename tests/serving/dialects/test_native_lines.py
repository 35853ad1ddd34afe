"""Lines that come in any pieces: what is read of them, what of it is held in memory, and who has a turn meanwhile."""

import asyncio
import json
import tracemalloc
from collections.abc import AsyncIterator, Iterable
from typing import TYPE_CHECKING

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gtekit.serving.dialects.native_lines import BLANK_LINES, WINDOW_TEXTS, _Line, _windows
from gtekit.serving.memory import COPIES, Lease
from gtekit.serving.metrics import Metrics
from gtekit.serving.problems import Problem
from gtekit.serving.settings import ServerSettings
from tests.serving.conftest import until
from tests.serving.sockets import Wire

if TYPE_CHECKING:
    from tests.serving.conftest import RunningServer, StartServer

LINES = {"content-type": "application/x-ndjson"}
SETTINGS = ServerSettings(max_text_chars=100_000)
HEAD = b"POST /encode HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n"


async def body(parts: Iterable[bytes]) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


@given(texts=st.lists(st.text("ab\n", max_size=5), max_size=300), cut=st.integers(1, 200))
def test_lines_are_the_same_however_they_are_cut_and_none_is_held_after_it(texts: list[str], cut: int) -> None:
    sent = "\n".join(json.dumps(text) for text in texts).encode()
    lease = Lease(Metrics(), 2**40)

    async def read() -> list[_Line]:
        found = []
        parts = body(sent[begin : begin + cut] for begin in range(0, len(sent), cut))
        async for window in _windows(parts, SETTINGS, lease, lambda _: None):
            assert not isinstance(window, Problem)
            assert 0 < len(window) <= WINDOW_TEXTS
            found += window
        return found

    found = asyncio.run(read())
    assert [line.text for line in found] == texts
    assert [line.number for line in found] == list(range(1, len(texts) + 1))
    assert lease.held == COPIES * len(sent.rpartition(b"\n")[2])


def test_a_line_that_does_not_end_counts_as_memory_and_is_refused_when_it_is_too_much() -> None:
    lease = Lease(Metrics(), 2**40)
    held = []

    async def parts() -> AsyncIterator[bytes]:
        yield b'"first"\n"'
        for _ in range(20):
            held.append(lease.held)
            yield bytes(50_000)

    async def read() -> list[list[_Line] | Problem]:
        return [found async for found in _windows(parts(), SETTINGS, lease, lambda _: None)]

    window, problem = asyncio.run(read())
    assert isinstance(window, list)
    assert isinstance(problem, Problem)
    assert "line 2 has more than" in problem.message
    assert held == [COPIES * (1 + 50_000 * count) for count in range(len(held))]


def test_an_open_line_is_held_until_its_client_is_gone(start_server: "StartServer") -> None:
    metrics = (server := start_server(max_memory_bytes=33_554_432)).state.metrics
    size = 1_000_000
    with Wire(server.port) as wire:
        wire.send(HEAD + b"%x\r\n" % size + b'"' + b"a" * (size - 1))
        until(lambda: metrics.held_bytes == COPIES * size)
    until(lambda: metrics.held_bytes == 0)


@pytest.mark.parametrize("end", [b"", b'"a"\n'])
def test_others_have_a_turn_while_lines_are_blank(end: bytes) -> None:
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def read() -> int:
        task = asyncio.get_running_loop().create_task(others())
        parts = body([b"\n" * 100 * BLANK_LINES + end])
        count = 0
        async for window in _windows(parts, SETTINGS, Lease(Metrics(), 2**40), lambda _: None):
            assert not isinstance(window, Problem)
            count += len(window)
        task.cancel()
        return count

    assert asyncio.run(read()) == bool(end)
    assert turns >= 100


@pytest.mark.parametrize("accept", ["application/x-ndjson", "application/octet-stream"])
def test_windows_that_were_sent_are_held_no_more(start_server: "StartServer", accept: str) -> None:
    server = start_server(max_memory_bytes=3_000_000)  # two windows of vectors and lines, of ten
    lines = b"".join(b'"text %d"\n' % (number % 50) for number in range(10 * WINDOW_TEXTS))
    answer = httpx.post(f"{server.url}/encode", content=lines, headers={**LINES, "accept": accept}, timeout=60)
    if accept in LINES.values():
        assert "embedding" in json.loads(answer.text.splitlines()[-1])
    else:
        assert len(answer.content) == 10 * WINDOW_TEXTS * 384 * 4
    until(lambda: server.state.metrics.held_bytes == 0)


@pytest.mark.parametrize("room", [100, 100_000, 250_000])  # bytes: less than the body, its vectors, its lines
def test_a_window_for_which_memory_is_short_ends_the_lines_with_a_reason(
    start_server: "StartServer", room: int
) -> None:
    server = start_server(max_memory_bytes=100_000_000)
    others = 100_000_000 - room
    server.state.metrics.held_bytes += others
    answer = httpx.post(f"{server.url}/encode", content=b'"a"\n' * 100, headers=LINES, timeout=60)
    server.state.metrics.held_bytes -= others
    error = json.loads(answer.text.splitlines()[-1])["error"]
    assert (error["kind"], "--max-memory-bytes" in error["message"]) == ("overloaded", True)


def test_short_lines_take_little_more_memory_than_their_part() -> None:
    part = b'"a"\n' * 131_072

    async def read() -> int:
        tracemalloc.start()
        try:
            async for _ in _windows(body([part]), SETTINGS, Lease(Metrics(), 2**40), lambda _: None):
                pass
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert asyncio.run(read()) < 400_000  # a list of the lines: 5 MB


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 10**30])
def test_a_number_that_no_answer_can_hold_is_refused_in_its_line(server: "RunningServer", number: int) -> None:
    lines = f'"first"\n{{"text": "a", "id": {number}}}\n'
    first, last = httpx.post(f"{server.url}/encode", content=lines, headers=LINES, timeout=60).text.splitlines()
    assert json.loads(first)["index"] == 0
    assert "line 2" in json.loads(last)["error"]["message"]
    assert json.loads(last)["error"]["kind"] == "invalid_json"
