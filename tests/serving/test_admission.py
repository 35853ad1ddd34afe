"""What a job may take before any work is done for it: its lane, room in the queue, memory, a tokenizer thread."""

import asyncio
import threading

import pytest

import gtekit
from gtekit.serving.encoding import Encoded, EncodeJob, Pieces
from gtekit.serving.memory import Lease
from gtekit.serving.metrics import Metrics
from gtekit.serving.problems import Kind, Problem
from gtekit.serving.scheduler import Scheduler
from gtekit.serving.settings import ServerSettings
from gtekit.serving.ticket import Ticket
from tests.serving.held_model import TIMEOUT_S, Blocking, HeldModel, run, until

pytestmark = pytest.mark.filterwarnings("ignore::gtekit.LanguageWarning")


def test_short_requests_are_interactive_and_others_bulk_unless_they_say(minilm: gtekit.Embedder) -> None:
    async def body(scheduler: Scheduler) -> list[str]:
        jobs = [
            EncodeJob(texts=["a"]),
            EncodeJob(texts=["a b c d e"] * 17),
            EncodeJob(texts=["a " * 200] * 3),
            EncodeJob(texts=["a"], lane="bulk"),
            EncodeJob(texts=["a b c d e"] * 17, lane="interactive"),
            EncodeJob(texts=["a " * 200] * 11, lane="interactive"),
        ]
        return [(await scheduler.encode(job)).lane for job in jobs]

    assert run(minilm, body) == ["interactive", "bulk", "bulk", "bulk", "interactive", "bulk"]


@pytest.mark.parametrize("pieces", [Pieces(overlap_tokens=0), None])
def test_few_characters_that_become_many_pieces_are_cut_beside_those_of_queries(
    minilm: gtekit.Embedder, pieces: Pieces | None
) -> None:
    async def body(scheduler: Scheduler) -> None:
        free = threading.Event()
        many = EncodeJob(texts=["中" * 2000], max_tokens=3, truncation="chunk", pieces=pieces)
        few = EncodeJob(texts=["中" * 2000], max_tokens=300, truncation="chunk", pieces=pieces)
        slow = Ticket(EncodeJob(texts=["a"]))
        slow.job.texts = Blocking(free)
        scheduler._tokenizing[False].put(slow)
        task = asyncio.create_task(scheduler.encode(many))
        await scheduler.encode(few)
        assert not task.done()
        free.set()
        await task

    run(minilm, body)


def test_what_a_cut_takes_off_has_no_place_in_the_queue(minilm: gtekit.Embedder) -> None:
    model = HeldModel(minilm)

    async def body(scheduler: Scheduler) -> None:
        held = await model.hold(scheduler, "bulk")
        waiting = asyncio.create_task(scheduler.encode(EncodeJob(texts=["a b c"], lane="bulk")))
        await until(lambda: scheduler.queued_texts("bulk") == 1)
        long_job = EncodeJob(texts=["word " * 20_000, "words " * 20_000], truncation="end", lane="bulk")  # 512 tokens
        long = asyncio.create_task(scheduler.encode(long_job))
        await until(lambda: scheduler.queued_texts("bulk") == 3 or long.done())
        model.engine.go.set()
        assert (await long).tokens == 512
        await asyncio.gather(*held, waiting)

    run(model, body, max_queue_tokens=600)


def test_the_prompt_of_every_text_counts(minilm: gtekit.Embedder) -> None:
    model = HeldModel(minilm)

    async def body(scheduler: Scheduler) -> None:
        held = await model.hold(scheduler, "bulk")
        waiting = asyncio.create_task(scheduler.encode(EncodeJob(texts=["a b c"], lane="bulk")))
        await until(lambda: scheduler.queued_texts("bulk") == 1)
        with pytest.raises(Problem, match="--max-queue-tokens"):
            await scheduler.encode(EncodeJob(texts=["a"] * 100, prompt="word " * 20, truncation="chunk"))
        model.engine.go.set()
        await asyncio.gather(*held, waiting)

    run(model, body, max_queue_tokens=1000)


