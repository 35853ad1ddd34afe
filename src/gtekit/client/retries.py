"""When a request is sent again, and after which pause."""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

AGAIN = frozenset({408, 429, 502, 503, 504})  # statuses that may have gone by the next time
FIRST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 8.0  # of our own choosing; a server may ask for more


@dataclass(slots=True)
class Patience:
    """What is left of the time and the tries of one request."""

    retries: int
    timeout_s: float
    tries: int = 0
    why: str = ""  # there is no further try, once that is so
    _began: float = field(default_factory=time.monotonic)

    @property
    def left_s(self) -> float:
        """Seconds until nobody waits any more; 0 once that is so."""
        return max(self._began + self.timeout_s - time.monotonic(), 0.0)

    def pause_s(self, headers: Mapping[str, str] | None = None) -> float | None:
        """Give the seconds to wait before the next try, after one has failed; None: give up.

        Args:
            headers: Of the answer, names in lower case: what it says of when to come back is obeyed. None where there
                was no answer.
        """
        self.tries += 1
        if self.tries > self.retries:
            again = "once" if self.retries == 1 else f"{self.retries} times"
            self.why = f"sent again {again}, and retries={self.retries} allows no more" if self.retries else "retries=0"
            return None
        pause = hint_s(headers or {})
        if pause is None:
            import random

            longest = min(FIRST_PAUSE_S * 2 ** (self.tries - 1), LONGEST_PAUSE_S)
            pause = longest * random.uniform(0.5, 1.0)  # many clients that failed at once do not come back at once
        left_s = self.left_s
        if pause < left_s:
            return pause
        self.why = (
            f"to wait {pause:,.1f} s more would pass timeout_s={self.timeout_s:g}, of which {left_s:,.1f} s are left"
        )
        return None


def hint_s(headers: Mapping[str, str]) -> float | None:
    """Give the pause that a server asks for, in seconds; None where it says nothing that can be read."""
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    said = headers.get("retry-after")
    seconds = _number(said)
    if seconds is not None or said is None:
        return seconds
    from email.utils import parsedate_to_datetime

    try:
        moment = parsedate_to_datetime(said)
    except (ValueError, TypeError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max((moment - datetime.now(UTC)).total_seconds(), 0.0)


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None
