"""Make the work folder: a checkpoint (or a link to one) and the texts. Runs in gtekit's environment.

python -m benchmarks.prepare --work build/benchmarks/small --shape small
python -m benchmarks.prepare --work build/benchmarks/minilm --model path/to/all-MiniLM-L6-v2
"""

import argparse
import json
import shutil
from pathlib import Path
from typing import Literal

import tokenizers

from benchmarks.job import Job
from benchmarks.workloads import WORKLOADS, Workload, describe, whole_words, write_texts

NEEDED = ["mixed", "queries"]  # by cold_start.py and latency.py


def write_seeded(folder: Path, shape: Literal["tiny", "small", "base", "large"]) -> Path:
    """Write a checkpoint with the widths of gte-small, gte-base or gte-large and seeded weights."""
    from gtekit.checkpoint.seeded import write_seeded_checkpoint

    shutil.rmtree(folder, ignore_errors=True)
    write_seeded_checkpoint(folder, size=shape)
    return folder


def read_max_tokens(model: Path, positions: int) -> int:
    """Read where sentence-transformers cuts a text."""
    file = model / "sentence_bert_config.json"
    settings = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return min(int(settings.get("max_seq_length") or positions), positions)


def describe_checkpoint(model: Path, work: Path, name: str) -> Job:
    """Read the shape of a checkpoint from its config.json."""
    config = json.loads((model / "config.json").read_text(encoding="utf-8"))
    if not (model / "tokenizer.json").is_file():
        raise SystemExit(f"{model} has no tokenizer.json, which the peers' tokenizers need.")
    return Job(
        work=work,
        model=model,
        name=name,
        hidden_size=config["hidden_size"],
        num_hidden_layers=config["num_hidden_layers"],
        num_attention_heads=config["num_attention_heads"],
        intermediate_size=config["intermediate_size"],
        max_tokens=read_max_tokens(model, config["max_position_embeddings"]),
    )


def write_workload(job: Job, workload: Workload, count: int, words: list[str]) -> None:
    """Write the texts of a workload with the lengths that the checkpoint's tokenizer really gives them."""
    texts = write_texts(workload, count, words, job.max_tokens)
    tokenizer = tokenizers.Tokenizer.from_file(str(job.model / "tokenizer.json"))
    tokenizer.enable_truncation(job.max_tokens)
    tokenizer.no_padding()
    lengths = [len(encoding.ids) for encoding in tokenizer.encode_batch_fast(texts)]
    job.texts_file(workload.name).parent.mkdir(exist_ok=True)
    content = {"distribution": describe(lengths), "texts": texts}
    job.texts_file(workload.name).write_text(json.dumps(content, indent=1), encoding="utf-8")
    print(f"{workload.name}: {describe(lengths)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="folder to make")
    shapes = ("tiny", "small", "base", "large")
    parser.add_argument("--shape", choices=shapes, default="small", help="gte widths, seeded weights (tiny: for a try)")
    parser.add_argument("--model", type=Path, help="a real checkpoint folder instead of a seeded one")
    parser.add_argument("--workloads", nargs="+", choices=WORKLOADS, default=NEEDED)
    parser.add_argument("--quick", action="store_true", help="a quarter of the texts")
    args = parser.parse_args()
    work = args.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    model = args.model.resolve() if args.model else write_seeded(work / "model", args.shape)
    name = model.name if args.model else f"gte-{args.shape} shape, seeded weights"
    job = describe_checkpoint(model, work, name)
    words = whole_words(model)
    for workload in (WORKLOADS[name] for name in dict.fromkeys([*NEEDED, *args.workloads])):
        write_workload(job, workload, workload.texts // (4 if args.quick else 1), words)
    job.save()


if __name__ == "__main__":
    main()
