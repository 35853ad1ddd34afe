"""Which texts of a job are cut: counted over saved and new blocks alike, named by their lines, said once."""

from collections.abc import Sequence

import numpy as np

from gtekit.arrays import Ints
from gtekit.errors import TruncationWarning
from gtekit.files import Row
from gtekit.notices import warn_caller

NAMED_LINES = 5  # of the first texts that are cut


class CutCount:
    """Counts the texts that are longer than the model reads."""

    def __init__(self, max_tokens: int) -> None:
        self._max_tokens = max_tokens
        self._texts = self._cut = self._lost = 0
        self._lines: list[int] = []
        self._worst_line = self._worst_tokens = 0

    def add(self, rows: Sequence[Row], lengths: Ints) -> None:
        """Count in the next texts, by their tokens before the cut, shape (N,)."""
        self._texts += len(rows)
        cut = np.flatnonzero(lengths > self._max_tokens)
        if len(cut) == 0:
            return
        self._cut += len(cut)
        self._lost += int((lengths[cut] - self._max_tokens).sum())
        self._lines += [rows[place].number for place in cut[: NAMED_LINES - len(self._lines)]]
        longest = int(cut[np.argmax(lengths[cut])])
        if lengths[longest] > self._worst_tokens:
            self._worst_line, self._worst_tokens = rows[longest].number, int(lengths[longest])

    def warn(self) -> None:
        """Say how many texts were cut, which and how badly, and what to do; nothing if none was."""
        if not self._cut:
            return
        lost = "1 token has" if self._lost == 1 else f"{self._lost:,} tokens have"
        more = f" and {self._cut - len(self._lines):,} more" if self._cut > len(self._lines) else ""
        warn_caller(
            f"{self._cut:,} of {self._texts:,} texts {'is' if self._cut == 1 else 'are'} longer than the "
            f"{self._max_tokens} tokens that are read: {lost} no part in the vectors. Lines or "
            f"rows {', '.join(map(str, self._lines))}{more}; the longest is {self._worst_line} with "
            f'{self._worst_tokens:,} tokens. on_truncation="chunk" embeds whole texts, "ignore" cuts without a word.',
            TruncationWarning,
        )
