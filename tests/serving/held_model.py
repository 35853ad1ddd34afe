"""A scheduler for a test, and a model whose engine waits until it is let go."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import gtekit
from gtekit.serving.encoding import Encoded, EncodeJob
from gtekit.serving.metrics import Metrics
from gtekit.serving.scheduler import Scheduler
from gtekit.serving.settings import ServerSettings

LONG = "the quick brown fox jumps over the lazy dog. " * 60
TIMEOUT_S = 60  # only ever waited for when something is broken


@asynccontextmanager
async def scheduler_of(model: Any, **options: Any) -> AsyncIterator[Scheduler]:
    scheduler = Scheduler(model, ServerSettings(**options), Metrics())
    try:
        yield scheduler
    finally:
        await asyncio.to_thread(scheduler.close)


def run(model: Any, body: Callable[[Scheduler], Awaitable[Any]], **options: Any) -> Any:
    async def main() -> Any:
        async with scheduler_of(model, **options) as scheduler:
            return await asyncio.wait_for(body(scheduler), TIMEOUT_S)

    return asyncio.run(main())


class HeldEngine:
    """The engine of a model, which waits before each call until it is let go."""

    def __init__(self, model: gtekit.Embedder) -> None:
        self._engine = model.engine
        self.go = threading.Event()
        self.texts = 0
        self.tokens: list[int] = []  # of each call
        self.began = threading.Semaphore(0)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def encode(self, token_ids: Any, cu_seqlens: Any, **options: Any) -> Any:
        self.began.release()
        assert self.go.wait(TIMEOUT_S)
        self.texts += len(cu_seqlens) - 1
        self.tokens.append(int(cu_seqlens[-1]))
        return self._engine.encode(token_ids, cu_seqlens, **options)


class HeldModel:
    """A model of which the engine is held."""

    def __init__(self, model: gtekit.Embedder) -> None:
        self._model = model
        self.engine = HeldEngine(model)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    async def hold(
        self, scheduler: Scheduler, lane: Any = "interactive", calls: int = 2
    ) -> "list[asyncio.Task[Encoded]]":
        """Send texts until all threads of a lane are held in the engine."""
        tasks = []
        for number in range(calls):
            job = EncodeJob(texts=[f"held {number} {lane}"], lane=lane)
            tasks.append(asyncio.create_task(scheduler.encode(job)))
            assert await asyncio.to_thread(self.engine.began.acquire, timeout=TIMEOUT_S)
        return tasks


async def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.005)


class Blocking(list[str]):
    """Texts that keep their thread until they may be read."""

    def __init__(self, free: threading.Event) -> None:
        super().__init__(["a"])
        self._free = free

    def __iter__(self) -> Iterator[str]:
        assert self._free.wait(TIMEOUT_S)
        return super().__iter__()
