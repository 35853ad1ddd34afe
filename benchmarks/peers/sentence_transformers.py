"""sentence-transformers, as people use it: `encode(texts)` with torch."""

from collections.abc import Sequence

import numpy as np
import torch
import transformers
from sentence_transformers import SentenceTransformer
from sentence_transformers import __version__ as version

from benchmarks.job import Job
from benchmarks.peers.batching import thread_settings
from benchmarks.peers.interface import Floats, Setting

DEFAULT_BATCH_SIZE = 32  # of SentenceTransformer.encode


class SentenceTransformersPeer:
    """fp32 with its default attention (sdpa). It sorts by characters and pads each batch."""

    def __init__(self, job: Job) -> None:
        self.model = SentenceTransformer(str(job.model), device="cpu", model_kwargs={"dtype": torch.float32})
        self.facts = {
            "sentence-transformers": version,
            "torch": torch.__version__,
            "transformers": transformers.__version__,
            "threads": str(torch.get_num_threads()),
        }

    def bulk_settings(self) -> list[Setting]:
        return [{"batch_size": size} for size in (4, 8, 16, DEFAULT_BATCH_SIZE)]

    def single_settings(self) -> list[Setting]:
        return [*thread_settings(), {}]

    def encode(self, texts: Sequence[str], setting: Setting) -> Floats:
        batch_size = setting.get("batch_size", DEFAULT_BATCH_SIZE)
        vectors = self.model.encode(list(texts), batch_size=batch_size, show_progress_bar=False)
        return np.asarray(vectors, np.float32)

    def encode_one(self, text: str, setting: Setting) -> Floats:
        threads = setting.get("threads")
        if threads is not None and threads != torch.get_num_threads():
            torch.set_num_threads(threads)
        return np.asarray(self.model.encode(text, show_progress_bar=False), np.float32)


class DefaultsPeer(SentenceTransformersPeer):
    """The same with nothing chosen: what a first script gets."""

    def bulk_settings(self) -> list[Setting]:
        return [{}]

    def single_settings(self) -> list[Setting]:
        return [{}]


def load(job: Job, precision: str) -> SentenceTransformersPeer:
    return SentenceTransformersPeer(job)


def load_defaults(job: Job, precision: str) -> DefaultsPeer:
    return DefaultsPeer(job)
