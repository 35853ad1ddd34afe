"""How fast each key may go: a token bucket for its requests and one for its tokens."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from operator import itemgetter
from typing import Final

from gtekit.serving.keys import Key
from gtekit.serving.messages import Header
from gtekit.serving.problems import Kind, Problem

MOST_MINUTES: Final = 3  # of its tokens that one request may take: as long the next one waits at most
KEPT: Final = (Kind.GONE, Kind.DEADLINE, Kind.INTERNAL)  # ends before which the engine may have worked
PAID: Final = (*KEPT, Kind.TOO_LONG)  # or a tokenizer has


@dataclass(slots=True)
class _Bucket:
    """As much as fits into a minute, filled at that rate. May go below zero: what was overdrawn is waited for."""

    per_minute: int
    level: float
    filled_at: float

    def fill(self, now: float) -> None:
        self.level = min(self.per_minute, self.level + (now - self.filled_at) * self.per_minute / 60)
        self.filled_at = now

    def wait_s(self, amount: float) -> float:
        """Give how long it takes until `amount` is there; 0 where it is."""
        wait_s = (amount - self.level) * 60 / self.per_minute
        return wait_s if wait_s > 1e-6 else 0.0  # what the rounding of sums may leave


class Reservation:
    """The tokens that one request has taken from its key: an estimate at first, what it cost in the end."""

    __slots__ = ("_bucket", "_clock", "_name", "_sleep", "taken")

    def __init__(
        self, name: str, bucket: _Bucket, clock: Callable[[], float], sleep: Callable[[float], Awaitable[None]]
    ) -> None:
        self._name = name
        self._bucket = bucket
        self._clock = clock
        self._sleep = sleep
        self.taken = 0

    @property
    def per_minute(self) -> int:
        """The limit of the key."""
        return self._bucket.per_minute

    def raise_to(self, tokens: int) -> None:
        """Take as many tokens as are missing to `tokens`. A full bucket may be overdrawn by one request.

        Raises:
            Problem: RATE_LIMIT, if the key has too few; TOO_LARGE, if it will never have enough.
        """
        if tokens <= self.taken:
            return
        bucket = self._bucket
        bucket.fill(self._clock())
        if tokens > MOST_MINUTES * bucket.per_minute:
            raise Problem(
                Kind.TOO_LARGE,
                f"The request has about {tokens:,} tokens; the key {self._name} may use {bucket.per_minute:,} a "
                f"minute, and a request {MOST_MINUTES} times that at most. Send fewer texts at once.",
            )
        if wait_s := bucket.wait_s(min(tokens, bucket.per_minute) - self.taken):
            left = bucket.level + self.taken
            raise _too_fast(self._name, bucket.per_minute, "tokens", f"about {tokens:,}", left, wait_s)
        bucket.level -= tokens - self.taken
        self.taken = tokens

    async def wait_for(self, tokens: int) -> None:
        """Take so many tokens more, once they are there."""
        bucket = self._bucket
        bucket.fill(self._clock())
        while wait_s := bucket.wait_s(min(tokens, bucket.per_minute)):
            await self._sleep(wait_s)
            bucket.fill(self._clock())
        bucket.level -= tokens
        self.taken += tokens

    def settle(self, tokens: int, problem: Kind | None = None) -> None:
        """Take what the request has cost in place of what was reserved. May be called again when it has cost more.

        What ended well and counted no tokens costs the estimate: a tokenizer has read the texts. So does what ended
        while the engine may have been at work, or because a text is too long. What was refused for anything else costs
        what was computed before.

        Args:
            tokens: That were read.
            problem: Why there is no answer, or no whole one.
        """
        cost = tokens or self.taken if problem is None else tokens
        if problem in PAID:
            cost = max(tokens, self.taken)
        self._bucket.fill(self._clock())
        self._bucket.level -= cost - self.taken
        self.taken = cost


class Rates:
    """The buckets of all keys that have limits. Used on the event loop alone.

    What a request costs in tokens is known when it is done, and others of its key may come meanwhile. So an estimate
    is taken while its body is read, and what it has cost takes that one's place in the end. Where the estimate was too
    low the bucket is overdrawn, and the next request waits: over time a key never gets more than its rate.

    Args:
        clock: Seconds from anywhere, never going back.
        sleep: Waits for so many of them.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._buckets: dict[tuple[str, str], _Bucket] = {}  # by digest of the key and by what is counted

    def admit(self, key: Key | None) -> Reservation | None:
        """Take one request from a key, or refuse it and take nothing.

        Returns:
            What takes its tokens; None for a key without a limit of them.

        Raises:
            Problem: RATE_LIMIT, with the time after which the same request would be let through.
        """
        if key is None:
            return None
        requests, tokens = self._of(key)
        named = (("requests", "1", requests), ("tokens", "1 or more", tokens))
        waits = [(bucket.wait_s(1), what, least, bucket) for what, least, bucket in named if bucket]
        wait_s, what, least, short = max(waits, key=itemgetter(0), default=(0.0, "", "", None))
        if short is not None and wait_s:
            raise _too_fast(key.name, short.per_minute, what, least, short.level, wait_s)
        if requests:
            requests.level -= 1
        return Reservation(key.name, tokens, self._clock, self._sleep) if tokens else None

    def headers(self, key: Key | None) -> list[Header]:
        """Give what a key may still do, in the headers that OpenAI's clients know."""
        if key is None or (key.requests_per_minute is None and key.tokens_per_minute is None):
            return []
        headers = []
        for name, bucket in zip(("requests", "tokens"), self._of(key), strict=True):
            if bucket is not None:
                headers += [
                    (f"x-ratelimit-limit-{name}", str(bucket.per_minute)),
                    (f"x-ratelimit-remaining-{name}", str(max(0, math.floor(bucket.level)))),
                    (f"x-ratelimit-reset-{name}", f"{bucket.wait_s(bucket.per_minute):.3f}s"),
                ]
        return headers

    def _of(self, key: Key) -> tuple[_Bucket | None, _Bucket | None]:
        now = self._clock()
        return (
            self._bucket(key.sha256, "requests", key.requests_per_minute, now),
            self._bucket(key.sha256, "tokens", key.tokens_per_minute, now),
        )

    def _bucket(self, sha256: str, what: str, per_minute: int | None, now: float) -> _Bucket | None:
        if per_minute is None:
            return None
        bucket = self._buckets.get((sha256, what))
        if bucket is None:
            bucket = self._buckets[sha256, what] = _Bucket(per_minute, float(per_minute), now)
        bucket.per_minute = per_minute  # of the file as it is now
        bucket.fill(now)
        return bucket


def _too_fast(name: str, per_minute: int, what: str, cost: str, left: float, wait_s: float) -> Problem:
    """Say why a request has to wait.

    Args:
        name: Of the key.
        per_minute: What it may use.
        what: Of what: requests or tokens.
        cost: What the request counts for, in words.
        left: What there is at the moment; below zero where others have overdrawn.
        wait_s: Until there is enough.
    """
    return Problem(
        Kind.RATE_LIMIT,
        f"The key {name} may use {per_minute:,} {what} a minute; this request counts for {cost}, and "
        f"{max(0, math.floor(left)):,} are left. Try again in {math.ceil(wait_s)} s.",
        retry_after_s=wait_s,
    )
