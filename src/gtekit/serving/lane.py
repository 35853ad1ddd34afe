"""A queue of rows and the threads that take them to the engine.

Rows of several requests share an engine call. A row that is already on its way in this lane is not run twice: whoever
wants it is one of its takers. A lane never looks into another, so a query can't end up waiting for a long job.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Condition, Thread
from typing import Any

import numpy as np

from gtekit.arrays import Floats, Ints, TokenIds
from gtekit.serving.vector_cache import VectorCache

ENGINE_THREADS = 2  # one call computes while the results of the other are handed out
KEYS_AT_ONCE = 500  # that are handed over while the queue stands still: 1 ms
NO_VECTORS = np.empty((0, 0), np.float32)

RunEngine = Callable[[TokenIds, Ints, bool], Floats]  # token ids, cu_seqlens, whether to normalize -> (B, D)


@dataclass(slots=True, eq=False, kw_only=True)
class Work:
    """Rows of one request that go through one lane with one kind of normalization."""

    owner: Any  # whoever `on_done` has to find
    token_ids: TokenIds  # (S,)
    cu_seqlens: Ints  # (n + 1,)
    normalize: bool
    vectors: Floats  # (n, D), filled row by row
    started: float | None = None  # when the first of its rows went to the engine
    error: BaseException | None = None
    missing: int = 0  # rows without a vector
    cached: int = 0  # rows that came from the cache
    shared: int = 0  # rows that were on their way already
    is_over: bool = False  # nobody waits for it
    is_queued: bool = False
    is_first: bool = False  # ahead of all that waits
    waiting: list[int] = field(default_factory=list)  # rows that no call has taken, the next one last
    waiting_tokens: int = 0  # of those
    keys: list[bytes] = field(default_factory=list)  # of each row

    def row(self, row: int) -> TokenIds:
        """Give the token ids of a row."""
        return self.token_ids[self.cu_seqlens[row] : self.cu_seqlens[row + 1]]

    def length(self, row: int) -> int:
        """Count the tokens of a row."""
        return int(self.cu_seqlens[row + 1] - self.cu_seqlens[row])


class Lane:
    """One queue.

    Args:
        run: Runs the engine; called on the lane's threads.
        on_done: Gets the works that are complete, or failed; called on the lane's threads, or on that of `add`.
        call_tokens: The most tokens of an engine call; a longer row is a call of its own.
        cache_bytes: Of the vectors that are kept.
        on_call: Gets texts, tokens and seconds of each engine call.
    """

    def __init__(
        self,
        run: RunEngine,
        on_done: Callable[[Sequence[Work]], None],
        *,
        call_tokens: int,
        cache_bytes: int = 0,
        on_call: Callable[[int, int, float], None] | None = None,
    ) -> None:
        self._run, self._on_done, self._on_call = run, on_done, on_call
        self._call_tokens = call_tokens
        self._cache = VectorCache(cache_bytes)
        self._changed = Condition()
        self._queue: deque[Work] = deque()
        self._takers: dict[bytes, list[tuple[Work, int]]] = {}  # who wants each row that is on its way
        self._is_closed = False
        self.queued_tokens = 0
        self.queued_texts = 0
        self._threads = [Thread(target=self._work, name="gtekit-lane", daemon=True) for _ in range(ENGINE_THREADS)]
        for thread in self._threads:
            thread.start()

    @property
    def is_alive(self) -> bool:
        """Whether all threads that call the engine are there."""
        return all(thread.is_alive() for thread in self._threads)

    @property
    def cached_bytes(self) -> int:
        """Memory of the vectors that are kept."""
        return self._cache.held_bytes

    def add(self, work: Work, order: Sequence[int]) -> None:
        """Queue the rows of a work, to be taken in `order`."""
        kind = b"n" if work.normalize else b"-"
        work.keys = [kind + work.row(row).tobytes() for row in range(len(work.cu_seqlens) - 1)]
        with self._changed:
            if work.is_over:
                return
            if self._is_closed:
                work.error = RuntimeError("the lane is closed")
            else:
                self._claim(work, order)
            is_done = work.error is not None or not work.missing
        if is_done:
            self._on_done([work])

    def drop(self, work: Work) -> None:
        """Forget a work that nobody waits for. Rows that others want as well go on in their name."""
        self.leave(work)
        self.hand_over(work)

    def leave(self, work: Work) -> None:
        """Take a work out of the queue and free its vectors, however large it is, in microseconds."""
        with self._changed:
            if work.is_over:
                return
            work.is_over = True
            work.vectors = NO_VECTORS
            if work.is_queued:
                self._queue.remove(work)
                work.is_queued = False
                self.queued_texts -= len(work.waiting)
                self.queued_tokens -= work.waiting_tokens
                work.waiting_tokens = 0

    def hand_over(self, work: Work) -> None:
        """Give the rows of a work that has left, where no call has taken them, to others who want them."""
        with self._changed:
            rows, work.waiting = work.waiting, []
        waiting = {work.keys[row] for row in rows}
        keys = list(dict.fromkeys(work.keys))  # each once: a row may be there 10,000 times
        for begin in range(0, len(keys), KEYS_AT_ONCE):
            with self._changed:
                for key in keys[begin : begin + KEYS_AT_ONCE]:
                    takers = self._takers.get(key)
                    if takers is None:
                        continue
                    takers[:] = [taker for taker in takers if not taker[0].is_over]
                    if key in waiting:
                        self._hand_over(key, takers)
                self._changed.notify()

    def close(self) -> None:
        """End the threads once their calls are done. Works in the queue fail."""
        with self._changed:
            self._is_closed = True
            left = {id(work): work for takers in self._takers.values() for work, _ in takers if not work.is_over}
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()
        unfinished = [work for work in left.values() if work.missing]
        for work in unfinished:
            work.error = RuntimeError("the lane is closed")
        self._on_done(unfinished)

    def _claim(self, work: Work, order: Sequence[int]) -> None:
        work.missing = len(work.keys)
        for row in order:
            key = work.keys[row]
            if (known := self._cache.get(key)) is not None:
                work.vectors[row] = known
                work.missing -= 1
                work.cached += 1
            elif (takers := self._takers.get(key)) is not None:
                takers.append((work, row))
                work.shared += 1
            else:
                self._takers[key] = [(work, row)]
                work.waiting.append(row)
                work.waiting_tokens += work.length(row)
        work.waiting.reverse()
        if work.waiting:
            self._put_on(work)

    def _put_on(self, work: Work) -> None:
        work.is_queued = True
        if work.is_first:
            self._queue.appendleft(work)
        else:
            self._queue.append(work)
        self.queued_texts += len(work.waiting)
        self.queued_tokens += work.waiting_tokens
        self._changed.notify()

    def _hand_over(self, key: bytes, takers: list[tuple[Work, int]]) -> None:
        """Give a row whose owner left, and which no call has taken, to the first of its other takers."""
        if not takers:
            del self._takers[key]
            return
        work, row = takers[0]
        work.waiting.append(row)
        work.waiting_tokens += work.length(row)
        if work.is_queued:
            self.queued_texts += 1
            self.queued_tokens += work.length(row)
        else:
            self._put_on(work)

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._queue and not self._is_closed:
                    self._changed.wait()
                if self._is_closed:
                    return
                rows = self._take()
                if self._queue:
                    self._changed.notify()
            self._call(rows)
            del rows  # while it waits for the next call, a thread keeps nothing of the last

    def _take(self) -> list[tuple[Work, int]]:
        """Take the rows of one engine call: of those who have waited longest, as many as fit.

        A work of which a part was taken goes to the end, so that long ones take turns.
        """
        now = time.monotonic()
        rows: list[tuple[Work, int]] = []
        tokens = 0
        normalize = self._queue[0].normalize
        while self._queue and self._queue[0].normalize == normalize:
            work, before = self._queue[0], len(rows)
            while work.waiting and (not rows or tokens + work.length(work.waiting[-1]) <= self._call_tokens):
                row = work.waiting.pop()
                tokens += work.length(row)
                work.waiting_tokens -= work.length(row)
                rows.append((work, row))
            if work.started is None and len(rows) > before:
                work.started = now
            if work.waiting:  # the call is full
                if len(rows) > before:
                    self._queue.rotate(-1)
                break
            self._queue.popleft()
            work.is_queued = False
        self.queued_texts -= len(rows)
        self.queued_tokens -= tokens
        return rows

    def _call(self, rows: list[tuple[Work, int]]) -> None:
        try:
            parts = [work.row(row) for work, row in rows]
            cu_seqlens = np.zeros(len(parts) + 1, np.int64)
            np.cumsum([len(part) for part in parts], out=cu_seqlens[1:])
            begin = time.monotonic()
            vectors = self._run(np.concatenate(parts), cu_seqlens, rows[0][0].normalize)
            if self._on_call:
                self._on_call(len(parts), int(cu_seqlens[-1]), time.monotonic() - begin)
        except Exception as error:
            done = self._fail(rows, error)
        else:
            done = self._deliver(rows, vectors)
        if done:
            self._on_done(done)

    def _deliver(self, rows: list[tuple[Work, int]], vectors: Floats) -> list[Work]:
        done: list[Work] = []
        with self._changed:
            for (owner, owned), vector in zip(rows, vectors, strict=True):
                key = owner.keys[owned]
                self._cache.put(key, vector)
                for work, row in self._takers.pop(key):
                    if work.is_over:
                        continue
                    work.vectors[row] = vector
                    work.missing -= 1
                    if work.missing == 0:
                        done.append(work)
        return done

    def _fail(self, rows: list[tuple[Work, int]], error: Exception) -> list[Work]:
        with self._changed:
            takers = [taker for owner, row in rows for taker, _ in self._takers.pop(owner.keys[row])]
            failed = {id(work): work for work in takers if not work.is_over}
        for work in failed.values():
            work.error = error
            self.drop(work)
        return list(failed.values())
