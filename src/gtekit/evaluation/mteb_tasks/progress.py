"""How far a run is: the task at hand, all of it, and when it will end."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from gtekit.evaluation.published import find_published
from gtekit.evaluation.results import TaskScore
from gtekit.progress import clock

TERMINAL_INTERVAL_S, FILE_INTERVAL_S = 0.2, 30.0


class RunProgress:
    """Counts tasks and texts of a whole run."""

    def __init__(self, texts: Sequence[int], models: int, say: Callable[[str], None]) -> None:
        """Begin.

        Args:
            texts: About how many each task asks for.
            models: How many models do all of them.
            say: Takes a line that stays.
        """
        self._of_tasks = len(texts) * models
        self._of_texts = sum(texts) * models
        self._tasks = 0
        self._texts = 0  # of finished tasks
        self._computed = 0  # of those, in this run and not before it
        self._spent_s = 0.0  # on them
        self._say = say

    @contextmanager
    def task(self, name: str, texts: int) -> Iterator["TaskProgress"]:
        """Follow one task."""
        self._tasks += 1
        shown = TaskProgress(self, f"[{self._tasks}/{self._of_tasks}] {name}", texts)
        try:
            yield shown
        finally:
            shown.clear()

    def left(self, texts: int, spent_s: float) -> str:
        """Say how much time is left, when so many texts of the task at hand took so long; "" where nobody knows yet."""
        computed, spent_s = self._computed + texts, self._spent_s + spent_s
        left = self._of_texts - self._texts - texts
        return f"about {clock(left * spent_s / computed)} left" if computed and left > 0 else ""

    def add(self, texts: int, spent_s: float, *, is_new: bool) -> None:
        """Count a finished task."""
        self._texts += texts
        self._computed += texts if is_new else 0
        self._spent_s += spent_s if is_new else 0.0

    def say(self, line: str) -> None:
        """Write a line that stays."""
        self._say(line)


class TaskProgress:
    """One line about the task at hand."""

    def __init__(self, run: RunProgress, name: str, texts: int) -> None:
        self._run = run
        self._name = name
        self._texts = texts
        self._begun = time.monotonic()
        self._is_terminal = sys.stderr.isatty()
        self._next = self._begun + (TERMINAL_INTERVAL_S if self._is_terminal else FILE_INTERVAL_S)
        self._width = 0

    def update(self, texts: int) -> None:
        """Take how many texts are done."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + (TERMINAL_INTERVAL_S if self._is_terminal else FILE_INTERVAL_S)
        spent_s = now - self._begun
        share = min(texts / self._texts, 1.0) if self._texts else 0.0
        line = (
            f"{self._name}  {share:.0%}  {texts:,}/{self._texts:,} texts  {texts / spent_s:,.0f} texts/s  "
            f"{self._run.left(min(texts, self._texts), spent_s)}"
        ).rstrip()
        if self._is_terminal:
            sys.stderr.write(f"\r{line}{' ' * (self._width - len(line))}")
            sys.stderr.flush()
            self._width = len(line)
        else:
            self._run.say(line)

    def finish(self, score: TaskScore, *, is_new: bool) -> None:
        """Say the score, beside the published one where there is one, and what is left of the run."""
        spent_s = time.monotonic() - self._begun
        self._run.add(self._texts, spent_s, is_new=is_new)
        self.clear()
        known = find_published(score.evaluated.model)
        published = (
            known.scores.get(score.task) if known and not score.data.is_partial and not score.data.part else None
        )
        beside = f" (published {published:.2f})" if published is not None else ""
        how = f"{score.texts_per_s:,.0f} texts/s, {spent_s:,.1f} s" if is_new else "from an earlier run"
        cut = f"{score.texts_cut:,} texts cut at {score.evaluated.max_tokens} tokens" if score.texts_cut else ""
        parts = [f"{self._name}: {score.score:.2f}{beside}", cut, how, self._run.left(0, 0.0)]
        self._run.say("; ".join(part for part in parts if part))

    def clear(self) -> None:
        """Take the line off the terminal."""
        if self._width:
            sys.stderr.write(f"\r{' ' * self._width}\r")
            sys.stderr.flush()
            self._width = 0
