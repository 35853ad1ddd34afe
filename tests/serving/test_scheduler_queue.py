"""Requests in the queue: sharing, pieces, and clients that go away."""

import asyncio
import gc
import threading
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import gtekit
from gtekit.arrays import Floats
from gtekit.serving.encoding import Encoded, EncodeJob
from gtekit.serving.lane import ENGINE_THREADS, Work
from gtekit.serving.memory import Lease
from gtekit.serving.messages import Account, Disconnect
from gtekit.serving.metrics import Metrics
from gtekit.serving.problems import Kind, Problem
from gtekit.serving.scheduler import Scheduler
from gtekit.serving.settings import ServerSettings
from gtekit.serving.ticket import Ticket
from tests.serving.held_model import TIMEOUT_S, HeldEngine, HeldModel, run, until

pytestmark = pytest.mark.filterwarnings("ignore::gtekit.LanguageWarning")


def test_a_query_does_not_wait_for_a_long_job(minilm: gtekit.Embedder) -> None:
    async def body(scheduler: Scheduler) -> None:
        job = EncodeJob(texts=[f"{number} " + "sea and land " * 60 for number in range(600)])
        bulk = asyncio.create_task(scheduler.encode(job))
        await until(lambda: scheduler.queued_tokens("bulk") > 0)
        encoded = await scheduler.encode(EncodeJob(texts=["quick sort"]))
        assert not bulk.done()
        assert encoded.embeddings.tobytes() == minilm.encode(["quick sort"]).tobytes()
        bulk.cancel()

    run(minilm, body)


def test_equal_texts_of_two_requests_are_run_once(minilm: gtekit.Embedder) -> None:
    model = HeldModel(minilm)

    async def body(scheduler: Scheduler) -> None:
        held = await model.hold(scheduler)
        twins = [asyncio.create_task(scheduler.encode(EncodeJob(texts=["twin", f"{n}"]))) for n in range(3)]
        await until(lambda: scheduler.queued_texts("interactive") == 4)
        model.engine.go.set()
        answers = await asyncio.gather(*twins)
        await asyncio.gather(*held)
        assert [answer.deduplicated for answer in answers] == [0, 1, 1]
        for number, answer in enumerate(answers):
            assert answer.embeddings.tobytes() == minilm.encode(["twin", f"{number}"]).tobytes()

    run(model, body)
    assert model.engine.texts == 2 + 4


def test_a_cache_answers_the_second_time(minilm: gtekit.Embedder) -> None:
    async def body(scheduler: Scheduler) -> None:
        first = await scheduler.encode(EncodeJob(texts=["a", "b"]))
        second = await scheduler.encode(EncodeJob(texts=["b", "A"]))  # the same tokens: the vocabulary is uncased
        assert (first.cached, second.cached) == (0, 2)
        assert second.embeddings.tobytes() == first.embeddings[::-1].tobytes()
        assert scheduler.cached_bytes > 0

    run(minilm, body, cache_bytes=100_000)


def test_a_client_that_hangs_up_stops_costing(minilm: gtekit.Embedder) -> None:
    model = HeldModel(minilm)

    async def body(scheduler: Scheduler) -> None:
        held = await model.hold(scheduler)
        gone = Disconnect()
        task = asyncio.create_task(scheduler.encode(EncodeJob(texts=["never", "run"], disconnect=gone)))
        await until(lambda: scheduler.queued_texts("interactive") == 2)
        gone.set()
        with pytest.raises(Problem) as caught:
            await task
        assert caught.value.kind is Kind.GONE
        assert scheduler.queued_texts("interactive") == scheduler.queued_tokens("interactive") == 0
        model.engine.go.set()
        await asyncio.gather(*held)

    run(model, body)
    assert model.engine.texts == 2


