"""Liveness, start, readiness: each says what is true, also when the model computes something else than it did."""

import asyncio
import json
import threading
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

import httpx
import numpy as np
import pytest

from gtekit.serving.encoding import Encoded, EncodeJob
from gtekit.serving.health import GOLDEN, Readiness, check_ready, live, ready, startup
from gtekit.serving.keys import Keys
from gtekit.serving.messages import Account, Request
from gtekit.serving.metrics import Metrics
from gtekit.serving.problems import Kind, Problem
from gtekit.serving.scheduler import Scheduler
from gtekit.serving.served_models import ServedModel, ServedModels
from gtekit.serving.settings import ServerSettings
from gtekit.serving.state import State
from tests.serving.conftest import RunningServer

if TYPE_CHECKING:
    from gtekit import Embedder

T = TypeVar("T")


def state_of(model: "Embedder", scheduler: Scheduler | None = None, **settings: Any) -> State:
    chosen = ServerSettings(**settings)
    metrics = Metrics()
    served = ServedModel("small", model, scheduler or Scheduler(model, chosen, metrics))
    models = ServedModels([served])
    return State(settings=chosen, models=models, keys=Keys(None), metrics=metrics, phase="ready")


def finish(state: State, coroutine: Coroutine[Any, Any, T]) -> T:
    try:
        return asyncio.run(coroutine)
    finally:
        for served in state.models or ():
            served.scheduler.close()


@pytest.mark.parametrize(
    ("path", "body"),
    [("/live", '{"status":"live"}'), ("/startup", '{"status":"started"}'), ("/ready", '{"status":"ready"}')],
)
def test_a_server_that_is_well_says_so(server: RunningServer, path: str, body: str) -> None:
    answer = httpx.get(f"{server.url}{path}")
    assert (answer.status_code, answer.text) == (200, body)


@pytest.mark.parametrize("path", ["/health", "/ping"])
def test_health_has_the_empty_body_of_tei(server: RunningServer, path: str) -> None:
    answer = httpx.get(f"{server.url}{path}")
    assert (answer.status_code, answer.content) == (200, b"")


def test_while_models_load_it_lives_and_is_neither_started_nor_ready() -> None:
    state = State(settings=ServerSettings(), models=None, keys=Keys(None), metrics=Metrics())
    request = Request(method="GET", path="/", query="", headers={}, request_id="x", client="", read=None)  # type: ignore[arg-type]

    async def ask() -> None:
        assert (await live(request, state, Account())).status == 200
        for handler in (startup, ready):
            with pytest.raises(Problem) as caught:
                await handler(request, state, Account())
            assert caught.value.kind is Kind.UNAVAILABLE
            assert caught.value.retry_after_s

    asyncio.run(ask())


def test_a_server_that_drains_is_not_ready(minilm: "Embedder") -> None:
    state = state_of(minilm)
    state.phase = "draining"
    assert finish(state, check_ready(state)) == "The server is stopping."


@pytest.mark.parametrize("cache_bytes", [0, 1_000_000])
def test_the_golden_text_is_computed_again_also_where_there_is_a_cache(minilm: "Embedder", cache_bytes: int) -> None:
    state = state_of(minilm, ready_check_s=0.0, cache_bytes=cache_bytes)

    async def ask() -> list[str]:
        return [await check_ready(state) for _ in range(3)]

    assert finish(state, ask()) == ["", "", ""]
    text = state.metrics.text(state).decode()
    assert 'gtekit_ready_checks_total{outcome="good"} 3.0' in text
    assert 'gtekit_call_texts_count{lane="interactive"' in text


def test_an_answer_is_kept_and_all_who_ask_at_once_share_a_check(minilm: "Embedder") -> None:
    state = state_of(minilm, ready_check_s=1000.0)

    async def ask() -> list[str]:
        return await asyncio.gather(*(check_ready(state) for _ in range(20)))

    assert finish(state, ask()) == [""] * 20
    assert 'outcome="good"} 1.0' in state.metrics.text(state).decode()


def test_a_model_that_computes_something_else_than_at_the_start_is_not_ready(minilm: "Embedder") -> None:
    state = state_of(minilm)
    vector = minilm.encode_one(GOLDEN)
    vector[7] = np.nextafter(vector[7], np.float32(1))  # the smallest difference that there is
    state.readiness = Readiness({"small": vector})
    assert "another vector than at the start" in finish(state, check_ready(state))
    assert 'outcome="bad"} 1.0' in state.metrics.text(state).decode()
    assert "gtekit_ready 0.0" in state.metrics.text(state).decode()


def test_readiness_needs_no_place_in_an_executor_that_is_full(minilm: "Embedder") -> None:
    state = state_of(minilm)
    let_go = threading.Event()

    async def ask() -> str:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(1))
        others = loop.run_in_executor(None, let_go.wait, 60)
        try:
            async with asyncio.timeout(30):
                return await check_ready(state)
        finally:
            let_go.set()
            await others

    assert finish(state, ask()) == ""


class Wrong(Scheduler):
    """A queue that hands out each vector to the next in line."""

    async def encode(self, job: EncodeJob, account: Account | None = None) -> Encoded:
        encoded = await super().encode(job)
        encoded.embeddings = np.roll(encoded.embeddings, 1, axis=0)
        return encoded


class Full(Scheduler):
    """A queue without room."""

    async def encode(self, job: EncodeJob, account: Account | None = None) -> Encoded:
        raise Problem(Kind.OVERLOADED, "full")


class Broken(Scheduler):
    """A queue that fails, with a text in its message."""

    async def encode(self, job: EncodeJob, account: Account | None = None) -> Encoded:
        raise RuntimeError(f"failed at {job.texts[0]}")


class Stuck(Scheduler):
    """A queue that never answers."""

    async def encode(self, job: EncodeJob, account: Account | None = None) -> Encoded:
        await asyncio.Event().wait()
        raise AssertionError


class Behind(Scheduler):
    """A queue so long that the golden text is not reached in time, while others are served."""

    async def encode(self, job: EncodeJob, account: Account | None = None) -> Encoded:
        while True:
            await super().encode(EncodeJob(texts=["another"]))


class Halted(Behind):
    """The same with a lane that has lost a thread."""

    @property
    def is_alive(self) -> bool:
        return False


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Wrong, "the queue gave another vector"),
        (Broken, "the golden text failed with RuntimeError"),
        (Stuck, "not embedded within 1 s"),
        (Full, ""),
        (Behind, ""),
        (Halted, "not embedded within 1 s"),
    ],
)
def test_a_queue_that_does_not_answer_rightly_is_not_ready(
    minilm: "Embedder", monkeypatch: pytest.MonkeyPatch, kind: type[Scheduler], words: str
) -> None:
    monkeypatch.setattr("gtekit.serving.health.CHECK_TIMEOUT_S", 1)
    state = state_of(minilm, kind(minilm, ServerSettings(), Metrics()))
    said = finish(state, check_ready(state))
    assert words in said
    assert bool(said) == bool(words)
    assert GOLDEN not in said


def test_a_server_that_computes_wrongly_answers_503_in_the_words_of_tei(server: RunningServer) -> None:
    state = server.state
    state.failure, state.readiness = "small: broken", Readiness({}, checked_at=float("inf"))
    try:
        for path in ("/ready", "/health"):
            answer = httpx.get(f"{server.url}{path}")
            assert answer.status_code == 503
            assert int(answer.headers["retry-after"]) >= 1
            assert json.loads(answer.text) == {"error": "small: broken", "error_type": "Unhealthy"}
        assert httpx.get(f"{server.url}/live").status_code == 200
    finally:
        state.failure, state.readiness = "", None
