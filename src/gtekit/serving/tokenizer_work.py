"""What requests ask of the tokenizer alone: on threads of its own, few at once, given up when nobody waits for it.

A request ends when its thread has ended, so that its memory is not given to others before.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from threading import Event, Thread
from typing import Final, TypeVar, cast

from gtekit.errors import GtekitError
from gtekit.serving.memory import SHARE
from gtekit.serving.messages import Request
from gtekit.serving.problems import Kind, Problem
from gtekit.serving.settings import ServerSettings
from gtekit.serving.tokenizing import working_bytes
from gtekit.tokenizer import StoppedError, Tokenizer

T = TypeVar("T")
Work = Callable[[Event], T]  # looks at the event between texts, and gives up once it is set

THREADS: Final = 2  # that run at once, beside those of the queues
MOST_WAITING: Final = 64
INLINE_CHARS: Final = 2_000  # so little text is tokenized on the event loop: 1 ms
TEXT_CHARS: Final = 50  # a text takes as much time as so many characters more
RETRY_S: Final = 1.0


@dataclass(slots=True, eq=False)
class _Task:
    work: Work[object]
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    stop: Event = field(default_factory=Event)
    result: object = None
    error: BaseException | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)


class TokenizerWork:
    """Runs work for requests, at most THREADS pieces of it at once. Used on the event loop alone.

    A thread is made for each piece of work and ends with it: it takes 0.1 ms, and nothing has to be closed. They are
    daemons, so the end of the process does not wait for them.
    """

    def __init__(self) -> None:
        self._running = 0
        self._waiting: list[_Task] = []

    async def run(self, request: Request, cost: int, work: Work[T]) -> T:
        """Give what `work` gives.

        Args:
            request: Whose hang-up ends the work, as the end of its time does.
            cost: Of the work, as `hold_memory` gives it: little is done at once.
            work: Gets an event that is set when nobody waits any more.

        Raises:
            Problem: If too much waits already, the client hangs up, or the work raises an error of gtekit: then the
                request is wrong.
        """
        if cost <= INLINE_CHARS:
            try:
                return work(Event())
            except GtekitError as error:
                raise _problem_of(error) from None
        if len(self._waiting) >= MOST_WAITING:
            raise Problem(
                Kind.OVERLOADED,
                f"{len(self._waiting)} requests wait for the tokenizer already. Try again in a moment.",
                retry_after_s=RETRY_S,
            )
        task = _Task(work)
        self._waiting.append(task)
        self._begin()
        hang_up = partial(self._give_up, task)
        request.disconnect.on_gone(hang_up)
        try:
            await self._end_of(task)
        finally:
            request.disconnect.forget(hang_up)
        if task.error is not None:
            raise task.error
        return cast("T", task.result)

    async def _end_of(self, task: _Task) -> None:
        try:
            await task.ended.wait()
        except asyncio.CancelledError:
            self._give_up(task)
            while not task.ended.is_set():
                with suppress(asyncio.CancelledError):
                    await task.ended.wait()
            raise

    def _give_up(self, task: _Task) -> None:
        task.stop.set()
        if task in self._waiting:
            self._waiting.remove(task)
            task.error = _problem_of(StoppedError())
            task.ended.set()

    def _begin(self) -> None:
        while self._waiting and self._running < THREADS:
            task = self._waiting.pop(0)
            try:
                Thread(target=self._run, args=(task,), name="gtekit-tokenize", daemon=True).start()
            except RuntimeError as error:  # a limit of threads
                task.error = error
                task.ended.set()
            else:
                self._running += 1

    def _run(self, task: _Task) -> None:
        try:
            task.result = task.work(task.stop)
        except Problem as error:
            task.error = error.with_traceback(None)  # its frames hold texts
        except (GtekitError, StoppedError) as error:
            task.error = _problem_of(error)
        except BaseException as error:
            task.error = error
        with suppress(RuntimeError):  # the loop is closed: its requests are gone
            task.loop.call_soon_threadsafe(self._ended, task)

    def _ended(self, task: _Task) -> None:
        self._running -= 1
        task.ended.set()
        self._begin()


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """How much texts are for a tokenizer."""

    texts: int
    chars: int  # prompts included
    working_bytes: int


def amount_of(tokenizer: Tokenizer, texts: Sequence[str], prompt: str = "") -> Amount:
    """Give how much texts are with a prompt before each."""
    return Amount(
        texts=len(texts),
        chars=sum(map(len, texts)) + len(prompt) * len(texts),
        working_bytes=working_bytes(tokenizer, texts, prompt),
    )


def hold_memory(request: Request, amount: Amount, settings: ServerSettings, *, token_bytes: int, name: str) -> int:
    """Hold the memory that tokens of texts take at most, a character counted as one.

    Args:
        request: Whose memory it is.
        amount: Of its texts.
        settings: The limit.
        token_bytes: Of the answer, for each token.
        name: What the client calls the texts.

    Returns:
        What the work costs, in characters.

    Raises:
        Problem: If the answer could take more than its share, or other requests leave too little memory.
    """
    chars = amount.chars
    most = settings.max_memory_bytes // (SHARE * max(token_bytes, 1))
    if token_bytes and chars > most:
        raise Problem(
            Kind.TOO_LARGE,
            f"{name} has {chars:,} characters, their tokens would take up to {chars * token_bytes:,} bytes; the limit "
            f"is {most:,} characters. Send fewer texts in each of several requests.",
            param=name,
        )
    if request.lease is not None:
        request.lease.take(chars * token_bytes + amount.working_bytes)
    return chars + TEXT_CHARS * amount.texts


def until_stopped(stop: Event, items: Iterable[T]) -> Iterator[tuple[int, T]]:
    """Give texts, or whatever it is, with their places.

    Raises:
        StoppedError: Once nobody waits any more.
    """
    for index, item in enumerate(items):
        if stop.is_set():
            raise StoppedError
        yield index, item


def _problem_of(error: BaseException) -> Problem:
    if isinstance(error, StoppedError):
        return Problem(Kind.GONE, "The client has hung up.")
    return Problem(Kind.INVALID_VALUE, str(error))