def test_who_leaves_while_vectors_are_put_together_takes_no_others_along(minilm: gtekit.Embedder) -> None:
    class Leaving(Scheduler):
        def _assemble(self, ticket: Ticket, works: Sequence[Work]) -> Floats:
            self._give_up(ticket)  # on the event loop, at this very moment
            return super()._assemble(ticket, works)

    async def body() -> None:
        scheduler = Leaving(minilm, ServerSettings(), Metrics())
        for _ in range(2 * ENGINE_THREADS):
            encoded = await asyncio.wait_for(scheduler.encode(EncodeJob(texts=["a", "b"])), TIMEOUT_S)
            assert encoded.embeddings.tobytes() == minilm.encode(["a", "b"]).tobytes()
        await asyncio.to_thread(scheduler.close)

    asyncio.run(body())


def test_vectors_for_which_there_is_no_memory_fail_their_own_request_alone(minilm: gtekit.Embedder) -> None:
    class Full(Scheduler):
        def _assemble(self, ticket: Ticket, works: Sequence[Work]) -> Floats:
            if "large" in ticket.job.texts:
                raise MemoryError
            return super()._assemble(ticket, works)

    async def body() -> None:
        scheduler = Full(minilm, ServerSettings(), Metrics())
        for number in range(2 * ENGINE_THREADS):  # each on a thread of the lane, which has to go on
            large = scheduler.encode(EncodeJob(texts=["large", f"{number}"]))
            small = scheduler.encode(EncodeJob(texts=[f"small {number}"]))
            found = await asyncio.wait_for(asyncio.gather(large, small, return_exceptions=True), TIMEOUT_S)
            assert isinstance(found[0], MemoryError)
            assert isinstance(found[1], Encoded)
        await asyncio.to_thread(scheduler.close)

    asyncio.run(body())


def test_pieces_of_long_texts_are_taken_from_the_memory_of_all(minilm: gtekit.Embedder) -> None:
    metrics = Metrics()

    async def body(scheduler: Scheduler) -> None:
        lease = Lease(metrics, 100_000)
        job = EncodeJob(texts=["a " * 400], max_tokens=3, truncation="chunk", lease=lease)
        with pytest.raises(Problem, match="--max-memory-bytes") as caught:
            await scheduler.encode(job)  # 400 pieces, 1.2 MB where there is a vector for each
        assert caught.value.kind is Kind.TOO_LARGE
        few = Lease(metrics, 100_000)
        encoded = await scheduler.encode(EncodeJob(texts=["a " * 20], max_tokens=3, truncation="chunk", lease=few))
        assert len(encoded.embeddings) == 1
        assert few.held == (1 + 2 * 20) * 384 * 4

    run(minilm, body)


def test_cutting_stops_for_a_client_that_is_gone(minilm: gtekit.Embedder) -> None:
    async def body(scheduler: Scheduler) -> None:
        gone = Disconnect()
        job = EncodeJob(texts=["a " * 200_000], max_tokens=3, truncation="chunk", disconnect=gone)
        cutting = asyncio.create_task(scheduler.encode(job))
        await asyncio.sleep(0)
        gone.set()
        with pytest.raises(Problem):
            await cutting
        after = await scheduler.encode(EncodeJob(texts=["the thread is free for a long text " * 30], lane="bulk"))
        assert after.tokens > 200

    run(minilm, body, max_memory_bytes=2**34)


def test_a_large_work_that_is_given_up_leaves_the_queue(minilm: gtekit.Embedder) -> None:
    model = HeldModel(minilm)

    async def body(scheduler: Scheduler) -> None:
        held = await model.hold(scheduler, "bulk")
        task = asyncio.create_task(scheduler.encode(EncodeJob(texts=[str(number) for number in range(3000)])))
        await until(lambda: scheduler.queued_texts("bulk") == 3000)
        task.cancel()
        await until(lambda: scheduler.queued_texts("bulk") == 0)
        assert scheduler.queued_tokens("bulk") == 0
        model.engine.go.set()
        await asyncio.gather(*held)

    run(model, body)


