"""What was cut off texts that are longer than the model reads, and what to say about it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gtekit.arrays import Ints
from gtekit.config import EncodeOptions
from gtekit.errors import TruncationError, TruncationWarning
from gtekit.notices import warn_caller
from gtekit.tokenizer import Tokenizer


@dataclass(frozen=True, slots=True, kw_only=True)
class Truncation:
    """One text that is longer than the model reads. Tokens count [CLS] and [SEP]."""

    index: int  # of the text in its list
    token_count: int
    tokens_kept: int
    tokens_lost: int
    cut_at: int  # the character where the cut falls: texts[index][cut_at:] has no part in the vector


class TruncationCount:
    """Counts the texts that are too long, over a whole call."""

    def __init__(self, max_tokens: int) -> None:
        self._max_tokens = max_tokens
        self._texts = self._cut = self._lost = 0
        self._worst_index = self._worst_tokens = 0

    def add(self, lengths: Ints) -> None:
        """Count in the next texts, by their tokens before the cut."""
        cut = np.flatnonzero(lengths > self._max_tokens)
        if len(cut):
            longest = int(cut[np.argmax(lengths[cut])])
            if lengths[longest] > self._worst_tokens:
                self._worst_index, self._worst_tokens = self._texts + longest, int(lengths[longest])
            self._cut += len(cut)
            self._lost += int((lengths[cut] - self._max_tokens).sum())
        self._texts += len(lengths)

    def warn(self) -> None:
        """Say once how many texts were cut and how badly, and what to do; nothing if none was."""
        if not self._cut:
            return
        warn_caller(
            f"{self._cut:,} of {self._texts:,} texts {'is' if self._cut == 1 else 'are'} longer than the "
            f"{self._max_tokens} tokens that are read: {self._lost:,} tokens have no part in the vectors. The longest "
            f"is texts[{self._worst_index}] with {self._worst_tokens:,} tokens. truncation_report(texts) says where "
            'the cuts fall; on_truncation="chunk" embeds whole texts, encode_chunks(texts) gives a vector per piece, '
            'on_truncation="ignore" cuts without a word.',
            TruncationWarning,
        )


def warn_of_truncation(lengths: Ints, max_tokens: int, options: EncodeOptions) -> None:
    """Warn once of all texts that were cut, where the options ask for that."""
    if options.on_truncation == "warn":
        count = TruncationCount(max_tokens)
        count.add(lengths)
        count.warn()


def find_cuts(tokenizer: Tokenizer, texts: Sequence[str], prompt: str, *, threads: int) -> list[Truncation]:
    """Give one entry per text that is too long, in order.

    Args:
        tokenizer: Of the model.
        texts: As the caller gave them.
        prompt: What goes before each of them; it takes room too.
        threads: The most threads to use.
    """
    lengths = tokenizer.encode([prompt + text for text in texts], threads=threads).lengths
    found = []
    for index in map(int, np.flatnonzero(lengths > tokenizer.max_tokens)):
        tokens = tokenizer.encode_with_offsets(prompt + texts[index], index)
        cut_at = int(tokens.starts[tokenizer.max_tokens - 2]) - len(prompt)  # the first token that is lost
        found.append(
            Truncation(
                index=index,
                token_count=int(lengths[index]),
                tokens_kept=tokenizer.max_tokens,
                tokens_lost=int(lengths[index]) - tokenizer.max_tokens,
                cut_at=max(cut_at, 0),
            )
        )
    return found


def refuse_truncation(lengths: Ints, max_tokens: int, first_index: int = 0) -> None:
    """Make sure that no text is too long.

    Raises:
        TruncationError: If one has more than `max_tokens`; it names the first.
    """
    cut = np.flatnonzero(lengths > max_tokens)
    if len(cut):
        first = int(cut[0])
        more = f" (and {len(cut) - 1:,} more of these texts)" if len(cut) > 1 else ""
        raise TruncationError(
            f"texts[{first_index + first}] has {int(lengths[first]):,} tokens, the limit is {max_tokens}{more}. "
            'Shorten it, or embed all of it with on_truncation="chunk", or its beginning with on_truncation="warn".'
        )
