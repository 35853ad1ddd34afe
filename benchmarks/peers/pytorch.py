"""torch and transformers without sentence-transformers around them: sorted by tokens, packed to a token budget."""

from collections.abc import Sequence

import numpy as np
import torch
import transformers
from transformers import AutoModel

from benchmarks.job import Job
from benchmarks.peers.batching import load_tokenizer, pad, plan, thread_settings, token_budgets, token_ids_of
from benchmarks.peers.interface import Floats, Setting


class PytorchPeer:
    """fp32 with scaled_dot_product_attention, all cores on one batch."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.tokenizer = load_tokenizer(job)
        self.model = AutoModel.from_pretrained(job.model, dtype=torch.float32, attn_implementation="sdpa").eval()
        self.facts = {"torch": torch.__version__, "transformers": transformers.__version__}

    def bulk_settings(self) -> list[Setting]:
        return [{"batch_tokens": batch_tokens} for batch_tokens in token_budgets()]

    def single_settings(self) -> list[Setting]:
        return thread_settings()

    def encode(self, texts: Sequence[str], setting: Setting) -> Floats:
        token_ids = token_ids_of(self.tokenizer, texts)
        vectors = np.empty((len(texts), self.job.hidden_size), np.float32)
        for rows in plan(token_ids, setting["batch_tokens"]):
            vectors[rows] = self.forward(token_ids, rows)
        return vectors

    def encode_one(self, text: str, setting: Setting) -> Floats:
        if setting["threads"] != torch.get_num_threads():
            torch.set_num_threads(setting["threads"])
        vector: Floats = self.forward([self.tokenizer.encode(text).ids], [0])[0]
        return vector

    def forward(self, token_ids: Sequence[Sequence[int]], rows: Sequence[int]) -> Floats:
        ids, mask = (torch.from_numpy(array) for array in pad(token_ids, rows))
        with torch.inference_mode():
            # without padding no mask is given: sdpa then takes its faster path
            hidden = self.model(input_ids=ids, attention_mask=None if bool(mask.all()) else mask).last_hidden_state
            weights = mask[..., None].to(hidden.dtype)
            pooled = hidden[:, 0] if self.job.pooling == "cls" else (hidden * weights).sum(1) / weights.sum(1)
            if self.job.normalize:
                pooled = torch.nn.functional.normalize(pooled, dim=1)
        return np.asarray(pooled.numpy(), np.float32)


def load(job: Job, precision: str) -> PytorchPeer:
    return PytorchPeer(job)
