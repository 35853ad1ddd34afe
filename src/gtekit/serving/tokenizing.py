"""Texts of a job to rows for the engine: whole texts, cut as asked, and the pieces of long ones."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING, Final

import numpy as np

from gtekit.arrays import Ints, TokenIds
from gtekit.chunking import ChunkBatch, chunk_texts
from gtekit.serving.encoding import EncodeJob, Pieces
from gtekit.serving.problems import Kind, Problem
from gtekit.tokenizer import PIECE_CHARS, StoppedError, TokenBatch, Tokenizer

if TYPE_CHECKING:
    from gtekit.embedder import Embedder

PART_BYTES: Final = 370  # a character, while a part of a text is tokenized: measured with Chinese, a token a character
TEXT_BYTES: Final = 50  # the same, of a long text: numbers of its tokens and their places, twice while joined: 43


@dataclass(slots=True, kw_only=True)
class TokenizedJob:
    """The rows that the engine has to run for a job."""

    lengths: Ints  # (N,), tokens before any cut, special tokens and prompt included
    truncated: list[int]
    whole_texts: Ints  # (n,), which texts are rows of `whole`
    whole: TokenBatch
    pieces: ChunkBatch | None  # of the other texts

    @property
    def tokens(self) -> int:
        """That will be read, pieces overlapping."""
        return len(self.whole.token_ids) + (0 if self.pieces is None else len(self.pieces.token_ids))


def working_bytes(tokenizer: Tokenizer, texts: Sequence[str], prompt: str = "") -> int:
    """Give the memory that tokenizing texts, one after the other, takes at most."""
    longest = len(prompt) + max(map(len, texts), default=0)
    if longest <= PIECE_CHARS:
        return longest * PART_BYTES
    part = max(tokenizer.longest_part(text) for text in texts if len(prompt) + len(text) > PIECE_CHARS)
    return (len(prompt) + part) * PART_BYTES + longest * TEXT_BYTES


def tokenize_job(model: "Embedder", job: EncodeJob, stop: Event, most_pieces: int) -> TokenizedJob:
    """Tokenize the texts of a job, cut what is too long, or cut it into pieces, as the job says.

    Args:
        model: Whose tokenizer.
        job: At least one text.
        stop: Once set, from another thread, the work is given up with StoppedError.
        most_pieces: That texts may be cut into.

    Raises:
        Problem: If a text is too long and the job refuses that, or there are too many pieces.
        ArgumentError: If a text can't be tokenized, or the prompt leaves no room.
    """
    limit = min(job.max_tokens or model.max_tokens, model.max_tokens)
    tokenizer = model.tokenizer.stopped_by(stop)

    def watch(pieces: int) -> None:
        if stop.is_set():
            raise StoppedError
        if pieces > most_pieces:
            raise _too_many_pieces(job, most_pieces)

    if job.pieces is not None:
        return _only_pieces(tokenizer, job, job.pieces, limit, watch)
    prompted = [job.prompt + text for text in job.texts] if job.prompt else job.texts
    batch = tokenizer.encode(prompted, threads=1, stop=stop)
    is_long = batch.lengths > limit
    every = np.arange(len(job.texts))
    if not is_long.any():
        return TokenizedJob(lengths=batch.lengths, truncated=[], whole_texts=every, whole=batch, pieces=None)
    places = [int(place) for place in np.flatnonzero(is_long)]
    if job.truncation == "error":
        raise _too_long(job, batch.lengths, places, limit)
    if job.truncation == "chunk":
        texts = ((place, job.texts[place]) for place in places)
        pieces = chunk_texts(tokenizer, texts, prompt=job.prompt, max_tokens=limit, on_piece=watch)
        short = batch.select(~is_long) if not is_long.all() else _no_rows()
        return TokenizedJob(
            lengths=batch.lengths, truncated=[], whole_texts=every[~is_long], whole=short, pieces=pieces
        )
    cut = _cut(tokenizer, prompted, batch, limit, keeps_end=job.truncation == "start")
    return TokenizedJob(lengths=batch.lengths, truncated=places, whole_texts=every, whole=cut, pieces=None)


def _only_pieces(
    tokenizer: Tokenizer, job: EncodeJob, asked: Pieces, limit: int, watch: Callable[[int], None]
) -> TokenizedJob:
    pieces = chunk_texts(
        tokenizer,
        enumerate(job.texts),
        prompt=job.prompt,
        max_tokens=limit,
        overlap_tokens=asked.overlap_tokens,
        on_piece=watch,
    )
    nothing = np.empty(0, np.int64)
    return TokenizedJob(lengths=nothing, truncated=[], whole_texts=nothing, whole=_no_rows(), pieces=pieces)


def _too_many_pieces(job: EncodeJob, most: int) -> Problem:
    return Problem(
        Kind.TOO_LARGE,
        f"{job.text_name} would be cut into more than {most:,} pieces, whose vectors would take a quarter of "
        "--max-memory-bytes. Send fewer texts at once.",
        param=job.text_name,
    )


def _cut(
    tokenizer: Tokenizer, prompted: Sequence[str], batch: TokenBatch, limit: int, *, keeps_end: bool
) -> TokenBatch:
    """Cut each text at `limit` tokens, of which the first is [CLS] and the last [SEP]."""
    if not keeps_end and limit == tokenizer.max_tokens:
        return batch  # as the tokenizer cut it
    rows: list[TokenIds] = []
    for index, length in enumerate(batch.lengths):
        ids = batch.token_ids[batch.cu_seqlens[index] : batch.cu_seqlens[index + 1]]
        if length > limit and keeps_end:
            tokens = tokenizer.encode_with_offsets(prompted[index], index).token_ids
            ids = np.concatenate([ids[:1], tokens[len(tokens) - (limit - 2) :], ids[-1:]])
        elif length > limit:
            ids = np.concatenate([ids[: limit - 1], ids[-1:]])
        rows.append(ids)
    cu_seqlens = np.cumsum([0, *map(len, rows)], dtype=np.int64)
    return TokenBatch(np.concatenate(rows), cu_seqlens, batch.lengths)


def _too_long(job: EncodeJob, lengths: Ints, places: list[int], limit: int) -> Problem:
    first = places[0]
    more = f" (and {len(places) - 1:,} more of these texts)" if len(places) > 1 else ""
    return Problem(
        Kind.TOO_LONG,
        f"{job.text_name}[{first}] has {int(lengths[first]):,} tokens, the limit is {limit}{more}. Shorten it, or "
        f"{job.too_long_fix}. For everybody: gtekit serve --on-truncation cut, or chunk.",
        param=job.text_name,
    )


def _no_rows() -> TokenBatch:
    return TokenBatch(np.empty(0, np.int32), np.zeros(1, np.int64), np.empty(0, np.int64))
