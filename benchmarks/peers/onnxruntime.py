"""ONNX Runtime: the graph fused by its own BERT optimizer; fp32, or its dynamic 8-bit quantization."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
import onnxruntime

from benchmarks.job import Job
from benchmarks.peers.batching import (
    cores,
    load_tokenizer,
    pad,
    plan,
    stream_settings,
    thread_settings,
    token_ids_of,
)
from benchmarks.peers.interface import Floats, Setting


class OnnxRuntimePeer:
    """All graph optimizations on. A stream is a thread that runs batches of its own."""

    def __init__(self, job: Job, precision: str) -> None:
        self.job = job
        self.file = job.work / "onnx" / f"{precision}.onnx"
        self.tokenizer = load_tokenizer(job)
        self.session = cache(self.make_session)
        self.facts = {"onnxruntime": onnxruntime.__version__}

    def make_session(self, threads: int) -> onnxruntime.InferenceSession:
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.intra_op_num_threads = threads
        return onnxruntime.InferenceSession(str(self.file), options, providers=["CPUExecutionProvider"])

    def bulk_settings(self) -> list[Setting]:
        return stream_settings()

    def single_settings(self) -> list[Setting]:
        return thread_settings()

    def encode(self, texts: Sequence[str], setting: Setting) -> Floats:
        session = self.session(max(cores() // setting["streams"], 1))
        token_ids = token_ids_of(self.tokenizer, texts)
        vectors = np.empty((len(texts), self.job.hidden_size), np.float32)

        def run(rows: list[int]) -> None:
            ids, mask = pad(token_ids, rows)
            vectors[rows] = session.run(None, {"input_ids": ids, "attention_mask": mask})[0]

        batches = plan(token_ids, setting["batch_tokens"])
        if setting["streams"] == 1:
            for rows in batches:
                run(rows)
        else:
            with ThreadPoolExecutor(setting["streams"]) as pool:
                list(pool.map(run, batches))
        return vectors

    def encode_one(self, text: str, setting: Setting) -> Floats:
        ids = np.array([self.tokenizer.encode(text).ids])
        inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        vector: Floats = self.session(setting["threads"]).run(None, inputs)[0][0]
        return vector


def load(job: Job, precision: str) -> OnnxRuntimePeer:
    return OnnxRuntimePeer(job, precision)
