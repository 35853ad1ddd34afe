"""Which words made a match: the cosine of a query and a document, taken apart into what each pair of tokens adds.

With mean pooling the vector of a text is the mean of its token vectors, divided by its length. So the cosine is a sum
over pairs of a query token i and a document token j, and nothing is left over:

    q . d = sum_ij q_i . d_j / (I |mean q| J |mean d|)

A token vector has seen its whole text: a contribution says what the vector at this place adds, not what would happen
to the score if the word were not there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gtekit.any_model import AnyModel
from gtekit.arrays import Array
from gtekit.chunking import OffsetTokenizer
from gtekit.config import EncodeOptions, OnTruncation
from gtekit.errors import ArgumentError, TextTypeError
from gtekit.inputs import DOCUMENT_PROMPTS, QUERY_PROMPTS, check_count, choose_prompt

TRUNCATIONS: tuple[OnTruncation, ...] = ("warn", "error", "ignore")
Kind = Literal["word", "special", "prompt"]


@dataclass(frozen=True, slots=True)
class Part:
    """A word, a special token, or the prompt, and what it adds to the score."""

    text: str  # as it stands in the text; "[CLS]", "[SEP]" or the prompt for the others
    kind: Kind
    start: int | None  # in characters of the text; None for what does not stand in it
    end: int | None
    tokens: int
    contribution: float  # the parts of one side add up to the score


@dataclass(frozen=True, slots=True)
class Side:
    """The query or the document."""

    text: str
    parts: tuple[Part, ...]  # in the order of the model's tokens
    cut_at: int | None = None  # text[cut_at:] was not read: the text is too long; None: all of it was

    @property
    def words(self) -> tuple[Part, ...]:
        """The parts that stand in the text."""
        return tuple(part for part in self.parts if part.kind == "word")

    @property
    def rest(self) -> float:
        """What special tokens and the prompt add."""
        return sum(part.contribution for part in self.parts if part.kind != "word")


@dataclass(frozen=True, slots=True)
class Match:
    """A word of the query with a word of the document."""

    query: Part
    document: Part
    contribution: float


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """A cosine and what it is made of."""

    model: str
    score: float
    query: Side
    document: Side
    matrix: NDArray[np.float64]  # (parts of the query, parts of the document); adds up to the score

    def matches(self, top_k: int = 10) -> list[Match]:
        """Give the pairs of words that add most, the largest first.

        Raises:
            ArgumentError: If `top_k` is not possible.
        """
        check_count("top_k", top_k)
        rows = [row for row, part in enumerate(self.query.parts) if part.kind == "word"]
        columns = [column for column, part in enumerate(self.document.parts) if part.kind == "word"]
        words = self.matrix[np.ix_(rows, columns)]
        places = np.argsort(-words, axis=None, kind="stable")[:top_k]
        left, right = self.query.words, self.document.words
        return [
            Match(left[row], right[column], float(words[row, column]))
            for row, column in (divmod(int(place), len(columns)) for place in places)
        ]

    def to_dict(self) -> dict[str, Any]:
        """Give everything as plain values, for JSON."""
        return {
            "model": self.model,
            "score": self.score,
            "query": _side_values(self.query),
            "document": _side_values(self.document),
            "matrix": self.matrix.tolist(),
        }

    def write_html(self, path: Path | str) -> None:
        """Write one page with the words coloured by what they add: it loads nothing, and suits light and dark."""
        from gtekit.files import check_writable, replace_when_complete
        from gtekit.tasks.explain_page import draw_page

        check_writable(Path(path))
        with replace_when_complete(Path(path)) as temporary:
            temporary.write_text(draw_page(self), encoding="utf-8")


def explain(model: AnyModel, query: str, document: str, *, on_truncation: OnTruncation = "warn") -> Explanation:
    """Take the cosine of a query and a document apart into what their words add.

    Args:
        model: With mean pooling. Its query prompt goes before the query and its document prompt before the document,
            as in `encode_query` and `encode_document`.
        query: One text.
        document: One text. What is longer than the model reads is cut.
        on_truncation: As in EncodeOptions, without "chunk".

    Returns:
        Contributions of words, special tokens and prompts, which add up to the score: to the last bits of float64 as
        sums, and to float32's rounding against the cosine of the embeddings.

    Raises:
        TextTypeError: If a text is not a str.
        ArgumentError: If the model pools in another way, or `on_truncation` is not possible.
        TruncationError: If a text is too long and that is refused.
    """
    for name, text in (("query", query), ("document", document)):
        if not isinstance(text, str):
            raise TextTypeError(f"{name} is a {type(text).__name__}, expected one str.")
    if on_truncation not in TRUNCATIONS:
        raise ArgumentError(
            f"on_truncation={on_truncation!r} is not possible for explain, which shows one reading of a text; choose "
            f"from: {', '.join(TRUNCATIONS)}."
        )
    if model.pooling != "mean":
        raise ArgumentError(
            f"{model.name}: its vector of a text is that of the token [CLS] (pooling={model.pooling!r}), which is no "
            "sum over words. Explanations need a model with mean pooling, such as gte-small or all-MiniLM-L6-v2."
        )
    query_parts, query_vectors, query_cut = _part_vectors(model, query, QUERY_PROMPTS, on_truncation)
    document_parts, document_vectors, document_cut = _part_vectors(model, document, DOCUMENT_PROMPTS, on_truncation)
    matrix = query_vectors @ document_vectors.T
    return Explanation(
        model.name,
        float(matrix.sum()),
        Side(query, _with_contributions(query_parts, matrix.sum(axis=1)), query_cut),
        Side(document, _with_contributions(document_parts, matrix.sum(axis=0)), document_cut),
        matrix,
    )


def _part_vectors(
    model: AnyModel, text: str, prompt_names: Sequence[str], on_truncation: OnTruncation
) -> tuple[list[Part], NDArray[np.float64], int | None]:
    """Give the parts of a text, what each adds to its unit vector, shape (parts, D), and where the text is cut."""
    name = next((name for name in prompt_names if name in model.prompts), None)
    prompt = choose_prompt(model.prompts, model.checkpoint.default_prompt_name, EncodeOptions(prompt_name=name))
    states = model.token_states([text], prompt=prompt, on_truncation=on_truncation)[0].astype(np.float64)
    states /= len(states) * np.linalg.norm(states.mean(axis=0))
    parts, firsts, cut_at = _parts(model.tokenizer, text, prompt, len(states))
    return parts, np.add.reduceat(states, firsts, axis=0), cut_at


def _parts(tokenizer: OffsetTokenizer, text: str, prompt: str, length: int) -> tuple[list[Part], list[int], int | None]:
    """Join the tokens that were read, `length` with [CLS] and [SEP], to words; give each part and its first token."""
    tokens = tokenizer.encode_with_offsets(prompt + text)
    kept = length - 2
    shift = len(prompt)
    is_prompt = tokens.ends[:kept] <= shift
    starts_part = tokens.is_word_start[:kept].copy()
    starts_part[is_prompt] = False  # the prompt is one part, and the text begins another
    starts_part[:1] = True
    starts_part[is_prompt.sum() : is_prompt.sum() + 1] = True
    begins = [int(place) for place in np.flatnonzero(starts_part)]
    parts = [Part("[CLS]", "special", None, None, 1, 0.0)]
    for begin, end in pairwise([*begins, kept]):
        if is_prompt[begin]:
            parts.append(Part(prompt, "prompt", None, None, end - begin, 0.0))
            continue
        start, stop = max(int(tokens.starts[begin]) - shift, 0), int(tokens.ends[end - 1]) - shift
        parts.append(Part(text[start:stop], "word", start, stop, end - begin, 0.0))
    parts.append(Part("[SEP]", "special", None, None, 1, 0.0))
    cut_at = None if kept == len(tokens.token_ids) else max(int(tokens.starts[kept]) - shift, 0)
    return parts, [0, *(begin + 1 for begin in begins), length - 1], cut_at


def _with_contributions(parts: Sequence[Part], sums: Array) -> tuple[Part, ...]:
    return tuple(
        Part(part.text, part.kind, part.start, part.end, part.tokens, float(value))
        for part, value in zip(parts, sums, strict=True)
    )


def _side_values(side: Side) -> dict[str, Any]:
    return {
        "text": side.text,
        "cut_at": side.cut_at,
        "parts": [
            {
                "text": part.text,
                "kind": part.kind,
                "start": part.start,
                "end": part.end,
                "tokens": part.tokens,
                "contribution": part.contribution,
            }
            for part in side.parts
        ],
    }
