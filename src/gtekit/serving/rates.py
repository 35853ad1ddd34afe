"""How fast each key may go: a token bucket for its requests and one for its tokens."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from gtekit.serving.keys import Key
from gtekit.serving.messages import Header
from gtekit.serving.problems import Kind, Problem


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


class Rates:
    """The buckets of all keys that have limits. Used on the event loop alone.

    What a request costs in tokens is known when it is done. So one token has to be there when it begins, and its cost
    may overdraw the bucket; the next one then waits. Over time a key never gets more than its rate.

    Args:
        clock: Seconds from anywhere, never going back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: dict[tuple[str, str], _Bucket] = {}  # by digest of the key and by what is counted

    def check(self, key: Key | None) -> None:
        """Take one request from a key, or refuse it and take nothing.

        Raises:
            Problem: RATE_LIMIT, with the time after which the same request would be let through.
        """
        if key is None:
            return
        requests, tokens = self._of(key)
        wait_s, what = 0.0, ""
        if requests and (wait_s := requests.wait_s(1)):
            what = f"{requests.per_minute:,} requests"
        if tokens and (tokens_wait_s := tokens.wait_s(1)) > wait_s:
            wait_s, what = tokens_wait_s, f"{tokens.per_minute:,} tokens"
        if what:
            raise Problem(
                Kind.RATE_LIMIT,
                f"The key {key.name} may use {what} a minute, which it has. Try again in {math.ceil(wait_s)} s.",
                retry_after_s=wait_s,
            )
        if requests:
            requests.level -= 1

    def charge(self, key: Key | None, tokens: int) -> None:
        """Take the tokens of a request that is done."""
        if key is not None and key.tokens_per_minute is not None:
            bucket = self._of(key)[1]
            if bucket is not None:
                bucket.level -= tokens

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
