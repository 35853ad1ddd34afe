"""How fast a model has been lately: what a queue of so many tokens will take."""

import time
from threading import Lock

WINDOW_S = 10.0  # of work: older work counts half, and half again


class Throughput:
    """Tokens a second over the time in which there was work. Safe to call from several threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.calls = 0  # that have ended
        self._running = 0
        self._since = 0.0
        self._tokens = 0.0
        self._seconds = 0.0

    def begin(self) -> None:
        """An engine call begins."""
        with self._lock:
            if self._running == 0:
                self._since = time.monotonic()
            self._running += 1

    def end(self, tokens: int) -> None:
        """An engine call ends that ran so many tokens."""
        with self._lock:
            now = time.monotonic()
            self.calls += 1
            self._running -= 1
            self._tokens += tokens
            self._seconds += now - self._since
            self._since = now
            if self._seconds > WINDOW_S:
                self._tokens /= 2
                self._seconds /= 2

    @property
    def tokens_per_second(self) -> float:
        """The rate; 0 before the first call has ended."""
        with self._lock:
            return self._tokens / self._seconds if self._seconds else 0.0

    def seconds_for(self, tokens: float) -> float:
        """Estimate how long so many tokens take; a second where nothing was measured yet."""
        rate = self.tokens_per_second
        return tokens / rate if rate else 1.0
