"""Notices text in a script that the model's vocabulary hardly covers: its vectors would mean little."""

import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from gtekit.arrays import Array, Ints, TokenIds
from gtekit.errors import LanguageWarning
from gtekit.notices import warn_caller
from gtekit.tokenizer import Tokenizer

# A script counts as covered from so many entries on, "##" forms included. bert-base-uncased has 488 for Chinese
# characters and 86 for Cyrillic, mostly single letters; bert-base-chinese has 14,000 for Chinese characters.
COVERED_ENTRIES = 1_000
LEAST_CHARS = 12  # in texts that are mostly not covered: fewer say too little
LEAST_SHARE = 0.01  # of the characters of the call: a few such lines in a large corpus are normal


class LanguageNotice:
    """Warns once about text that the vocabulary hardly covers."""

    def __init__(self, tokenizer: Tokenizer, model_name: str, *, enabled: bool = True) -> None:
        self._tokenizer = tokenizer
        self._model_name = model_name
        self._is_on = enabled
        self._covered_scripts = {"LATIN"}
        self._is_strange_id: Array | None = None  # (V,), once text came that needs it

    def check(
        self, texts: Sequence[str], token_ids: TokenIds, cu_seqlens: Ints, text_index: Ints | None = None
    ) -> None:
        """Warn, the first time that most tokens of enough text are [UNK] or in a script that is hardly covered.

        Costs a look-up per token. The vocabulary itself is read (30 ms) when text beyond ASCII first comes.

        Args:
            texts: As the caller gave them.
            token_ids: Packed, shape (S,).
            cu_seqlens: Shape (B + 1,).
            text_index: Which text each row of the batch is of, shape (B,); None: the same order.
        """
        if not self._is_on:
            return
        if self._is_strange_id is None and _bytes_beyond_ascii(texts) >= LEAST_CHARS:
            self._is_strange_id = self._look_at_vocabulary()
        if self._is_strange_id is None:
            is_strange = token_ids == self._tokenizer.unk_id
        else:
            is_strange = self._is_strange_id[token_ids]
        if not is_strange.any():
            return
        lengths = np.diff(cu_seqlens) - 2
        strange = np.add.reduceat(is_strange, cu_seqlens[:-1], dtype=np.int64)
        rows = np.flatnonzero(2 * strange > lengths)
        if len(rows) == 0:
            return
        indices = rows if text_index is None else np.unique(text_index[rows])
        chars = sum(len(texts[index]) for index in indices)
        if chars >= max(LEAST_CHARS, LEAST_SHARE * sum(map(len, texts))):
            self._is_on = False
            warn_caller(self._message(texts, indices), LanguageWarning)

    def _message(self, texts: Sequence[str], rows: Ints) -> str:
        first = int(rows[0])
        scripts = Counter(script for char in texts[first][:1000] if (script := _script(char)))
        seen = ", ".join(script.title() for script, _ in scripts.most_common(2) if script not in self._covered_scripts)
        what = f" (texts[{first}]: {seen})" if seen else f" (texts[{first}])"
        return (
            f"{len(rows):,} of {len(texts):,} texts are mostly in a script that the vocabulary of {self._model_name} "
            f"hardly covers, or unknown to it{what}. It was not made for them: expect their vectors to mean little. "
            "Use a model of that language. This is said once; load(..., language_warning=False) switches it off."
        )

    def _look_at_vocabulary(self) -> Array:
        """For each token id, whether it is [UNK] or in a script that is hardly covered, shape (V,)."""
        scripts = {
            token_id: {script for char in token if (script := _script(char))}
            for token, token_id in self._tokenizer.vocabulary().items()
            if not token.isascii()
        }
        entries = Counter(script for found in scripts.values() for script in found)
        # ASCII is never strange, and Latin with it: numbers, code and names are everywhere
        self._covered_scripts = {"LATIN", *(script for script, count in entries.items() if count >= COVERED_ENTRIES)}
        is_strange = np.zeros(self._tokenizer.vocab_size, np.bool_)
        is_strange[self._tokenizer.unk_id] = True
        for token_id, found in scripts.items():
            is_strange[token_id] = not found <= self._covered_scripts
        return is_strange


def _bytes_beyond_ascii(texts: Sequence[str]) -> int:
    return sum(len(text.encode()) - len(text) for text in texts if not text.isascii())


@lru_cache(maxsize=65536)
def _script(char: str) -> str:
    """The script of a letter or vowel sign, such as CYRILLIC or HANGUL; "" for what belongs to none."""
    if unicodedata.category(char) not in {"Lu", "Ll", "Lt", "Lo", "Mn", "Mc"}:
        return ""
    script = unicodedata.name(char, "").split(" ")[0].split("-")[0]
    return "" if script in _NO_SCRIPT else script


_NO_SCRIPT = frozenset(
    {"", "COMBINING", "VARIATION", "MICRO", "OHM", "KELVIN", "ANGSTROM", "FEMININE", "MASCULINE", "SCRIPT", "DOUBLE"}
    | {"MATHEMATICAL", "BLACK", "TURNED", "EULER"}
)