def test_vectors_are_taken_from_the_memory_of_all_before_they_are_made(minilm: gtekit.Embedder) -> None:
    metrics = Metrics()

    async def body(scheduler: Scheduler) -> None:
        lease = Lease(metrics, 100_000)
        with pytest.raises(Problem) as caught:
            await scheduler.encode(EncodeJob(texts=["a"] * 100, lease=lease))
        assert caught.value.kind is Kind.TOO_LARGE
        await scheduler.encode(EncodeJob(texts=["a"] * 10, lease=lease))
        assert metrics.held_bytes == 10 * 384 * 4
        states = Lease(metrics, 100_000)
        with pytest.raises(Problem) as caught:
            await scheduler.token_states(EncodeJob(texts=["sea and land " * 60], lease=states), 182)
        assert caught.value.kind is Kind.TOO_LARGE

    run(minilm, body)


def test_large_requests_hold_what_the_largest_needs_until_it_is_tokenized(minilm: gtekit.Embedder) -> None:
    model = HeldModel(minilm)
    metrics = Metrics()
    scheduler = Scheduler(model, ServerSettings(), metrics)  # type: ignore[arg-type]

    def large(chars: int, limit: int = 100_000_000) -> EncodeJob:
        return EncodeJob(texts=["中" * chars], truncation="end", lease=Lease(metrics, limit))

    async def main() -> None:
        with pytest.raises(Problem, match="--max-memory-bytes"):
            await scheduler.encode(large(70_000, limit=10_000_000))
        metrics.held_bytes = 0
        free = threading.Event()
        slow = Ticket(EncodeJob(texts=["a"]))
        slow.job.texts = Blocking(free)
        scheduler._tokenizing[False].put(slow)
        tasks = [asyncio.create_task(scheduler.encode(large(chars))) for chars in (70_000, *[90_000] * 20, 70_000)]
        await asyncio.sleep(0)
        part = 50_000 * 370
        assert part + 90_000 * 50 <= metrics.held_bytes < part + 90_000 * 51
        for task in tasks[1:21]:
            task.cancel()
        await asyncio.gather(*tasks[1:21], return_exceptions=True)
        assert part + 70_000 * 50 <= metrics.held_bytes < part + 70_000 * 51
        free.set()
        model.engine.go.set()
        await asyncio.gather(tasks[0], tasks[21])
        await until(lambda: metrics.held_bytes == 22 * 384 * 4)  # of their vectors

    asyncio.run(asyncio.wait_for(main(), TIMEOUT_S))
    scheduler.close()


def test_a_full_queue_says_when_to_come_back_and_leaves_the_other_lane_open(minilm: gtekit.Embedder) -> None:
    model = HeldModel(minilm)

    async def body(scheduler: Scheduler) -> None:
        held = await model.hold(scheduler, "bulk")
        job = EncodeJob(texts=[f"{number} of the sea" + " words" * 90 for number in range(20)])
        waiting = asyncio.create_task(scheduler.encode(job))  # more than the limit, and alone
        await until(lambda: scheduler.queued_texts("bulk") == 20)
        with pytest.raises(Problem, match="--max-queue-tokens") as caught:
            await scheduler.encode(EncodeJob(texts=[f"{number} of the land" for number in range(20)]))
        assert caught.value.kind is Kind.OVERLOADED
        assert caught.value.retry_after_s is not None
        assert caught.value.retry_after_s > 0
        model.engine.go.set()
        await scheduler.encode(EncodeJob(texts=["a query passes"]))
        await asyncio.gather(*held, waiting)

    run(model, body, max_queue_tokens=1000)


def test_one_job_larger_than_the_queue_is_served_in_parts(minilm: gtekit.Embedder) -> None:
    texts = [f"text number {number}" for number in range(300)]

    async def body(scheduler: Scheduler) -> Encoded:
        return await scheduler.encode(EncodeJob(texts=texts))

    assert run(minilm, body, max_queue_tokens=100).embeddings.tobytes() == minilm.encode(texts).tobytes()
