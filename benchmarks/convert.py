"""Turn the checkpoint into what each peer reads, and make the reference vectors. Runs in the peers' environment.

python -m benchmarks.convert --work build/benchmarks/small
"""

import argparse
import json
import shutil
import tempfile
import warnings
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


def write_onnx(job: Job) -> Path:
    """Export with torch, once as it is (for OpenVINO), then fused and quantized with ONNX Runtime's own tools."""
    folder = job.work / "onnx"
    folder.mkdir(exist_ok=True)
    plain = folder / "plain.onnx"
    ids = torch.randint(1000, 2000, (2, 9))
    mask = torch.ones_like(ids)
    mask[1, 5:] = 0
    rows_and_columns = {0: "batch", 1: "length"}
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # the tracer's remarks on constants; the cosines tell whether it went well
        torch.onnx.export(
            Embedder(job).eval(),
            (ids, mask),
            str(plain),
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
    fused = optimize_model(
        str(plain), model_type="bert", num_heads=job.num_attention_heads, hidden_size=job.hidden_size, opt_level=1
    )
    print("ONNX Runtime fused:", {name: n for name, n in fused.get_fused_operator_statistics().items() if n})
    fused.save_model_to_file(str(folder / "float32.onnx"))
    quantize_dynamic(
        folder / "float32.onnx",
        folder / "int8.onnx",
        op_types_to_quantize=["MatMul", "Attention"],
        per_channel=True,
        weight_type=QuantType.QInt8,
        extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},  # of what its own fused operators give
    )
    return plain


def write_openvino(job: Job, plain: Path) -> None:
    """Convert to OpenVINO's format: fp32, and 8-bit weights by NNCF."""
    (job.work / "openvino").mkdir(exist_ok=True)
    openvino.save_model(openvino.convert_model(plain), job.work / "openvino" / "float32.xml", compress_to_fp16=False)
    compressed = nncf.compress_weights(openvino.convert_model(plain), mode=nncf.CompressWeightsMode.INT8_SYM)
    openvino.save_model(compressed, job.work / "openvino" / "int8.xml", compress_to_fp16=False)


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="folder made by benchmarks.prepare")
    job = read_head(read_job(parser.parse_args().work))
    plain = write_onnx(job)
    write_openvino(job, plain)
    write_ctranslate2(job)
    job.save()


if __name__ == "__main__":
    main()
