"""One request on its way through threads and lanes, and its answer back to the event loop."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Event, Lock, Thread

import numpy as np

from gtekit.arrays import Floats
from gtekit.errors import GtekitError
from gtekit.serving.encoding import Encoded, EncodeJob, Lane
from gtekit.serving.lane import Work
from gtekit.serving.messages import Account
from gtekit.serving.problems import Kind, Problem
from gtekit.serving.tokenizing import TokenizedJob
from gtekit.tokenizer import StoppedError


@dataclass(slots=True, eq=False)
class Ticket:
    """A job, where it stands, and the future of its answer. Made on the event loop."""

    job: EncodeJob
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    lane: Lane = "interactive"
    is_quick: bool = True  # to tokenize
    working_bytes: int = 0  # of memory, that its tokenization needs and has not given back
    tokenized: TokenizedJob | None = None
    tokenization_s: float = 0.0
    inference_s: float = 0.0
    works: list[Work] = field(default_factory=list)
    left: int = 0  # works that are not complete
    embeddings: Floats | None = None
    error: BaseException | None = None
    is_over: bool = False  # answered, or nobody waits
    stop: Event = field(default_factory=Event)  # ends its tokenization
    lock: Lock = field(default_factory=Lock)
    since: float = field(default_factory=time.monotonic)
    future: "asyncio.Future[None]" = field(init=False)

    def __post_init__(self) -> None:
        self.future = self.loop.create_future()

    def watch(self) -> Callable[[], None]:
        """End the wait when the client hangs up or its deadline passes. Gives what ends the watching."""
        disconnect, timer = self.job.disconnect, self._timer()
        if disconnect is not None:
            disconnect.on_gone(self._hang_up)

        def end() -> None:
            if disconnect is not None:
                disconnect.forget(self._hang_up)
            if timer is not None:
                timer.cancel()

        return end

    def _hang_up(self) -> None:
        self.refuse(Problem(Kind.GONE, "The client has hung up."))

    def _timer(self) -> asyncio.TimerHandle | None:
        job = self.job
        if job.deadline is None:
            return None
        wait = max(job.deadline - time.monotonic(), 0.0)
        passed = Problem(
            Kind.DEADLINE,
            f"The time that x-timeout-ms gave has passed, {wait:.1f} s after this request came to its queue. Give it "
            "more, or send fewer texts at once.",
        )
        return self.loop.call_later(wait, self.refuse, passed)

    def refuse(self, problem: Problem) -> None:
        """End the wait with a problem. On the event loop."""
        if not self.future.done():
            self.future.set_exception(problem)

    def settle(self) -> None:
        """End the wait with what the work came to. On the event loop."""
        if self.future.done():
            return
        if self.error is None:
            self.future.set_result(None)
        else:
            self.future.set_exception(problem_of(self.error, self.job))

    def encoded(self) -> Encoded:
        """Give the answer, once the future is there."""
        assert self.tokenized is not None
        queue_s, inference_s = self._waited()
        return Encoded(
            embeddings=np.empty((0, 0), np.float32) if self.embeddings is None else self.embeddings,
            lengths=self.tokenized.lengths,
            truncated=self.tokenized.truncated,
            tokens=self.tokenized.tokens,
            lane=self.lane,
            cached=sum(work.cached for work in self.works),
            deduplicated=sum(work.shared for work in self.works),
            tokenization_s=self.tokenization_s,
            queue_s=queue_s,
            inference_s=inference_s,
            pieces=self.tokenized.pieces if self.job.pieces is not None else None,
        )

    def charge(self, account: Account) -> None:
        """Write down what a request without an answer has cost, before its works are dropped."""
        if account.lane != "bulk":
            account.lane = self.lane
        account.tokenization_s += self.tokenization_s
        queue_s, inference_s = self._waited()
        account.queue_s += queue_s
        account.inference_s += inference_s
        if inference_s and self.tokenized is not None:
            account.tokens += self.tokenized.tokens - sum(work.waiting_tokens for work in self.works)

    def _waited(self) -> tuple[float, float]:
        """Give the seconds in the queue, and those since the first of the texts was taken."""
        if not self.works:  # states of tokens, or not tokenized yet
            waited = time.monotonic() - self.since - self.tokenization_s - self.inference_s
            return max(waited, 0.0) if self.tokenized is not None else 0.0, self.inference_s
        starts = [work.started for work in self.works if work.started is not None]
        now = time.monotonic()
        started = min(starts, default=now)
        return max(started - self.since - self.tokenization_s, 0.0), self.inference_s or now - started


class TokenizingThread:
    """A thread that prepares tickets one after the other."""

    def __init__(self, prepare: Callable[[Ticket], None]) -> None:
        self._prepare = prepare
        self._queue: SimpleQueue[Ticket | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name="gtekit-tokenize", daemon=True)
        self._thread.start()

    def put(self, ticket: Ticket) -> None:
        """Have a ticket prepared."""
        self._queue.put(ticket)

    def close(self) -> None:
        """End the thread after what it has begun; what waits fails."""
        self._queue.put(None)
        self._thread.join()
        while not self._queue.empty():
            ticket = self._queue.get()
            if ticket is not None:
                ticket.error = RuntimeError("the queue is closed")
                settle_all([ticket])

    def _run(self) -> None:
        while (ticket := self._queue.get()) is not None:
            if ticket.is_over:
                continue
            try:
                self._prepare(ticket)
            except Exception as error:
                ticket.error = error
                settle_all([ticket])
            del ticket  # while it waits for the next one, a thread keeps nothing of the last


def settle_all(tickets: Sequence[Ticket]) -> None:
    """Answer tickets, each on its event loop: one call across threads for all of a loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[Ticket]] = {}
    for ticket in tickets:
        by_loop.setdefault(ticket.loop, []).append(ticket)
    for loop, some in by_loop.items():
        try:
            loop.call_soon_threadsafe(_settle, some)
        except RuntimeError:  # the loop is closed: its requests are gone
            continue


def problem_of(error: BaseException, job: EncodeJob) -> BaseException:
    """Give what the client is told of an error: what is wrong with its texts, or nothing about our own bugs."""
    if isinstance(error, StoppedError):
        return Problem(Kind.GONE, "The client has hung up.")
    if isinstance(error, GtekitError):
        return Problem(Kind.INVALID_VALUE, str(error).replace("texts[", f"{job.text_name}["), param=job.text_name)
    return error


def _settle(tickets: list[Ticket]) -> None:
    for ticket in tickets:
        ticket.settle()
