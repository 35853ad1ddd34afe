"""The texts to measure with: the user's own, or some made from the words of the model.

Made texts have the lengths of a log-normal distribution, as real corpora roughly have: its quantiles and not random
draws, so that every sample has the same shape. Words and order come from a fixed seed. Speed depends on lengths alone;
accuracy depends on the words as well, so it is told best by texts of one's own.
"""

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import NormalDist

from gtekit.embedder import Embedder
from gtekit.errors import ArgumentError, FileFormatError, GtekitWarning
from gtekit.files import InputFormat, open_rows
from gtekit.notices import warn_caller

SEED = 20_240
MOST_ROWS = 20_000  # of a file: more of it would not change the result
MOST_CHARS = 20_000_000
MADE_TEXTS = 2_000
MEDIAN_TOKENS, SIGMA = 60, 0.9  # of made texts; sigma is that of the logarithm
FEWEST_TEXTS = 4
COUNTED_TEXTS = 64  # at a time
QUERY_WORDS = 8
QUERY_CHARS = 80  # Chinese has no spaces to count words by
QUERIES = 32


@dataclass(frozen=True, slots=True)
class TextSource:
    """Texts to choose from."""

    name: str
    texts: Sequence[str] | None  # None: they are made once the model is there


@dataclass(frozen=True, slots=True)
class Sample:
    """The texts of one run."""

    texts: list[str]
    tokens: int  # that the model reads of them, [CLS] and [SEP] included
    queries: list[str]  # short ones


def read_source(
    path: Path | None,
    form: InputFormat,
    *,
    field: str | None = None,
    delimiter: str | None = None,
    is_format_named: bool = True,
) -> TextSource:
    """Read the beginning of a file of texts.

    Args:
        path: The file; None reads standard input.
        form: What the bytes are.
        field: Which field holds the texts; None: text, sentence, or the only one of strings.
        delimiter: Between the fields of csv and tsv; None: a comma, a tab.
        is_format_named: By the caller or the name of the file; False: txt that looks like JSON is refused.

    Raises:
        FileFormatError: If it can't be read, or holds no text.
    """
    name = "standard input" if path is None else str(path)
    texts: list[str] = []
    chars = 0
    with open_rows(path, form, field=field, keep="none", delimiter=delimiter, is_named=is_format_named) as rows:
        if rows.guess:
            warn_caller(rows.guess, GtekitWarning)
        for row in islice(rows.rows, MOST_ROWS):
            if row.text.strip():
                texts.append(row.text)
                chars += len(row.text)
            if chars > MOST_CHARS:
                break
    if not texts:
        raise FileFormatError(f"{name}: holds no text to measure with. Name another file, or none.")
    return TextSource(name, texts)


def made_source() -> TextSource:
    """Stand for texts that are made from the model's vocabulary."""
    return TextSource("made from the words of the model", None)


def choose_sample(model: Embedder, source: TextSource, tokens: int) -> Sample:
    """Choose texts of about so many tokens in all, from all over the source; those of a small one come repeatedly."""
    texts = make_texts(model.tokenizer.vocabulary(), model.max_tokens) if source.texts is None else list(source.texts)
    random.Random(SEED).shuffle(texts)
    queries = [" ".join(text.split()[:QUERY_WORDS])[:QUERY_CHARS] for text in texts[:QUERIES]]
    lengths: list[int] = []  # of the first texts: no more are counted than are needed
    chosen: list[str] = []
    total = 0
    while total < tokens or len(chosen) < FEWEST_TEXTS:
        place = len(chosen) % len(texts)
        if place == len(lengths):
            lengths += model.count_tokens(texts[place : place + COUNTED_TEXTS])
        chosen.append(texts[place])
        total += min(lengths[place], model.max_tokens)
    return Sample(chosen, total, queries)


def make_texts(vocabulary: Mapping[str, int], max_tokens: int) -> list[str]:
    """Make texts of mixed lengths from the words that the tokenizer keeps whole, none longer than the model reads.

    Raises:
        ArgumentError: If the vocabulary has hardly any words.
    """
    by_id = sorted(vocabulary, key=vocabulary.__getitem__)
    words = [word for word in by_id if word.isalpha() and word.isascii() and word.islower() and len(word) > 1]
    if len(words) < 2:
        raise ArgumentError("the model's vocabulary has no words to make texts from. Name a FILE of texts.")
    numbers = random.Random(SEED)
    quantiles = (NormalDist(math.log(MEDIAN_TOKENS), SIGMA).inv_cdf((n + 0.5) / MADE_TEXTS) for n in range(MADE_TEXTS))
    lengths = [min(max(round(math.exp(quantile)), 3), max_tokens) - 2 for quantile in quantiles]  # [CLS] and [SEP]
    return [" ".join(_frequent_word(words, numbers) for _ in range(length)) for length in lengths]


def _frequent_word(words: Sequence[str], numbers: random.Random) -> str:
    """Draw a word: early ones, which are frequent in print, come more often (Zipf)."""
    return words[int(len(words) ** numbers.random()) - 1]
