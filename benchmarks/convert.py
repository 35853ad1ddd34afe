"""Turn the checkpoint into what each peer reads, and make the reference vectors. Runs in the peers' environment.

A peer whose files cannot be made is left out and named in the report.

python -m benchmarks.convert --work build/benchmarks/small
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path

import ctranslate2
import nncf
import numpy as np
import onnx
import openvino
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers.optimizer import optimize_model
from sentence_transformers import SentenceTransformer
from transformers import AutoModel

from benchmarks.job import Job, read_job
from benchmarks.peers.batching import load_tokenizer
from benchmarks.peers.catalog import BY_NAME, add_peer_arguments, choose
from benchmarks.peers.interface import Ints


class Embedder(torch.nn.Module):
    """The encoder with pooling and normalization in the graph, so that only (B, D) leaves it."""

    def __init__(self, job: Job) -> None:
        super().__init__()
        # eager attention: the form that ONNX Runtime's and OpenVINO's fusions know
        self.encoder = AutoModel.from_pretrained(job.model, dtype=torch.float32, attn_implementation="eager")
        self.job = job

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        if self.job.pooling == "cls":
            pooled = hidden[:, 0]
        else:
            weights = attention_mask.unsqueeze(-1).to(hidden.dtype)
            pooled = (hidden * weights).sum(1) / weights.sum(1)
        return torch.nn.functional.normalize(pooled, dim=1) if self.job.normalize else pooled


def read_head(job: Job) -> Job:
    """Ask sentence-transformers how the checkpoint pools and whether it normalizes; keep its vectors as reference."""
    model = SentenceTransformer(str(job.model), device="cpu", model_kwargs={"dtype": torch.float32})
    if model.max_seq_length != job.max_tokens:
        raise SystemExit(f"{job.model}: sentence-transformers cuts at {model.max_seq_length}, not {job.max_tokens}.")
    kinds = [type(module).__name__ for module in model]
    pooling = str(model[kinds.index("Pooling")].pooling_mode)
    if pooling not in ("mean", "cls"):
        raise SystemExit(f"{job.model}: pooling {pooling!r}; this benchmark knows mean and cls.")
    for workload in job.workloads():
        vectors = model.encode(job.texts(workload), batch_size=8, show_progress_bar=False)
        job.reference_file(workload).parent.mkdir(exist_ok=True)
        np.save(job.reference_file(workload), vectors.astype(np.float32))
    return job.with_head(pooling, "Normalize" in kinds)


def onnx_file(job: Job, name: str) -> Path:
    """Give the path of an ONNX file, plain, float32 (fused) or int8."""
    (job.work / "onnx").mkdir(exist_ok=True)
    return job.work / "onnx" / f"{name}.onnx"


def openvino_file(job: Job, name: str) -> Path:
    """Give the path of a file of OpenVINO, float32, int8 or static."""
    (job.work / "openvino").mkdir(exist_ok=True)
    return job.work / "openvino" / f"{name}.xml"


def export(job: Job) -> None:
    """Export to ONNX with torch, as it is."""
    ids = torch.randint(1000, 2000, (2, 9))
    mask = torch.ones_like(ids)
    mask[1, 5:] = 0
    rows_and_columns = {0: "batch", 1: "length"}
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # the tracer's remarks on constants; the cosines tell whether it went well
        torch.onnx.export(
            Embedder(job).eval(),
            (ids, mask),
            str(onnx_file(job, "plain")),
            input_names=["input_ids", "attention_mask"],
            output_names=["embeddings"],
            dynamic_axes={
                "input_ids": rows_and_columns,
                "attention_mask": rows_and_columns,
                "embeddings": {0: "batch"},
            },
            opset_version=17,
            dynamo=False,  # the newer exporter writes attention in a form that the optimizer does not fuse
        )


def fuse(job: Job) -> None:
    """Fuse with ONNX Runtime's own optimizer."""
    plain = str(onnx_file(job, "plain"))
    heads, hidden_size = job.num_attention_heads, job.hidden_size
    fused = optimize_model(plain, model_type="bert", num_heads=heads, hidden_size=hidden_size, opt_level=1)
    print("ONNX Runtime fused:", {name: n for name, n in fused.get_fused_operator_statistics().items() if n})
    fused.save_model_to_file(str(onnx_file(job, "float32")))