def test_states_of_tokens_keep_no_large_work_that_was_given_up(minilm: gtekit.Embedder) -> None:
    model = HeldModel(minilm)

    async def body(scheduler: Scheduler) -> None:
        held = await model.hold(scheduler, "bulk")
        free = threading.Event()
        scheduler._states.submit(free.wait, TIMEOUT_S)
        task = asyncio.create_task(scheduler.encode(EncodeJob(texts=[str(number) for number in range(3000)])))
        await until(lambda: scheduler.queued_texts("bulk") == 3000)
        lane = scheduler._lanes["bulk"]
        task.cancel()
        await until(lambda: len(lane._takers) == len(held))
        free.set()
        model.engine.go.set()
        await asyncio.gather(*held)

    run(model, body)


@pytest.mark.parametrize("end", ["deadline", "cancel", "hang up"])
def test_who_leaves_before_the_answer_has_a_lane_and_pays_for_what_was_computed(
    minilm: gtekit.Embedder, end: str
) -> None:
    model = HeldModel(minilm)

    async def body(scheduler: Scheduler) -> None:
        account, gone = Account(), Disconnect()
        deadline = time.monotonic() + 0.2 if end == "deadline" else None
        texts = [f"{word} " * 250 for word in ("one", "two", "three", "four", "five")]  # two of them are a call
        job = EncodeJob(texts=texts, lane="bulk", disconnect=gone, deadline=deadline)
        task = asyncio.create_task(scheduler.encode(job, account))
        for _ in range(ENGINE_THREADS):
            assert await asyncio.to_thread(model.engine.began.acquire, timeout=TIMEOUT_S)
        if end == "cancel":
            task.cancel()
        elif end == "hang up":
            gone.set()
        with pytest.raises((Problem, asyncio.CancelledError)):
            await task
        assert account.lane == "bulk"
        assert account.tokens == 4 * 252
        assert account.inference_s > 0
        model.engine.go.set()

    run(model, body, bulk_call_tokens=513)


def test_who_leaves_the_queue_has_waited_and_pays_for_nothing(minilm: gtekit.Embedder) -> None:
    model = HeldModel(minilm)

    async def body(scheduler: Scheduler) -> None:
        held = await model.hold(scheduler)
        account = Account()
        with pytest.raises(Problem):
            await scheduler.encode(EncodeJob(texts=["late"], deadline=time.monotonic() + 0.05), account)
        assert (account.lane, account.tokens, account.inference_s) == ("interactive", 0, 0)
        assert account.queue_s > 0.03
        model.engine.go.set()
        await asyncio.gather(*held)

    run(model, body)


def test_an_answered_job_is_not_kept_by_its_client_or_by_itself(minilm: gtekit.Embedder) -> None:
    gone = Disconnect()

    async def body(scheduler: Scheduler) -> None:
        await scheduler.encode(EncodeJob(texts=["warm"]))
        gc.collect()
        gc.disable()  # what is freed now is freed because nothing refers to it
        try:
            for number in range(20):
                await scheduler.encode(EncodeJob(texts=[f"line {number}"], disconnect=gone))
            await asyncio.sleep(0.05)
            kept = [found for found in gc.get_objects() if isinstance(found, Ticket) and found.job.disconnect is gone]
            assert kept == []
        finally:
            gc.enable()

    run(minilm, body)


def test_calls_of_queries_are_short_enough_to_be_urgent(minilm: gtekit.Embedder) -> None:
    model = HeldModel(minilm)

    async def body(scheduler: Scheduler) -> None:
        held = await model.hold(scheduler)
        jobs = [EncodeJob(texts=[f"{number} " + "sea and land " * 60]) for number in range(12)]
        waiting = [asyncio.create_task(scheduler.encode(job)) for job in jobs]
        await until(lambda: scheduler.queued_texts("interactive") == 12)
        model.engine.go.set()
        await asyncio.gather(*held, *waiting)

    run(model, body)
    assert max(model.engine.tokens) <= 512  # kUrgentTokens of the core


