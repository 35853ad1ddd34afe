"""Routes of the tokenizer alone: right for long texts too, bounded in memory, and in nobody's way."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Awaitable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx
import pytest

import gtekit
from gtekit.serving.dialects.native_tokens import SLICE
from gtekit.serving.messages import Account, Request
from gtekit.serving.route_table import ROUTES
from gtekit.serving.tokenizer_work import INLINE_CHARS, MOST_WAITING, THREADS, T, TokenizerWork, Work
from gtekit.tokenizer import PIECE_CHARS, StoppedError
from tests.serving.conftest import until
from tests.serving.sockets import Wire
from tests.serving.sockets import post as raw_post
from tests.serving.test_tokenizer_work import request_of

if TYPE_CHECKING:
    from tests.serving.conftest import RunningServer, StartServer

TEXTS = ["A man is playing a guitar.", "Die Katze schläft.", "", "😀 emoji", "the cat's mat? " * 4000]
PATHS = ["/count_tokens", "/tokens", "/token_places", "/truncation_report"]


def post(server: "RunningServer", path: str, body: Any) -> httpx.Response:
    return httpx.post(server.url + path, json=body, timeout=60)


def error(answer: httpx.Response) -> dict[str, Any]:
    found: dict[str, Any] = answer.json()["error"]
    return found


def test_long_texts_have_the_tokens_and_places_of_the_library(server: "RunningServer", minilm: gtekit.Embedder) -> None:
    assert post(server, "/count_tokens", {"texts": TEXTS}).json()["counts"] == minilm.count_tokens(TEXTS)
    assert post(server, "/tokens", {"texts": TEXTS}).json()["tokens"] == minilm.tokenize(TEXTS)
    for text, found in zip(TEXTS, post(server, "/token_places", {"texts": TEXTS}).json()["texts"], strict=True):
        expected = minilm.tokenizer.encode_with_offsets(text)
        assert found == {
            "token_ids": expected.token_ids.tolist(),
            "starts": expected.starts.tolist(),
            "ends": expected.ends.tolist(),
            "is_word_start": expected.is_word_start.tolist(),
        }
    assert len(expected.token_ids) > SLICE  # of the long one


@pytest.mark.parametrize(("prompt", "max_tokens"), [("", None), ("query: ", 20), ("", 256)])
def test_cuts_are_those_of_the_library(
    server: "RunningServer", minilm: gtekit.Embedder, prompt: str, max_tokens: int | None
) -> None:
    texts = ["x", "one two three four five six seven " * 60, "y", *TEXTS]
    body = {"texts": texts, "prompt": prompt, "max_tokens": max_tokens}
    found = post(server, "/truncation_report", body).json()["truncations"]
    model = minilm if max_tokens is None else minilm.with_max_tokens(max_tokens)
    cuts = model.truncation_report(texts, prompt=prompt)
    assert [(cut["index"], cut["token_count"], cut["tokens_kept"], cut["cut_at"]) for cut in found] == [
        (cut.index, cut.token_count, cut.tokens_kept, cut.cut_at) for cut in cuts
    ]
    assert minilm.max_tokens == minilm.tokenizer.max_tokens == 256


@pytest.mark.parametrize(("path", "least"), [("/tokens", 3473), ("/token_places", 4465)])
def test_more_tokens_than_a_quarter_of_the_memory_are_refused(
    start_server: "StartServer", path: str, least: int
) -> None:
    server = start_server(max_memory_bytes=1_000_000)
    texts = ["x " * 500] * 4
    assert post(server, path, {"texts": texts[:1]}).status_code == 200
    answer = post(server, path, {"texts": [*texts, "x" * 1000]})
    assert answer.status_code == 413
    assert error(answer)["param"] == "texts"
    assert f"the limit is {least - 1:,} characters" in error(answer)["message"]
    assert post(server, path, {"texts": ["x" * 2_600]}).status_code == 413  # with what tokenizing takes


@pytest.mark.parametrize("path", PATHS)
def test_what_was_tokenized_is_written_down(server: "RunningServer", minilm: gtekit.Embedder, path: str) -> None:
    handler = next(route.handler for route in ROUTES if route.path == path)
    request, account = request_of(), Account()
    request.headers = {"content-type": "application/json"}
    request.read = partial(one_part, json.dumps({"texts": TEXTS}).encode())

    async def answer() -> None:
        await handler(request, server.state, account)

    asyncio.run_coroutine_threadsafe(answer(), server.loop).result(60)
    tokens = sum(minilm.count_tokens(TEXTS))
    special = 2 * len(TEXTS)
    expected = {"/token_places": tokens - special, "/truncation_report": sum(len(text) // 4 for text in TEXTS)}
    assert (account.texts, account.tokens) == (len(TEXTS), expected.get(path, tokens))


async def one_part(body: bytes) -> AsyncIterator[bytes]:
    yield body


class Busy:
    """Keeps all threads of a server's tokenizer at work, and more work waiting."""

    def __init__(self, server: "RunningServer", waiting: int) -> None:
        self._let_go = threading.Event()
        self._begun = threading.Semaphore(0)
        self._server = server
        self._futures = [asyncio.run_coroutine_threadsafe(self._run(), server.loop) for _ in range(THREADS + waiting)]
        for _ in range(THREADS):
            assert self._begun.acquire(timeout=30)

    async def _run(self) -> None:
        await self._server.state.tokenizing.run(request_of(), INLINE_CHARS + 1, self._work)

    def _work(self, stop: threading.Event) -> None:
        self._begun.release()
        assert self._let_go.wait(60)

    def end(self) -> None:
        self._let_go.set()
        for future in self._futures:
            future.result(60)


