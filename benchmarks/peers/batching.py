"""The best batching that a padding engine can get: sorted by tokens, packed to a token budget."""

import os
from collections.abc import Iterator, Sequence

import numpy as np
import tokenizers

from benchmarks.job import Job
from benchmarks.peers.interface import Floats, Ints, Setting

FEW_CORES = 4  # up to here large batches are hopeless


def cores() -> int:
    """Count the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def token_budgets() -> tuple[int, ...]:
    """List the padded tokens of a batch that are tried.

    On two cores 2,048 took at least 1.17 times as long as the best, for every peer and workload (commit 8e8c059).
    """
    return (256, 512, 1024) if cores() <= FEW_CORES else (256, 512, 1024, 2048, 4096)


def stream_settings() -> list[Setting]:
    """List batch sizes, each with all cores on one batch and with one batch per core."""
    return [
        {"batch_tokens": batch_tokens, "streams": streams}
        for streams in sorted({1, cores()})
        for batch_tokens in token_budgets()
    ]


def thread_settings() -> list[Setting]:
    """List thread counts for one text at a time."""
    return [{"threads": threads} for threads in sorted({1, max(cores() // 2, 1), cores()})]


def load_tokenizer(job: Job) -> tokenizers.Tokenizer:
    """Load the checkpoint's tokenizer, cutting at the model's length and not padding."""
    tokenizer = tokenizers.Tokenizer.from_file(str(job.model / "tokenizer.json"))
    tokenizer.enable_truncation(job.max_tokens)
    tokenizer.no_padding()
    return tokenizer


def token_ids_of(tokenizer: tokenizers.Tokenizer, texts: Sequence[str]) -> list[list[int]]:
    """Tokenize all texts at once, on all cores."""
    return [encoding.ids for encoding in tokenizer.encode_batch_fast(list(texts))]


def plan(token_ids: Sequence[Sequence[int]], batch_tokens: int) -> Iterator[list[int]]:
    """Give the rows of each batch, longest texts first, at most `batch_tokens` with padding (or a single text)."""
    order = sorted(range(len(token_ids)), key=lambda row: len(token_ids[row]), reverse=True)
    rows: list[int] = []
    for row in order:
        if rows and (len(rows) + 1) * len(token_ids[rows[0]]) > batch_tokens:
            yield rows
            rows = []
        rows.append(row)
    if rows:
        yield rows


def pad(token_ids: Sequence[Sequence[int]], rows: Sequence[int]) -> tuple[Ints, Ints]:
    """Give ids and mask of a batch, each of shape (B, longest)."""
    lengths = np.array([len(token_ids[row]) for row in rows])
    mask = (np.arange(lengths.max())[None, :] < lengths[:, None]).astype(np.int64)
    ids = np.zeros(mask.shape, np.int64)
    for position, row in enumerate(rows):
        ids[position, : lengths[position]] = token_ids[row]
    return ids, mask


def pool(hidden: Floats, lengths: Sequence[int], job: Job) -> Floats:
    """Pool padded hidden states (B, longest, D) as the checkpoint says."""
    if job.pooling == "cls":
        pooled = hidden[:, 0]
    else:
        pooled = np.stack([states[:length].mean(0) for states, length in zip(hidden, lengths, strict=True)])
    return pooled / np.linalg.norm(pooled, axis=1, keepdims=True) if job.normalize else pooled
