"""What the scripts share: their arguments, the choice of settings, accuracy, and the file that they write."""

import argparse
import json
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.job import Job, read_job
from benchmarks.machine import load_average
from benchmarks.peers.catalog import GTEKIT, Entry, choose
from benchmarks.peers.interface import Floats, Setting
from benchmarks.worker import Pythons

Result = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a script was asked to do."""

    job: Job
    out: Path
    entries: list[Entry]
    pythons: Pythons
    rounds: int
    workloads: list[str]


def read_arguments(question: str, rounds: int, workloads: Sequence[str] = ()) -> Plan:
    """Read the arguments that every script takes."""
    parser = argparse.ArgumentParser(description=question, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="folder made by benchmarks.prepare and .convert")
    parser.add_argument("--out", type=Path, required=True, help="folder for the result")
    parser.add_argument("--peers-python", default=sys.executable, help="Python of the peers' environment")
    parser.add_argument("--gtekit-python", default=sys.executable, help="Python that has gtekit")
    parser.add_argument("--peers", nargs="+", metavar="NAME", help="only these (see benchmarks/peers/catalog.py)")
    parser.add_argument("--precision", nargs="+", choices=("float32", "int8"), default=["float32"])
    parser.add_argument("--rounds", type=int, default=rounds, help=f"turns of each peer (default {rounds})")
    if workloads:
        parser.add_argument("--workloads", nargs="+", default=list(workloads))
    args = parser.parse_args()
    return Plan(
        job=read_job(args.work.resolve()),
        out=args.out,
        entries=choose(args.peers, args.precision),
        pythons=Pythons(gtekit=args.gtekit_python, peers=args.peers_python),
        rounds=args.rounds,
        workloads=args.workloads if workloads else [],
    )


def fastest(settings: Sequence[Setting], seconds_of: Callable[[Setting], float]) -> tuple[Setting, list[Result]]:
    """Try each setting and give the fastest, with what each took."""
    if len(settings) == 1:
        return settings[0], []
    tried: list[Result] = [{"setting": setting, "seconds": seconds_of(setting)} for setting in settings]
    best: Setting = min(tried, key=lambda trial: float(trial["seconds"]))["setting"]
    return best, tried


def cosines(vectors: Floats, reference: Floats) -> dict[str, float]:
    """Compare with the fp32 reference, text by text."""
    v, r = vectors.astype(np.float64), reference.astype(np.float64)
    cosine = (v * r).sum(1) / (np.linalg.norm(v, axis=1) * np.linalg.norm(r, axis=1))
    return {"cosine_min": float(cosine.min()), "cosine_mean": float(cosine.mean())}


def ratios_to_gtekit(seconds: dict[str, list[float]]) -> dict[str, float]:
    """Give each peer's time over gtekit's, as the median of the rounds: 2 says that gtekit is twice as fast."""
    if GTEKIT not in seconds:
        return {}
    own = seconds[GTEKIT]
    return {
        name: statistics.median(theirs / ours for theirs, ours in zip(times, own, strict=True))
        for name, times in seconds.items()
    }


def say(line: str) -> None:
    """Report progress."""
    print(line, file=sys.stderr, flush=True)


def write_result(plan: Plan, question: str, machine: dict[str, str], content: Result) -> None:
    """Write a result with all that is needed to judge and to repeat it."""
    job = plan.job
    shape = f"{job.num_hidden_layers} layers, {job.hidden_size} wide, {job.num_attention_heads} heads"
    result = {
        "question": question,
        "machine": {**machine, "load_after": load_average()},
        "checkpoint": {"name": job.name, "shape": shape, "pooling": job.pooling, "max_tokens": job.max_tokens},
        "rounds": plan.rounds,
        **content,
    }
    plan.out.mkdir(parents=True, exist_ok=True)
    file = plan.out / f"{question}.json"
    file.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    say(f"wrote {file}")