@pytest.mark.parametrize("path", [*PATHS, "/token_states"])
def test_too_much_for_the_tokenizer_is_told_to_come_again(start_server: "StartServer", path: str) -> None:
    server = start_server()
    with ExitStack() as stack:
        stack.callback(Busy(server, MOST_WAITING).end)
        answer = post(server, path, {"texts": ["word " * 2000]})
        assert (answer.status_code, error(answer)["kind"]) == (429, "overloaded")
        assert int(answer.headers["retry-after"]) >= 1
        assert post(server, path, {"texts": ["a few words"]}).status_code == 200
        assert httpx.get(server.url + "/ready").status_code == 200
    assert post(server, path, {"texts": ["word " * 2000]}).status_code == 200


def test_who_hangs_up_while_waiting_gives_the_memory_back(start_server: "StartServer") -> None:
    server = start_server()
    body = b'{"texts":["%b"]}' % (b"word " * 100_000)
    with ExitStack() as stack:
        stack.callback(Busy(server, 0).end)
        before = server.state.metrics.held_bytes
        with Wire(server.port) as wire:
            wire.send(raw_post("/token_places", body))
            until(lambda: server.state.metrics.held_bytes > before + len(body))
        until(lambda: server.state.metrics.held_bytes == before)


class Stopping(TokenizerWork):
    """Runs work for which nobody waits any more once its first part, 50,000 characters, is done."""

    async def run(self, request: Request, cost: int, work: Work[T]) -> T:
        class Stop(threading.Event):
            asked = 0

            def is_set(self) -> bool:
                self.asked += 1
                return self.asked > 3

        return work(Stop())


@pytest.mark.parametrize("path", [*PATHS, "/token_states", "/tokenize"])
def test_work_for_nobody_ends_within_a_text(server: "RunningServer", path: str) -> None:
    handler = next(route.handler for route in ROUTES if route.path == path)
    request, account = request_of(), Account()
    request.headers = {"content-type": "application/json"}
    text = "中" * (10 * PIECE_CHARS)
    body = {"inputs": text} if path == "/tokenize" else {"texts": [text]}
    request.read = partial(one_part, json.dumps(body).encode())
    state = replace(server.state, tokenizing=Stopping())
    with pytest.raises(StoppedError):
        asyncio.run_coroutine_threadsafe(as_coroutine(handler(request, state, account)), server.loop).result(60)


async def as_coroutine(answer: Awaitable[Any]) -> Any:
    return await answer
