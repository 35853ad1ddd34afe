"""Long texts as pieces that the model can read: cut at sentence or word boundaries, with overlap."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from gtekit.arrays import Floats, Ints, TokenIds
from gtekit.errors import ArgumentError
from gtekit.inputs import check_count
from gtekit.sentences import SENTENCE_END
from gtekit.tokenizer import TextTokens

MOST_PARTS = 10_000  # that are joined at a stretch: it keeps the GIL, for 2 ms


@dataclass(frozen=True, slots=True)
class Chunks:
    """Vectors of the pieces of texts, and where each piece comes from."""

    embeddings: Floats  # (M, D)
    text_index: Ints  # (M,), which text: ascending
    offsets: Ints  # (M, 2), from and to in characters: texts[i][start:end] is the piece

    def __len__(self) -> int:
        return len(self.embeddings)


@dataclass(frozen=True, slots=True)
class ChunkBatch:
    """Pieces of texts as packed token ids, special tokens included."""

    token_ids: TokenIds  # (S,)
    cu_seqlens: Ints  # (M + 1,)
    text_index: Ints  # (M,)
    offsets: Ints  # (M, 2)


class OffsetTokenizer(Protocol):
    """What cutting asks of a tokenizer, which may be behind a server."""

    cls_id: int
    sep_id: int

    def encode_with_offsets(self, text: str, index: int = 0) -> TextTokens:
        """Give all tokens of one text with their places in it; special tokens are left out."""


def chunk_texts(
    tokenizer: OffsetTokenizer,
    texts: Iterable[tuple[int, str]],
    *,
    prompt: str,
    max_tokens: int,
    overlap_tokens: int | None = None,
    on_piece: Callable[[int], None] | None = None,
) -> ChunkBatch:
    """Cut texts into pieces that the model can read.

    Args:
        tokenizer: Of the model.
        texts: Each with its index.
        prompt: Goes before every piece.
        max_tokens: The most tokens of a piece, [CLS], [SEP] and the prompt included.
        overlap_tokens: How far a piece may reach back into the one before; None: an eighth of a piece.
        on_piece: Gets the number of pieces so far after each; ends the work by throwing.

    Raises:
        ArgumentError: If the prompt leaves no room, or the overlap is more than half a piece.
    """
    prompt_ids = tokenizer.encode_with_offsets(prompt).token_ids
    capacity = max_tokens - 2 - len(prompt_ids)
    if capacity < 1:
        raise ArgumentError(f"the prompt has {len(prompt_ids)} tokens, which leaves no room in {max_tokens}.")
    if overlap_tokens is None:
        overlap_tokens = capacity // 8
    check_count("overlap_tokens", overlap_tokens, least=0, most=capacity // 2)
    first = np.concatenate([np.array([tokenizer.cls_id], np.int32), prompt_ids])
    last = np.array([tokenizer.sep_id], np.int32)
    parts: list[TokenIds] = []  # three for a piece
    packed = [np.empty(0, np.int32)]
    lengths = [np.zeros(1, np.int64)]
    text_index: list[int] = []
    offsets = [np.empty((0, 2), np.int64)]
    for index, text in texts:
        tokens = tokenizer.encode_with_offsets(text, index)
        ranges = []
        for begin, end in plan_chunks(text, tokens, capacity=capacity, overlap_tokens=overlap_tokens):
            ranges.append((begin, end))
            parts += (first, tokens.token_ids[begin:end], last)
            text_index.append(index)
            if len(parts) >= MOST_PARTS:
                packed.append(np.concatenate(parts))
                parts.clear()
            if on_piece is not None:
                on_piece(len(text_index))
        lengths.append(np.diff(ranges)[:, 0] + (len(first) + 1))
        offsets.append(_offsets(text, tokens, ranges))
    return ChunkBatch(
        np.concatenate([*packed, *parts]),
        np.cumsum(np.concatenate(lengths), dtype=np.int64),
        np.array(text_index, np.int64),
        np.concatenate(offsets),
    )


def plan_chunks(text: str, tokens: TextTokens, *, capacity: int, overlap_tokens: int) -> Iterator[tuple[int, int]]:
    """Cut one text into ranges of at most `capacity` tokens.

    A piece ends where a sentence does, if one ends in its second half; else at the last word that fits; else, within
    one endless word, wherever it is full. The next piece begins `overlap_tokens` earlier or a little later: at
    the first sentence that begins in that stretch, or else at the first word.

    Args:
        text: What the tokens were made from.
        tokens: All of them, not cut.
        capacity: Tokens of a piece, special tokens not counted.
        overlap_tokens: How far a piece may reach back into the one before, at most half of `capacity`.

    Yields:
        From and to, in tokens; at least one range.
    """
    count = len(tokens.token_ids)
    begin = 0
    if count > capacity:
        # in arrays of Python's, for bisect: searchsorted takes three times as long for one number
        words = array("q", np.flatnonzero(tokens.is_word_start).tobytes())
        sentences = array("q", _sentence_starts(text, tokens).tobytes())
    while begin + capacity < count:
        full = begin + capacity
        least = begin + max(capacity // 2, overlap_tokens + capacity // 4)  # a step forward of a quarter at least
        end = _last(sentences, least, full) or _last(words, least, full) or full
        yield begin, end
        back = max(end - overlap_tokens, begin + 1)
        begin = _first(sentences, back, end) or _first(words, back, end) or end
    yield begin, count


def pool_chunks(embeddings: Floats, weights: Ints, text_index: Ints) -> Floats:
    """Average the chunk vectors of each text, weighted by their tokens.

    Args:
        embeddings: Not normalized, shape (M, D), the chunks of a text side by side.
        weights: Tokens of each chunk, shape (M,).
        text_index: Which text a chunk is of, ascending, shape (M,).

    Returns:
        One vector per text, not normalized. For a mean-pooled model this is the mean over all its token vectors.
    """
    firsts = np.flatnonzero(np.diff(text_index, prepend=-1))
    shares = weights.astype(np.float32)
    sums = np.add.reduceat(embeddings * shares[:, None], firsts, axis=0)
    return np.divide(sums, np.add.reduceat(shares, firsts)[:, None], dtype=np.float32)


def _offsets(text: str, tokens: TextTokens, ranges: Sequence[tuple[int, int]]) -> Ints:
    """Give the characters that ranges of tokens come from, shape (M, 2); a whole text is (0, len(text))."""
    if len(ranges) == 1:
        return np.array([[0, len(text)]], np.int64)
    ends = np.array(ranges).ravel()[:-1]  # the last range ends with the text
    starts, stops = np.minimum.reduceat(tokens.starts, ends), np.maximum.reduceat(tokens.ends, ends)
    return np.stack([starts[::2], stops[::2]], axis=1)


def _sentence_starts(text: str, tokens: TextTokens) -> Ints:
    places = [match.end() for match in SENTENCE_END.finditer(text)]
    firsts = np.unique(np.searchsorted(tokens.starts, places))  # the first token at or after each place
    firsts = firsts[firsts < len(tokens.token_ids)]
    return firsts[tokens.is_word_start[firsts]]


def _last(places: Sequence[int], above: int, up_to: int) -> int:
    """The last place in (above, up_to], or 0."""
    row = bisect_right(places, up_to) - 1
    return places[row] if row >= 0 and places[row] > above else 0


def _first(places: Sequence[int], start: int, below: int) -> int:
    """The first place in [start, below), or 0."""
    row = bisect_left(places, start)
    return places[row] if row < len(places) and places[row] < below else 0
