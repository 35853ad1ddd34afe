"""The sentences that say most of a text, in their order: nothing is written that does not stand there."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, Protocol, Unpack

import numpy as np

from gtekit.arrays import Floats, Ints
from gtekit.config import EncodeKeywords
from gtekit.cosines import within_one
from gtekit.errors import ArgumentError, TextTypeError
from gtekit.inputs import check_count, check_texts
from gtekit.sentences import sentence_spans
from gtekit.tasks.alike import MarkingModel, alike_options
from gtekit.tasks.mmr import check_diversity, mmr_order

SENTENCES = 3
# Up to 0.4 agreement with people's summaries is that of 0 within its interval, from 0.5 on it falls: SummEval, as
# benchmarks/summarization.py measures it.
DIVERSITY = 0.3


class SummaryModel(MarkingModel, Protocol):
    """What a summary needs of a model; an Embedder has it."""

    def encode(self, texts: Sequence[str], **options: Unpack[EncodeKeywords]) -> Floats:
        """Embed texts, shape (N, D)."""

    def encode_query(self, queries: Sequence[str], **options: Unpack[EncodeKeywords]) -> Floats:
        """Embed queries, shape (Q, D)."""

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Count the tokens of each text, [CLS] and [SEP] included."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of a summary: text[start:end] of the text that it was taken from."""

    text: str
    start: int  # in characters
    end: int
    index: int  # among all sentences of the text
    score: float  # how near it is to the whole text, and to the query where there is one; -1 to 1
    rank: int  # 1 for the sentence that was chosen first


@dataclass(frozen=True, slots=True)
class Summary:
    """Sentences of a text, in the order of the text."""

    sentences: tuple[Sentence, ...]
    total_sentences: int  # of the text
    total_characters: int

    @property
    def text(self) -> str:
        """The sentences with a space between."""
        return " ".join(sentence.text for sentence in self.sentences)

    def to_dict(self) -> dict[str, Any]:
        """Give everything as plain values, for JSON."""
        return {
            "text": self.text,
            "total_sentences": self.total_sentences,
            "total_characters": self.total_characters,
            "sentences": [
                {
                    "text": sentence.text,
                    "start": sentence.start,
                    "end": sentence.end,
                    "index": sentence.index,
                    "score": round(sentence.score, 6),
                    "rank": sentence.rank,
                }
                for sentence in self.sentences
            ],
        }


def summarize(
    model: SummaryModel,
    text: str,
    *,
    sentences: int | float | None = None,
    tokens: int | None = None,
    query: str | None = None,
    diversity: float = DIVERSITY,
    progress: bool | None = None,
) -> Summary:
    """Choose the sentences that are nearest to the whole text and do not repeat each other.

    Centrality is the cosine of a sentence with the vector of the whole text, which a long text has as the mean over
    its pieces: nothing is cut. Without diversity it agrees with people's summaries as well as LexRank and the mean of
    the sentences' vectors do; with some it does not lose by it as those do (`benchmarks/summarization.py`). Sentences
    end at punctuation and at line ends, in any language.

    Args:
        model: Embeds the sentences and the text.
        text: Of any length.
        sentences: How many; below 1, the share of the text's sentences, rounded up; None: 3, or as many as `tokens`
            lets in. A text of no more is given whole.
        tokens: The most tokens in all, [CLS] and [SEP] not counted. A sentence that would be too much is passed over
            for the next best; where none fits, the summary is empty.
        query: What the summary is to be about: half of the score is then the cosine with it.
        diversity: 0 looks at centrality alone, 1 chooses what is least like the sentences chosen before (see `mmr`).
        progress: As in EncodeOptions.

    Returns:
        The sentences in their order with their places. Of a text without sentences, none.

    Raises:
        TextTypeError: If `text` or `query` is not a str.
        ArgumentError: If a value is not possible.
    """
    for name, value in (("text", text), ("query", "" if query is None else query)):
        if not isinstance(value, str):
            raise TextTypeError(f"{name} is a {type(value).__name__}, expected one str. For many texts: one call each.")
    check_length(sentences, tokens)
    check_diversity(diversity)
    spans = list(sentence_spans(text))
    wanted = _wanted(sentences, tokens, len(spans))
    if not spans:
        return Summary((), 0, len(text))
    parts = [text[begin:end] for begin, end in spans]
    vectors, relevance = _score(model, text, parts, query, progress)
    order = mmr_order(relevance, vectors, diversity)  # chosen one by one, so no more than are taken
    lengths = None if tokens is None else np.array(model.count_tokens(parts), np.int64) - 2  # without [CLS] and [SEP]
    ranks = {index: place for place, index in enumerate(_take(order, wanted, lengths, tokens), start=1)}
    return Summary(
        tuple(
            Sentence(parts[index], *spans[index], index, float(relevance[index]), ranks[index])
            for index in sorted(ranks)
        ),
        len(parts),
        len(text),
    )


