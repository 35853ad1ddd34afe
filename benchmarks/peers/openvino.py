"""OpenVINO: fp32, 8-bit weights (NNCF) with activations quantized as they come, or both quantized ahead (NNCF)."""

from collections.abc import Sequence
from functools import cache

import numpy as np
import openvino

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


class OpenVinoPeer:
    """Throughput hint with as many streams as asked for in bulk, latency hint for one text at a time."""

    def __init__(self, job: Job, kind: str) -> None:
        self.job = job
        self.kind = kind  # float32, int8 or static: the file
        self.core = openvino.Core()
        self.model = self.core.read_model(job.work / "openvino" / f"{kind}.xml")
        self.tokenizer = load_tokenizer(job)
        self.compiled = cache(self.compile)
        self.request = cache(lambda threads: self.compiled(1, threads).create_infer_request())
        self.facts = {"openvino": openvino.__version__.split("-")[0]}

    def compile(self, streams: int, threads: int) -> openvino.CompiledModel:
        properties: dict[str, str | int] = {
            "PERFORMANCE_HINT": "LATENCY" if streams == 1 else "THROUGHPUT",
            "NUM_STREAMS": streams,
            "INFERENCE_NUM_THREADS": threads,
            "INFERENCE_PRECISION_HINT": "f32",  # else it takes bfloat16 where the CPU has it: another accuracy
        }
        if self.kind == "int8":
            # one scale per token is both its fastest and what the others do
            properties["DYNAMIC_QUANTIZATION_GROUP_SIZE"] = str(2**64 - 1)
        return self.core.compile_model(self.model, "CPU", properties)

    def bulk_settings(self) -> list[Setting]:
        return stream_settings()

    def single_settings(self) -> list[Setting]:
        return thread_settings()

    def encode(self, texts: Sequence[str], setting: Setting) -> Floats:
        token_ids = token_ids_of(self.tokenizer, texts)
        vectors = np.empty((len(texts), self.job.hidden_size), np.float32)
        queue = openvino.AsyncInferQueue(self.compiled(setting["streams"], cores()), setting["streams"])

        def keep(request: openvino.InferRequest, rows: list[int]) -> None:
            vectors[rows] = request.get_output_tensor().data

        queue.set_callback(keep)
        for rows in plan(token_ids, setting["batch_tokens"]):
            ids, mask = pad(token_ids, rows)
            queue.start_async({"input_ids": ids, "attention_mask": mask}, rows)
        queue.wait_all()
        return vectors

    def encode_one(self, text: str, setting: Setting) -> Floats:
        ids = np.array([self.tokenizer.encode(text).ids])
        inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        results = self.request(setting["threads"]).infer(inputs, share_inputs=True, share_outputs=True)
        return np.array(results[0][0], np.float32)


def load(job: Job, precision: str) -> OpenVinoPeer:
    return OpenVinoPeer(job, precision)


def load_static(job: Job, precision: str) -> OpenVinoPeer:
    return OpenVinoPeer(job, "static")