def quantize_onnx(job: Job) -> None:
    """Quantize the fused graph with ONNX Runtime's own tool: weights now, activations as they come."""
    quantize_dynamic(
        onnx_file(job, "float32"),
        onnx_file(job, "int8"),
        op_types_to_quantize=["MatMul", "Attention"],
        per_channel=True,
        weight_type=QuantType.QInt8,
        extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},  # of what its own fused operators give
    )


def convert_openvino(job: Job) -> None:
    """Convert to OpenVINO's format in fp32."""
    model = openvino.convert_model(onnx_file(job, "plain"))
    openvino.save_model(model, openvino_file(job, "float32"), compress_to_fp16=False)


def compress_openvino(job: Job) -> None:
    """Make 8-bit weights with NNCF; OpenVINO then quantizes activations as they come."""
    model = openvino.convert_model(onnx_file(job, "plain"))
    compressed = nncf.compress_weights(model, mode=nncf.CompressWeightsMode.INT8_SYM)
    openvino.save_model(compressed, openvino_file(job, "int8"), compress_to_fp16=False)


def quantize_openvino(job: Job) -> None:
    """Quantize weights and activations with NNCF, with the ranges that the calibration texts show."""
    tokenizer = load_tokenizer(job)

    def inputs(text: str) -> dict[str, Ints]:
        ids = np.array([tokenizer.encode(text).ids])
        return {"input_ids": ids, "attention_mask": np.ones_like(ids)}

    texts = job.calibration_texts()
    quantized = nncf.quantize(
        openvino.convert_model(onnx_file(job, "plain")),
        nncf.Dataset(texts, inputs),
        model_type=nncf.ModelType.TRANSFORMER,
        subset_size=len(texts),
    )
    openvino.save_model(quantized, openvino_file(job, "static"), compress_to_fp16=False)


def write_ctranslate2(job: Job) -> None:
    """Convert with CTranslate2's own converter; it quantizes to int8 when it loads."""
    folder = job.work / "ctranslate2"
    shutil.rmtree(folder, ignore_errors=True)
    with tempfile.TemporaryDirectory() as copy:
        for file in job.model.glob("*.*"):
            (Path(copy) / file.name).symlink_to(file)
        # CTranslate2 4.8 asks for a field that transformers 5 no longer writes
        config = json.loads((job.model / "config.json").read_text(encoding="utf-8"))
        (Path(copy) / "config.json").unlink()
        (Path(copy) / "config.json").write_text(json.dumps({"position_embedding_type": "absolute", **config}))
        ctranslate2.converters.TransformersConverter(copy).convert(str(folder))


STEPS: tuple[tuple[Callable[[Job], None], frozenset[str]], ...] = (  # and the peers that need each, in order
    (export, frozenset({"ort", "ort-int8", "openvino", "openvino-int8", "openvino-static"})),
    (fuse, frozenset({"ort", "ort-int8"})),
    (quantize_onnx, frozenset({"ort-int8"})),
    (convert_openvino, frozenset({"openvino"})),
    (compress_openvino, frozenset({"openvino-int8"})),
    (quantize_openvino, frozenset({"openvino-static"})),
    (write_ctranslate2, frozenset({"ct2", "ct2-int8"})),
)


def convert(job: Job, wanted: set[str]) -> dict[str, str]:
    """Make the files of the wanted peers; give those that could not be made, with the reason."""
    failures: dict[str, str] = {}
    for step, peers in STEPS:
        waiting = (peers & wanted) - failures.keys()
        if not waiting:
            continue
        begun = time.perf_counter()
        try:
            step(job)
        except Exception as error:  # another program's; it is one row less, not the end
            traceback.print_exc()
            reason = str(error).strip().partition("\n")[0][:300]
            failures |= dict.fromkeys(sorted(waiting), f"{step.__name__}: {type(error).__name__}: {reason}")
        print(f"{step.__name__}: {time.perf_counter() - begun:.1f} s", flush=True)
    return failures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="folder made by benchmarks.prepare")
    add_peer_arguments(parser)
    args = parser.parse_args()
    job = read_head(read_job(args.work))
    failures = convert(job, {entry.name for entry in choose(args.peers, args.precision)})
    job.save_failures(failures)
    job.save()
    for name, reason in failures.items():
        print(f"{BY_NAME[name].title} cannot run this checkpoint: {reason}", file=sys.stderr)


if __name__ == "__main__":
    main()
