"""Threads for the tokenizer: few at once, given up when nobody waits, and never left behind by their request."""

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest

import gtekit
from gtekit.errors import ArgumentError
from gtekit.serving.memory import Lease
from gtekit.serving.messages import Request
from gtekit.serving.metrics import Metrics
from gtekit.serving.problems import Kind, Problem
from gtekit.serving.settings import ServerSettings
from gtekit.serving.tokenizer_work import (
    INLINE_CHARS,
    MOST_WAITING,
    TEXT_CHARS,
    THREADS,
    Amount,
    TokenizerWork,
    amount_of,
    hold_memory,
    until_stopped,
)
from gtekit.serving.tokenizing import working_bytes

MUCH = INLINE_CHARS + 1


async def no_body() -> AsyncIterator[bytes]:
    yield b""


def request_of(lease: Lease | None = None) -> Request:
    return Request(
        method="POST",
        path="/tokens",
        query="",
        headers={},
        request_id="1",
        client="test",
        lease=lease,
        read=no_body,
    )


class Held:
    """Work that goes on until it is let go, and knows whether it was told to stop."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.let_go = threading.Event()
        self.stop: threading.Event | None = None

    def __call__(self, stop: threading.Event) -> str:
        self.stop = stop
        self.begun.set()
        assert self.let_go.wait(30)
        return "done"


async def all_begun(works: list[Held]) -> None:
    for work in works:
        assert await asyncio.to_thread(work.begun.wait, 30)


def test_so_many_run_so_many_wait_and_the_next_is_refused() -> None:
    async def scenario() -> None:
        tokenizing = TokenizerWork()
        works = [Held() for _ in range(THREADS + MOST_WAITING)]
        tasks = [asyncio.create_task(tokenizing.run(request_of(), MUCH, work)) for work in works]
        await all_begun(works[:THREADS])
        with pytest.raises(Problem) as refused:
            await tokenizing.run(request_of(), MUCH, Held())
        assert (refused.value.kind, refused.value.retry_after_s) == (Kind.OVERLOADED, 1.0)
        assert await tokenizing.run(request_of(), INLINE_CHARS, lambda stop: "little") == "little"
        assert not any(work.begun.is_set() for work in works[THREADS:])
        for work in works:
            work.let_go.set()
        assert await asyncio.gather(*tasks) == ["done"] * len(works)
        assert await tokenizing.run(request_of(), MUCH, lambda stop: 7) == 7

    asyncio.run(scenario())


def test_a_hang_up_stops_what_runs_and_drops_what_waits() -> None:
    async def scenario() -> None:
        tokenizing = TokenizerWork()
        works = [Held() for _ in range(THREADS + 1)]
        requests = [request_of() for _ in works]
        tasks = [
            asyncio.create_task(tokenizing.run(request, MUCH, work))
            for request, work in zip(requests, works, strict=True)
        ]
        await all_begun(works[:THREADS])
        for request in (requests[-1], requests[0]):
            request.disconnect.set()
        with pytest.raises(Problem) as dropped:
            await tasks[-1]
        assert dropped.value.kind is Kind.GONE
        assert [work.stop.is_set() for work in works[:THREADS] if work.stop] == [True] + [False] * (THREADS - 1)
        for work in works:
            work.let_go.set()
        await asyncio.gather(*tasks[:THREADS])
        assert not works[-1].begun.is_set()

    asyncio.run(scenario())


def test_where_no_thread_can_be_made_the_request_fails_and_the_next_one_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    async def body() -> None:
        tokenizing = TokenizerWork()
        with monkeypatch.context() as limited:
            limited.setattr(threading.Thread, "start", refuse)
            with pytest.raises(RuntimeError, match="can't start"):
                await asyncio.wait_for(tokenizing.run(request_of(), MUCH, lambda stop: 1), 20)
        assert await asyncio.wait_for(tokenizing.run(request_of(), MUCH, lambda stop: 2), 20) == 2

    asyncio.run(body())


def test_work_that_looks_at_its_event_ends_between_two_texts() -> None:
    async def scenario() -> None:
        request, begun, seen = request_of(), threading.Event(), []

        def work(stop: threading.Event) -> None:
            for index, text in until_stopped(stop, ["a", "b", "c"]):
                seen.append((index, text))
                begun.set()
                assert stop.wait(30)

        task = asyncio.create_task(TokenizerWork().run(request, MUCH, work))
        await asyncio.to_thread(begun.wait, 30)
        request.disconnect.set()
        with pytest.raises(Problem) as ended:
            await task
        assert ended.value.kind is Kind.GONE
        assert seen == [(0, "a")]

    asyncio.run(scenario())


def test_a_cancelled_request_ends_when_its_thread_has() -> None:
    async def scenario() -> None:
        tokenizing, work = TokenizerWork(), Held()
        task = asyncio.create_task(tokenizing.run(request_of(), MUCH, work))
        await all_begun([work])
        for _ in range(3):
            task.cancel()
            await asyncio.sleep(0.01)
            assert not task.done()
        assert work.stop is not None
        assert work.stop.is_set()
        work.let_go.set()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(scenario())


def test_a_cancelled_request_that_waits_ends_at_once() -> None:
    async def scenario() -> None:
        tokenizing = TokenizerWork()
        works = [Held() for _ in range(THREADS + 1)]
        tasks = [asyncio.create_task(tokenizing.run(request_of(), MUCH, work)) for work in works]
        await all_begun(works[:THREADS])
        tasks[-1].cancel()
        with pytest.raises(asyncio.CancelledError):
            await tasks[-1]
        for work in works:
            work.let_go.set()
        await asyncio.gather(*tasks[:THREADS])
        assert not works[-1].begun.is_set()

    asyncio.run(scenario())


@pytest.mark.parametrize("cost", [1, MUCH])
def test_errors_of_texts_are_those_of_the_request_and_others_are_ours(cost: int) -> None:
    def fail(error: Exception) -> Any:
        raise error

    async def outcome(error: Exception) -> BaseException:
        with pytest.raises(type(error) if not isinstance(error, ArgumentError) else Problem) as found:
            await TokenizerWork().run(request_of(), cost, lambda stop: fail(error))
        return found.value

    problem = asyncio.run(outcome(ArgumentError("texts[3] is bad")))
    assert isinstance(problem, Problem)
    assert (problem.kind, problem.message) == (Kind.INVALID_VALUE, "texts[3] is bad")
    assert asyncio.run(outcome(Problem(Kind.TOO_MANY, "many"))).args == ("many",)
    assert asyncio.run(outcome(ZeroDivisionError("ours"))).args == ("ours",)


def test_memory_is_held_for_answers_and_for_the_work() -> None:
    settings = ServerSettings(max_memory_bytes=100_000_000)
    metrics = Metrics()
    lease = Lease(metrics, settings.max_memory_bytes)
    cost = hold_memory(request_of(lease), amount(3, 500, 7), settings, token_bytes=10, name="texts")
    assert (metrics.held_bytes, cost) == (10 * 500 + 7, 500 + 3 * TEXT_CHARS)
    with pytest.raises(Problem, match="inputs has 2,500,001 characters") as refused:
        hold_memory(request_of(), amount(1, 2_500_001), settings, token_bytes=10, name="inputs")
    assert (refused.value.kind, refused.value.param) == (Kind.TOO_LARGE, "inputs")


def test_a_prompt_counts_before_each_text(minilm: gtekit.Embedder) -> None:
    found = amount_of(minilm.tokenizer, ["a", "bcd"], "query: ")
    assert (found.texts, found.chars) == (2, 4 + 2 * 7)
    assert found.working_bytes == working_bytes(minilm.tokenizer, ["query: bcd"])
    assert amount_of(minilm.tokenizer, []) == amount(0, 0)


def amount(texts: int, chars: int, working_bytes: int = 0) -> Amount:
    return Amount(texts=texts, chars=chars, working_bytes=working_bytes)
