"""The client for asyncio: what it gives, and that a cancelled call leaves nothing behind."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import gtekit
from gtekit.client import AsyncClient, Client
from gtekit.errors import ArgumentError, EndpointError, TextTypeError, TruncationError, TruncationWarning
from tests.client.scripted_server import Answer, scripted
from tests.client.test_client import LONG, LONGER, TEXTS, bits
from tests.serving.conftest import until

if TYPE_CHECKING:
    from tests.serving.conftest import RunningServer, StartServer


def test_every_method_gives_what_the_model_gives(minilm: gtekit.Embedder, server: "RunningServer") -> None:
    texts = [*TEXTS, LONG]

    async def ask() -> None:
        async with AsyncClient(server.url) as client:
            assert client.fingerprint == minilm.fingerprint
            assert bits(await client.encode(TEXTS)) == bits(minilm.encode(TEXTS))
            assert bits(await client.encode_one("x")) == bits(minilm.encode_one("x"))
            assert bits(await client.encode_query(TEXTS)) == bits(minilm.encode_query(TEXTS))
            assert bits(await client.encode_document(TEXTS)) == bits(minilm.encode_document(TEXTS))
            assert bits(await client.encode_chunks(texts)) == bits(minilm.encode_chunks(texts))
            states = await client.token_states(texts, on_truncation="ignore")
            assert bits(states) == bits(minilm.token_states(texts, on_truncation="ignore"))
            assert await client.tokenize(texts) == minilm.tokenize(texts)
            assert await client.count_tokens(texts) == minilm.count_tokens(texts)
            assert await client.truncation_report(texts) == minilm.truncation_report(texts)
            with pytest.warns(TruncationWarning, match=r"1 of 7 texts is longer than the 256 tokens"):
                await client.encode(texts)
            with pytest.raises(TruncationError, match=r"texts\[6\] has 422 tokens, the limit is 256"):
                await client.encode(texts, on_truncation="error")
            with pytest.raises(TruncationError, match=r"texts\[6\] has 422 tokens, the limit is 256"):
                await client.token_states(texts, on_truncation="error")
            with pytest.raises(TextTypeError, match=r"texts\[0\] is an int"):
                await client.encode([7])  # type: ignore[list-item]
            with pytest.raises(ArgumentError, match="Did you mean dimensions"):
                await client.encode(TEXTS, dimension=3)  # type: ignore[call-arg]
            assert (await client.encode([])).shape == (0, 384)
            assert len(await client.encode_chunks([])) == 0
            assert await client.token_states([]) == []

    asyncio.run(ask())


def test_many_calls_at_once_get_their_own_vectors(marked: gtekit.Embedder, marked_client: Client) -> None:
    lists = [[f"text {number} {place}" for place in range(number % 7)] for number in range(60)]

    async def ask() -> list[Any]:
        async with AsyncClient(marked_client.address) as client:
            return await asyncio.gather(*(client.encode(texts) for texts in lists))

    for texts, vectors in zip(lists, asyncio.run(ask()), strict=True):
        assert bits(vectors) == bits(marked.encode(texts))


@pytest.mark.parametrize("is_async", [False, True])
def test_a_stream_takes_both_kinds_of_iterables(marked: gtekit.Embedder, marked_client: Client, is_async: bool) -> None:
    texts = [f"number {index}" for index in range(40)] + [LONGER]

    async def come() -> AsyncIterator[str]:
        for text in texts:
            await asyncio.sleep(0)
            yield text

    async def ask() -> list[Any]:
        async with AsyncClient(marked_client.address) as client:
            source = come() if is_async else iter(texts)
            with pytest.warns(TruncationWarning, match="1 of 41 texts"):
                return [block async for block in client.encode_stream(source, block_texts=16)]

    blocks = asyncio.run(ask())
    assert [len(block) for block in blocks] == [16, 16, 9]
    assert bits(np.concatenate(blocks)) == bits(marked.encode(texts, on_truncation="ignore"))


def test_what_came_before_a_source_broke_is_given_out(marked_client: Client) -> None:
    def breaks() -> Iterator[str]:
        yield from ("a", "b", "c")
        raise LookupError("the disk is gone")

    async def ask() -> list[int]:
        found = []
        async with AsyncClient(marked_client.address) as client:
            stream = client.encode_stream(breaks(), block_texts=2)
            found.append(len(await anext(stream)))
            with pytest.raises(LookupError, match="the disk is gone"):
                await anext(stream)
        return found

    assert asyncio.run(ask()) == [2]


def test_properties_before_the_first_call_say_what_to_do(marked_client: Client) -> None:
    async def ask() -> str:
        client = AsyncClient(marked_client.address)
        with pytest.raises(ArgumentError, match=r"await model\.connect\(\)"):
            _ = client.dimension
        await client.encode(["x"])
        name = client.name
        await client.close()
        with pytest.raises(ArgumentError, match="is closed"):
            await client.encode(["x"])
        return name

    assert asyncio.run(ask()) == marked_client.name


def test_a_cancelled_call_cancels_its_requests(marked_client: Client) -> None:
    async def ask() -> set[str]:
        async with AsyncClient(marked_client.address) as client:
            call = asyncio.ensure_future(client.encode([f"text {index}" for index in range(50_000)]))
            await asyncio.sleep(0.1)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            return {task.get_name() for task in asyncio.all_tasks() if task is not asyncio.current_task()}

    assert asyncio.run(ask()) == set()


def test_the_server_stops_working_for_a_cancelled_call(
    start_server: "StartServer", monkeypatch: pytest.MonkeyPatch
) -> None:
    held = start_server()
    assert held.state.models is not None
    scheduler = held.state.models.default.scheduler
    lane, goes_on = scheduler._lanes["bulk"], threading.Event()
    run = lane._run

    def wait_and_run(*arguments: Any) -> Any:
        assert goes_on.wait(60)
        return run(*arguments)

    monkeypatch.setattr(lane, "_run", wait_and_run)

    async def ask() -> None:
        async with AsyncClient(held.url) as client:
            call = asyncio.ensure_future(client.encode([f"text {index} " * 8 for index in range(4096)]))
            await asyncio.to_thread(until, lambda: scheduler.queued_texts("bulk") > 1024)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call

    try:
        asyncio.run(ask())
        until(lambda: scheduler.queued_texts("bulk") == 0)  # the engine is held: nothing was computed away
    finally:
        goes_on.set()
    with Client(held.url) as client:
        assert client.encode(["x"]).shape == (1, 384)


def test_a_timeout_of_asyncio_ends_the_wait() -> None:
    async def ask(url: str) -> None:
        client = AsyncClient(url)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.connect(), 0.1)
        await client.close()

    with scripted(Answer(delay_s=0.5)) as server:
        asyncio.run(ask(server.url))


def test_a_block_that_can_not_begin_leaves_no_connection_open() -> None:
    async def ask(url: str) -> AsyncClient:
        client = AsyncClient(url, retries=0)
        with pytest.raises(EndpointError, match="answers 503"):
            async with client:
                pytest.fail("There is no model.")
        with pytest.raises(ArgumentError, match="is closed"):
            await client.connect()
        return client

    with scripted(Answer(503)) as server:
        asyncio.run(ask(server.url))
