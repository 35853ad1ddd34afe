"""Checked texts through tokenizer and engine: cut or in pieces, pooled, shortened, normalized."""

from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from threading import Event

import numpy as np

from gtekit.arrays import Floats, Ints, TokenIds
from gtekit.chunking import ChunkBatch, chunk_texts, pool_chunks
from gtekit.config import EncodeOptions, Pooling
from gtekit.cosines import l2_normalize
from gtekit.language import LanguageNotice
from gtekit.progress import Progress
from gtekit.protocols import Engine, Report
from gtekit.streaming import blocks_of, one_ahead
from gtekit.tokenizer import TokenBatch, Tokenizer
from gtekit.truncation import TruncationCount, refuse_truncation


@dataclass(frozen=True, slots=True)
class Block:
    """Texts on their way to the engine."""

    first_index: int  # of texts[0] in the caller's list
    texts: Sequence[str]  # as they were given
    prompt: str  # what went before each of them
    batch: TokenBatch


class TextEncoder:
    """Tokenizer and engine of one model, with its pooling and normalization."""

    def __init__(
        self, tokenizer: Tokenizer, engine: Engine, language: LanguageNotice, *, pooling: Pooling, normalize: bool
    ) -> None:
        self._tokenizer = tokenizer
        self._engine = engine
        self._language = language
        self._pooling: Pooling = pooling
        self._normalize = normalize

    def prepare(
        self,
        first_index: int,
        texts: Sequence[str],
        stop: Event | None = None,
        *,
        prompt: str,
        options: EncodeOptions,
        threads: int | None = None,
    ) -> Block:
        """Tokenize texts, at least one.

        Args:
            first_index: The place of texts[0] in the caller's list, for messages.
            texts: All str.
            stop: Once set, from another thread, the work is given up.
            prompt: Goes before each text.
            options: What to do about long texts.
            threads: The most to use; None: as many as the engine.

        Raises:
            TruncationError: If a text is too long and that was to be refused.
        """
        prompted = [prompt + text for text in texts] if prompt else texts
        threads = threads or self._engine.threads
        batch = self._tokenizer.encode(prompted, threads=threads, first_index=first_index, stop=stop)
        if options.on_truncation == "error":
            refuse_truncation(batch.lengths, self._tokenizer.max_tokens, first_index)
        return Block(first_index, texts, prompt, batch)

    def embed(self, block: Block, options: EncodeOptions, report: Report) -> Floats:
        """Give one vector per text, shape (B, D)."""
        batch = block.batch
        self._language.check(block.texts, batch.token_ids, batch.cu_seqlens)
        is_long = batch.lengths > self._tokenizer.max_tokens
        if options.on_truncation != "chunk" or not is_long.any():
            return self._vectors(batch.token_ids, batch.cu_seqlens, options, report)
        embeddings = np.empty((len(block.texts), options.dimensions or self._engine.hidden_size), np.float32)
        texts_done = tokens_done = 0
        if not is_long.all():
            short = batch.select(~is_long)
            embeddings[~is_long] = self._vectors(short.token_ids, short.cu_seqlens, options, report)
            texts_done, tokens_done = len(short.lengths), len(short.token_ids)
        texts_left, tokens_left = len(block.texts) - texts_done, len(batch.token_ids) - tokens_done

        def report_share(share: float) -> None:
            report(texts_done + int(share * texts_left), tokens_done + int(share * tokens_left))

        embeddings[is_long] = self._pooled_pieces(block, np.flatnonzero(is_long), options, report_share)
        report_share(1)
        return embeddings

    def embed_pieces(self, texts: Sequence[str], pieces: ChunkBatch, options: EncodeOptions, report: Report) -> Floats:
        """Give one vector per piece of the texts, shape (M, D)."""
        self._language.check(texts, pieces.token_ids, pieces.cu_seqlens, pieces.text_index)
        return self._vectors(pieces.token_ids, pieces.cu_seqlens, options, report)

    def token_states(self, block: Block, options: EncodeOptions, report: Report) -> list[Floats]:
        """Give the last hidden states of each text, each of shape (L, D)."""
        batch = block.batch
        self._language.check(block.texts, batch.token_ids, batch.cu_seqlens)
        hidden = self._engine.hidden_states(
            batch.token_ids, batch.cu_seqlens, batch_tokens=options.batch_tokens, report=report
        )
        report(len(block.texts), len(batch.token_ids))
        return np.split(hidden, batch.cu_seqlens[1:-1])

    def stream(
        self,
        texts: Iterable[str],
        block_texts: int,
        prompt: str,
        options: EncodeOptions,
        take_lengths: Callable[[Ints], None] | None = None,
    ) -> Iterator[Floats]:
        """Give the vectors of texts block by block, each of shape (n, D).

        Args:
            texts: Any iterable of str.
            block_texts: The most texts in a block.
            prompt: Goes before each text.
            options: Of the whole stream.
            take_lengths: Gets the tokens of each text before the cut, (n,), ahead of the block's vectors; it has to
                warn of what is cut.
        """
        count = TruncationCount(self._tokenizer.max_tokens)
        # one thread in eight: enough to stay ahead of the engine, which has the others
        threads = max(1, self._engine.threads // 8)
        blocks = one_ahead(
            blocks_of(texts, block_texts), partial(self.prepare, prompt=prompt, options=options, threads=threads)
        )
        texts_done = tokens_done = 0
        total = len(texts) if isinstance(texts, Sized) else None
        try:
            with Progress(total, show=options.progress) as progress, closing(blocks):
                for block in blocks:
                    (take_lengths or count.add)(block.batch.lengths)
                    yield self.embed(block, options, progress.after(texts_done, tokens_done))
                    texts_done += len(block.texts)
                    tokens_done += len(block.batch.token_ids)
        finally:  # also where the caller stops early or the source breaks: some of what was given out is cut
            if options.on_truncation == "warn":
                count.warn()

    def _pooled_pieces(
        self, block: Block, rows: Ints, options: EncodeOptions, report_share: Callable[[float], None]
    ) -> Floats:
        """Embed texts that are too long: the mean over their pieces, weighted by tokens.

        Overlaps give the pieces more tokens than the texts were counted with, so it is the share that is reported.
        """
        pieces = chunk_texts(
            self._tokenizer,
            ((block.first_index + int(row), block.texts[row]) for row in rows),
            prompt=block.prompt,
            max_tokens=self._tokenizer.max_tokens,
        )
        raw = self._engine.encode(
            pieces.token_ids,
            pieces.cu_seqlens,
            pooling=self._pooling,
            normalize=False,
            batch_tokens=options.batch_tokens,
            report=lambda _, tokens: report_share(tokens / len(pieces.token_ids)),
        )
        return self._shorten(pool_chunks(raw, np.diff(pieces.cu_seqlens), pieces.text_index), options)

    def _vectors(self, token_ids: TokenIds, cu_seqlens: Ints, options: EncodeOptions, report: Report) -> Floats:
        is_whole = options.dimensions in (None, self._engine.hidden_size)
        embeddings = self._engine.encode(
            token_ids,
            cu_seqlens,
            pooling=self._pooling,
            normalize=is_whole and self._normalizes(options),
            batch_tokens=options.batch_tokens,
            report=report,
        )
        report(len(embeddings), len(token_ids))
        return embeddings if is_whole else self._shorten(embeddings, options)

    def _shorten(self, embeddings: Floats, options: EncodeOptions) -> Floats:
        shorter = np.ascontiguousarray(embeddings[:, : options.dimensions])
        return l2_normalize(shorter) if self._normalizes(options) else shorter

    def _normalizes(self, options: EncodeOptions) -> bool:
        return self._normalize if options.normalize is None else options.normalize
