"""From the texts of a request to its vectors: tokenizer threads, two lanes, one engine.

A request is tokenized off the event loop and goes to the lane of its size. Calls of the interactive lane are short
enough to be urgent in the engine, which parks longer ones within a layer: so a query passes a job of a million texts.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from gtekit.arrays import Floats, Ints, TokenIds
from gtekit.chunking import ChunkBatch, pool_chunks
from gtekit.cosines import l2_normalize
from gtekit.serving.admission import FLOAT_BYTES, URGENT_TOKENS, Admission, lane_for
from gtekit.serving.encoding import Encoded, EncodeJob, Lane
from gtekit.serving.lane import Lane as LaneQueue
from gtekit.serving.lane import Work
from gtekit.serving.memory import SHARE
from gtekit.serving.messages import Account
from gtekit.serving.problems import Kind, Problem
from gtekit.serving.rates import KEPT
from gtekit.serving.throughput import Throughput
from gtekit.serving.ticket import Ticket, TokenizingThread, settle_all
from gtekit.serving.tokenizing import TokenizedJob, tokenize_job
from gtekit.tokenizer import TokenBatch

if TYPE_CHECKING:
    from gtekit.embedder import Embedder
    from gtekit.serving.metrics import Metrics
    from gtekit.serving.settings import ServerSettings

MOST_STATES: Final = 32  # requests for token states that wait
MOST_LEFT: Final = 2000  # rows that are handed over on the event loop: 6 ms


class Scheduler:
    """The queue of one model.

    Args:
        model: Loaded.
        settings: Limits and sizes.
        metrics: Is told of every engine call.
        name: Under which the model is served; None: its own.
    """

    def __init__(
        self, model: "Embedder", settings: "ServerSettings", metrics: "Metrics", name: str | None = None
    ) -> None:
        self._model = model
        self._memory = settings.max_memory_bytes
        self._throughput = Throughput()
        self._lanes: dict[Lane, LaneQueue] = {}
        calls: tuple[tuple[Lane, int], ...] = (
            ("interactive", URGENT_TOKENS),
            ("bulk", max(settings.bulk_call_tokens, URGENT_TOKENS + 1)),
        )
        for lane, call_tokens in calls:
            self._lanes[lane] = LaneQueue(
                self._run_engine,
                self._take_done,
                call_tokens=call_tokens,
                cache_bytes=settings.cache_bytes // 2,
                on_call=partial(metrics.observe_call, name or model.name, lane),
            )
        self._admission = Admission(model, settings.max_queue_tokens, self._lanes, self._throughput, metrics)
        self._tokenizing = {is_small: TokenizingThread(self._prepare) for is_small in (True, False)}
        self._states = ThreadPoolExecutor(1, "gtekit-states")
        self._left = ThreadPoolExecutor(1, "gtekit-left")  # large works that were given up
        self._states_waiting = 0
        self._is_closed = False

    @property
    def tokens_per_second(self) -> float:
        """How fast the engine has been lately; 0 before the first call."""
        return self._throughput.tokens_per_second

    @property
    def calls(self) -> int:
        """How many calls of the engine have ended."""
        return self._throughput.calls

    @property
    def is_alive(self) -> bool:
        """Whether the threads of both lanes are there."""
        return all(lane.is_alive for lane in self._lanes.values())

    @property
    def most_rows(self) -> int:
        """How many vectors of pieces, or of tokens, an answer may have: they fill a quarter of the memory."""
        return self._memory // (SHARE * self._model.dimension * FLOAT_BYTES)

    @property
    def cached_bytes(self) -> int:
        """Memory of the vectors that are kept."""
        return sum(lane.cached_bytes for lane in self._lanes.values())

    def queued_tokens(self, lane: Lane) -> int:
        """Count the tokens that wait in a lane."""
        return self._lanes[lane].queued_tokens

    def queued_texts(self, lane: Lane) -> int:
        """Count the texts that wait in a lane."""
        return self._lanes[lane].queued_texts

    async def encode(self, job: EncodeJob, account: Account | None = None) -> Encoded:
        """Embed the texts of a request, at least one.

        The vectors are those of `Embedder.encode`, to the last bit.

        Args:
            job: The texts, and how to embed them.
            account: Gets what was done in vain, where the wait ends before the work does.

        Raises:
            Problem: If a text is refused, the queue is full, the deadline passes or the client hangs up.
        """
        chars = _chars(job)
        lane = self._admit(job, chars, len(job.texts))
        ticket = Ticket(
            job,
            lane=lane,
            is_quick=self._admission.is_quick(job, chars),
            working_bytes=self._admission.take_working(job, chars),
        )
        return await self._wait(ticket, partial(self._tokenizing[ticket.is_quick].put, ticket), account)

    async def token_states(
        self, job: EncodeJob, most_tokens: int, account: Account | None = None
    ) -> tuple[list[Floats], Encoded]:
        """Give the last hidden states of each text, (L, D) each. `embeddings` of the second part is empty.

        Args:
            job: At least one text.
            most_tokens: That the texts have together: memory for so many vectors is taken.
            account: As for `encode`.

        Raises:
            Problem: As `encode`.
        """
        lane = self._admit(job, _chars(job), most_tokens)
        if self._states_waiting >= MOST_STATES:
            wait = self._throughput.seconds_for(self._states_waiting * self._model.max_tokens)
            message = f"{self._states_waiting} requests for token states wait already. Try again in {wait:.1f} s."
            raise Problem(Kind.OVERLOADED, message, retry_after_s=wait)
        ticket = Ticket(job, lane=lane)
        states: list[Floats] = []
        self._states_waiting += 1
        try:
            encoded = await self._wait(ticket, partial(self._states.submit, self._run_states, ticket, states), account)
        finally:
            self._states_waiting -= 1
        return states, encoded

    def close(self) -> None:
        """End all threads. Requests under way fail."""
        self._is_closed = True
        for tokenizing in self._tokenizing.values():
            tokenizing.close()
        for lane in self._lanes.values():
            lane.close()
        self._states.shutdown(cancel_futures=True)
        self._left.shutdown()

    async def _wait(self, ticket: Ticket, begin: Callable[[], object], account: Account | None) -> Encoded:
        end_watching = ticket.watch()
        try:
            begin()
            await ticket.future
            return ticket.encoded()
        except (Problem, asyncio.CancelledError) as end:
            if account is not None and (not isinstance(end, Problem) or end.kind in KEPT):
                ticket.charge(account)
            raise
        finally:
            end_watching()
            self._end_working(ticket)
            self._give_up(ticket)

    def _admit(self, job: EncodeJob, chars: int, vectors: int) -> Lane:
        if self._is_closed:
            raise Problem(Kind.UNAVAILABLE, "The server is stopping. Try again in a moment.", retry_after_s=1.0)
        return self._admission.admit(job, chars, vectors)

    def _prepare(self, ticket: Ticket) -> None:
        """Tokenize a request and put it into its lane. On a tokenizer thread."""
        if ticket.tokenized is None:
            begin = time.monotonic()
            ticket.tokenized = tokenize_job(self._model, ticket.job, ticket.stop, self.most_rows)
            ticket.tokenization_s = time.monotonic() - begin
            lease, pieces = ticket.job.lease, ticket.tokenized.pieces
            with suppress(RuntimeError):  # the loop is closed: its requests are gone
                if ticket.working_bytes:
                    ticket.loop.call_soon_threadsafe(self._end_working, ticket)
                if lease is not None and pieces is not None:
                    ticket.loop.call_soon_threadsafe(self._take_pieces, ticket)
                    return
        self._queue(ticket, ticket.tokenized)

    def _end_working(self, ticket: Ticket) -> None:
        if ticket.working_bytes:
            self._admission.give_back_working(ticket.working_bytes)
            ticket.working_bytes = 0

    def _take_pieces(self, ticket: Ticket) -> None:
        """Take memory for vectors whose number was not known before, twice: they are averaged. On the event loop."""
        tokenized, lease = ticket.tokenized, ticket.job.lease
        if ticket.future.done() or tokenized is None or tokenized.pieces is None or lease is None:
            return
        try:
            lease.take(2 * len(tokenized.pieces.offsets) * self._model.dimension * FLOAT_BYTES)
        except Problem as problem:
            ticket.refuse(problem)
        else:
            self._tokenizing[ticket.is_quick].put(ticket)

    def _queue(self, ticket: Ticket, tokenized: TokenizedJob) -> None:
        ticket.lane = lane_for(ticket.job, tokenized.tokens)
        self._admission.check_room(ticket.lane, tokenized.tokens)
        works = self._works(ticket, tokenized)
        with ticket.lock:
            if ticket.is_over:
                return
            ticket.works = works
            ticket.left = len(works)
        for work in works:
            self._lanes[ticket.lane].add(work, _order(work, ticket.lane))

    def _works(self, ticket: Ticket, tokenized: TokenizedJob) -> list[Work]:
        dimension = self._model.dimension
        job = ticket.job
        normalize = job.dimensions in (None, dimension) and self._normalizes(job)
        works = []
        if len(tokenized.whole_texts):
            works.append(_work(ticket, tokenized.whole, dimension, normalize=normalize))
        if tokenized.pieces is not None:  # those of one text are averaged before it is normalized
            works.append(_work(ticket, tokenized.pieces, dimension, normalize=normalize and job.pieces is not None))
        return works

    def _run_engine(self, token_ids: TokenIds, cu_seqlens: Ints, normalize: bool) -> Floats:
        self._throughput.begin()
        tokens = 0
        try:
            vectors = self._model.engine.encode(
                token_ids,
                cu_seqlens,
                pooling=self._model.pooling,
                normalize=normalize,
                batch_tokens=self._model.batch_tokens,
            )
            tokens = len(token_ids)
            return vectors
        finally:
            self._throughput.end(tokens)

    def _take_done(self, works: Sequence[Work]) -> None:
        """Finish the requests whose last work is done. On a lane's thread."""
        ready = []
        for work in works:
            ticket: Ticket = work.owner
            with ticket.lock:
                ticket.left -= 1
                is_last = not ticket.is_over and (work.error is not None or ticket.left == 0)
                ticket.is_over = ticket.is_over or is_last
                done = ticket.works  # whoever gives the ticket up at this moment takes them off it
            if is_last:
                try:
                    if work.error is not None:
                        raise work.error
                    ticket.embeddings = self._assemble(ticket, done)
                except Exception as error:  # no memory: of this request alone
                    ticket.error = error
                ready.append(ticket)
        settle_all(ready)

    def _assemble(self, ticket: Ticket, works: Sequence[Work]) -> Floats:
        """Give the vectors of a request from those of its works, (N, D)."""
        job, tokenized = ticket.job, ticket.tokenized
        assert tokenized is not None
        if tokenized.pieces is None or job.pieces is not None:
            return self._shorten(works[0].vectors, job, is_normal=True)
        embeddings = np.empty((len(job.texts), job.dimensions or self._model.dimension), np.float32)
        if len(tokenized.whole_texts):
            embeddings[tokenized.whole_texts] = self._shorten(works[0].vectors, job, is_normal=True)
        pieces = tokenized.pieces
        pooled = pool_chunks(works[-1].vectors, np.diff(pieces.cu_seqlens), pieces.text_index)
        embeddings[np.unique(pieces.text_index)] = self._shorten(pooled, job, is_normal=False)
        return embeddings

    def _shorten(self, vectors: Floats, job: EncodeJob, *, is_normal: bool) -> Floats:
        """Keep the dimensions that were asked for. is_normal: the engine has normalized whole vectors already."""
        if is_normal and job.dimensions in (None, self._model.dimension):
            return vectors
        kept = np.ascontiguousarray(vectors[:, : job.dimensions])
        return l2_normalize(kept) if self._normalizes(job) else kept

    def _normalizes(self, job: EncodeJob) -> bool:
        return self._model.normalize if job.normalize is None else job.normalize

    def _run_states(self, ticket: Ticket, states: list[Floats]) -> None:
        """Run texts one by one: a client that is gone costs one at most. On a thread of its own."""
        try:
            begin = time.monotonic()
            ticket.tokenized = tokenize_job(self._model, ticket.job, ticket.stop, self.most_rows)
            ticket.tokenization_s = time.monotonic() - begin
            ids, ends = ticket.tokenized.whole.token_ids, ticket.tokenized.whole.cu_seqlens
            for start, end in pairwise(ends):
                if ticket.is_over:
                    return
                only = np.array([0, end - start], np.int64)
                states.append(
                    self._model.engine.hidden_states(ids[start:end], only, batch_tokens=self._model.batch_tokens)
                )
            ticket.inference_s = time.monotonic() - begin - ticket.tokenization_s
        except Exception as error:
            ticket.error = error
        settle_all([ticket])

    def _give_up(self, ticket: Ticket) -> None:
        """Take what is left of a request out of its lane: nothing, where it was answered."""
        ticket.stop.set()
        with ticket.lock:
            is_answered = ticket.is_over and ticket.left == 0
            ticket.is_over = True
            works, ticket.works = ticket.works, []  # a work knows its ticket: no cycle is left
        if is_answered:
            return
        for work in works:
            lane = self._lanes[ticket.lane]
            lane.leave(work)
            if len(work.keys) <= MOST_LEFT or self._is_closed:
                lane.hand_over(work)
            else:
                self._left.submit(lane.hand_over, work)


def _chars(job: EncodeJob) -> int:
    return sum(map(len, job.texts)) + len(job.prompt) * len(job.texts)


def _work(ticket: Ticket, rows: TokenBatch | ChunkBatch, dimension: int, *, normalize: bool) -> Work:
    return Work(
        owner=ticket,
        token_ids=rows.token_ids,
        cu_seqlens=rows.cu_seqlens,
        normalize=normalize,
        is_first=ticket.job.is_first,
        vectors=np.empty((len(rows.cu_seqlens) - 1, dimension), np.float32),
    )


def _order(work: Work, lane: Lane) -> Sequence[int]:
    """Rows in the order in which they run: those of a job by length, so that a call has texts of like size."""
    lengths = np.diff(work.cu_seqlens)
    if lane == "interactive":
        return range(len(lengths))
    order: list[int] = np.argsort(-lengths, kind="stable").tolist()
    return order