def test_a_cancelled_call_takes_its_texts_along(minilm: gtekit.Embedder) -> None:
    model = HeldModel(minilm)

    async def body(scheduler: Scheduler) -> None:
        held = await model.hold(scheduler)
        task = asyncio.create_task(scheduler.encode(EncodeJob(texts=["never"])))
        await until(lambda: scheduler.queued_texts("interactive") == 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert scheduler.queued_texts("interactive") == 0
        model.engine.go.set()
        await asyncio.gather(*held)

    run(model, body)


def test_a_deadline_that_passes_in_the_queue_is_said(minilm: gtekit.Embedder) -> None:
    model = HeldModel(minilm)

    async def body(scheduler: Scheduler) -> None:
        held = await model.hold(scheduler)
        with pytest.raises(Problem, match="x-timeout-ms") as caught:
            await scheduler.encode(EncodeJob(texts=["late"], deadline=time.monotonic() + 0.05))
        assert caught.value.kind is Kind.DEADLINE
        assert scheduler.queued_texts("interactive") == 0
        model.engine.go.set()
        await asyncio.gather(*held)

    run(model, body)


def test_an_engine_that_breaks_is_our_bug_and_the_next_request_is_answered(minilm: gtekit.Embedder) -> None:
    class Breaking(HeldEngine):
        breaks = True

        def encode(self, *arguments: Any, **options: Any) -> Any:
            if self.breaks:
                raise MemoryError("no room")
            return self._engine.encode(*arguments, **options)

    model = HeldModel(minilm)
    model.engine = engine = Breaking(minilm)

    async def body(scheduler: Scheduler) -> None:
        with pytest.raises(MemoryError):
            await scheduler.encode(EncodeJob(texts=["a"] * 30 + ["b " * 100] * 30))
        engine.breaks = False
        assert len((await scheduler.encode(EncodeJob(texts=["a"]))).embeddings) == 1

    run(model, body)


def test_after_close_nothing_is_taken(minilm: gtekit.Embedder) -> None:
    async def body(scheduler: Scheduler) -> None:
        await asyncio.to_thread(scheduler.close)
        with pytest.raises(Problem) as caught:
            await scheduler.encode(EncodeJob(texts=["a"]))
        assert caught.value.kind is Kind.UNAVAILABLE

    run(minilm, body)


@pytest.mark.slow
def test_a_storm_of_jobs_cancellations_and_deadlines_crosses_no_vectors(minilm: gtekit.Embedder) -> None:
    texts = [f"text {number} " + "of the sea " * (number % 25) for number in range(400)]
    expected = dict(zip(texts, minilm.encode(texts), strict=True))
    rng = np.random.default_rng(7)

    async def one(scheduler: Scheduler, number: int) -> int:
        some = [texts[i] for i in rng.integers(0, len(texts), rng.integers(1, 40))]
        gone = Disconnect()
        deadline = time.monotonic() + 0.02 if number % 7 == 0 else None
        task = asyncio.create_task(scheduler.encode(EncodeJob(texts=some, disconnect=gone, deadline=deadline)))
        if number % 5 == 0:
            await asyncio.sleep(float(rng.random()) * 0.05)
            (gone.set if number % 2 else task.cancel)()
        try:
            encoded = await task
        except (Problem, asyncio.CancelledError):
            return 0
        for text, vector in zip(some, encoded.embeddings, strict=True):
            assert vector.tobytes() == expected[text].tobytes()
        return 1

    async def body(scheduler: Scheduler) -> None:
        answered = 0
        for _ in range(6):
            answered += sum(await asyncio.gather(*(one(scheduler, number) for number in range(40))))
        assert answered > 60
        await until(lambda: scheduler.queued_texts("bulk") + scheduler.queued_texts("interactive") == 0)
        assert scheduler.queued_tokens("bulk") == scheduler.queued_tokens("interactive") == 0

    run(minilm, body, cache_bytes=50_000)
