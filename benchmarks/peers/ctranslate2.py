"""CTranslate2: its BERT encoder in fp32 or int8. It gives hidden states; pooling is ours, in NumPy."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import ctranslate2
import numpy as np

from benchmarks.job import Job
from benchmarks.peers.batching import (
    cores,
    load_tokenizer,
    plan,
    pool,
    stream_settings,
    thread_settings,
    token_ids_of,
)
from benchmarks.peers.interface import Floats, Setting


class CTranslate2Peer:
    """A stream is one of its workers (inter_threads), each with its share of the cores (intra_threads)."""

    def __init__(self, job: Job, precision: str) -> None:
        self.job = job
        self.compute_type = precision
        self.tokenizer = load_tokenizer(job)
        self.encoder = cache(self.make_encoder)
        self.facts = {"ctranslate2": ctranslate2.__version__}

    def make_encoder(self, streams: int, threads: int) -> ctranslate2.Encoder:
        folder = str(self.job.work / "ctranslate2")
        return ctranslate2.Encoder(
            folder, device="cpu", compute_type=self.compute_type, inter_threads=streams, intra_threads=threads
        )

    def bulk_settings(self) -> list[Setting]:
        return stream_settings()

    def single_settings(self) -> list[Setting]:
        return thread_settings()

    def encode(self, texts: Sequence[str], setting: Setting) -> Floats:
        streams = setting["streams"]
        encoder = self.encoder(streams, max(cores() // streams, 1))
        token_ids = token_ids_of(self.tokenizer, texts)
        vectors = np.empty((len(texts), self.job.hidden_size), np.float32)

        def run(rows: list[int]) -> None:
            batch = [token_ids[row] for row in rows]
            hidden = np.array(encoder.forward_batch(batch).last_hidden_state)
            vectors[rows] = pool(hidden, [len(ids) for ids in batch], self.job)

        with ThreadPoolExecutor(streams) as threads:
            list(threads.map(run, plan(token_ids, setting["batch_tokens"])))
        return vectors

    def encode_one(self, text: str, setting: Setting) -> Floats:
        ids = self.tokenizer.encode(text).ids
        hidden = np.array(self.encoder(1, setting["threads"]).forward_batch([ids]).last_hidden_state)
        vector: Floats = pool(hidden, [len(ids)], self.job)[0]
        return vector


def load(job: Job, precision: str) -> CTranslate2Peer:
    return CTranslate2Peer(job, precision)