def summary_scores(model: SummaryModel, references: str | Sequence[str], summaries: Sequence[str]) -> Floats:
    """Say how good summaries are: the cosine of each with the nearest reference.

    With summaries by people as references this is the measure of SummEval in MTEB, whose score is the correlation of
    these numbers with the judgement of people.

    Args:
        model: Embeds all of them alike: with no prompt but the model's default one, or, where it marks queries and
            documents (E5), with the mark of queries.
        references: Summaries by people; or, where there are none, the text itself, which is a weaker judge.
        summaries: What is to be judged.

    Returns:
        Shape (N,), -1 to 1, in the order of the summaries.

    Raises:
        TextTypeError: If something is not a str.
        ArgumentError: If there is no reference.
    """
    known = [references] if isinstance(references, str) else check_texts(references)
    if not known:
        raise ArgumentError("there are no references; give summaries by people, or the text itself.")
    judged = check_texts(summaries)
    unique = list(dict.fromkeys([*known, *judged]))
    row = {text: place for place, text in enumerate(unique)}
    vectors = model.encode(unique, **alike_options(model, {}))
    cosines = vectors[[row[text] for text in judged]] @ vectors[[row[text] for text in known]].T
    return within_one(np.asarray(cosines.max(axis=1), np.float32))


def check_length(sentences: int | float | None, tokens: int | None) -> None:
    """Make sure that a number or share of sentences, and of tokens, is possible.

    Raises:
        ArgumentError: If it is not.
    """
    if tokens is not None:
        check_count("tokens", tokens)
    if isinstance(sentences, float):
        if not 0 < sentences < 1:
            raise ArgumentError(f"sentences={sentences!r} is not possible; choose a whole number, or a share below 1.")
    elif sentences is not None:
        check_count("sentences", sentences)


def _wanted(sentences: int | float | None, tokens: int | None, total: int) -> int:
    if sentences is None:
        return total if tokens is not None else SENTENCES
    if isinstance(sentences, float):
        return ceil(round(sentences * total, 6))  # 0.1 * 30 is a little more than 3
    return int(sentences)


def _score(
    model: SummaryModel, text: str, parts: list[str], query: str | None, progress: bool | None
) -> tuple[Floats, Floats]:
    """Give the vectors of the sentences, (N, D), and their relevance, (N,)."""
    options = alike_options(model, {"on_truncation": "chunk", "progress": progress})
    vectors = model.encode([*parts, text], **options)
    vectors, center = vectors[:-1], vectors[-1]
    relevance = np.einsum("nd,d->n", vectors, center)
    if query is not None:
        wanted = model.encode_query([query], normalize=True, on_truncation="chunk")[0]
        relevance = (relevance + np.einsum("nd,d->n", vectors, wanted)) / np.float32(2)
    return vectors, within_one(relevance)


def _take(order: Iterator[int], wanted: int, lengths: Ints | None, tokens: int | None) -> list[int]:
    """Go through the sentences, best first, and take what there is room for, until no sentence that is left fits."""
    chosen: list[int] = []
    used = 0
    shortest = 0 if lengths is None else int(lengths.min())
    for index in order:
        if lengths is not None and tokens is not None:
            if used + int(lengths[index]) > tokens:
                continue
            used += int(lengths[index])
        chosen.append(index)
        if len(chosen) == wanted or (tokens is not None and used + shortest > tokens):
            break
    return chosen
