"""A progress line on stderr for long work: texts/s, tokens/s and the time that is left."""

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self, TextIO

START_AFTER_S = 2.0  # unasked, only work this long gets a line
INTERVAL_S = 0.1
LONGEST_INTERVAL_S = 60.0
BAR_WIDTH = 24


class Progress:
    """Counts finished texts and tokens, and shows them while the work goes on."""

    def __init__(
        self,
        texts: int | None = None,
        tokens: int | None = None,
        *,
        show: bool | None = None,
        stream: TextIO | None = None,
    ) -> None:
        """Begin to measure.

        Args:
            texts: How many there are, where that is known.
            tokens: How many tokens they have; the time left is better told from these.
            show: True shows a line at once, False never, None on a terminal once the work has run for two seconds.
            stream: Where the line goes, by default sys.stderr.
        """
        self._stream = stream or sys.stderr
        self._texts, self._tokens = texts, tokens
        self._is_terminal = self._stream.isatty() if hasattr(self._stream, "isatty") else False
        self._is_on = self._is_terminal if show is None else show
        self._is_asked = bool(show)
        self._begin = time.monotonic()
        self._next = self._begin + (START_AFTER_S if show is None else 0.0)
        self._done = (0, 0)
        self._written = (-1, -1)  # what was done at the last line
        self._interval = INTERVAL_S if self._is_terminal else 1.0
        self._width = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def update(self, texts: int, tokens: int) -> None:
        """Take the numbers done so far: totals, not steps."""
        self._done = (texts, tokens)
        now = time.monotonic()
        if self._is_on and now >= self._next:
            self._next = now + self._interval
            if (
                not self._is_terminal
            ):  # a file or a pipe keeps every line: a handful in the first minute, one in each next
                self._interval = min(2 * self._interval, LONGEST_INTERVAL_S)
            self._write(self.line(now - self._begin), end="")

    def after(self, texts: int, tokens: int) -> Callable[[int, int], None]:
        """Give an `update` that counts on from these totals: for work that comes in several parts."""
        return lambda more_texts, more_tokens: self.update(texts + more_texts, tokens + more_tokens)

    def close(self) -> None:
        """Write the last state and end the line, if one was begun or asked for."""
        is_said = self._written == self._done and not self._is_terminal
        if (self._width or self._is_asked) and not is_said:
            self._write(self.line(time.monotonic() - self._begin), end="\n")
        self._width = 0
        self._is_asked = False

    def line(self, elapsed_s: float) -> str:
        """Give the state after some seconds as text."""
        texts, tokens = self._done
        elapsed_s = max(elapsed_s, 1e-9)
        rates = f"{texts / elapsed_s:,.0f} texts/s  {tokens / elapsed_s:,.0f} tokens/s"
        share = self._share()
        if share is None:
            return f"{texts:,} texts  {rates}  {clock(elapsed_s)}"
        filled = int(share * BAR_WIDTH)
        bar = "█" * filled + "░" * (BAR_WIDTH - filled)
        left = f"{clock(elapsed_s / share - elapsed_s)} left" if 0 < share < 1 else f"{clock(elapsed_s)} in all"
        total = f"{texts:,}/{self._texts:,} texts" if self._texts is not None else f"{texts:,} texts"
        return f"{share:4.0%} {bar} {total}  {rates}  {left}"

    def _share(self) -> float | None:
        texts, tokens = self._done
        done, total = (tokens, self._tokens) if self._tokens else (texts, self._texts)
        return min(done / total, 1.0) if total else None

    def _write(self, line: str, *, end: str) -> None:
        padding = " " * (self._width - len(line))
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        text = f"\r{line}{padding}{end}" if self._is_terminal else f"{line}\n"
        self._stream.write(text.encode(encoding, "replace").decode(encoding))
        self._stream.flush()
        self._width = len(line)
        self._written = self._done


def clock(seconds: float) -> str:
    """Give a time as people read it: 0:42, 1:02:03."""
    minutes, rest = divmod(int(seconds + 0.5), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
