"""What the scripts share: their arguments, the choice of settings, accuracy, and the file that they write."""

import argparse
import json
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.job import Job, read_job
from benchmarks.machine import load_average
from benchmarks.peers.catalog import BY_NAME, OWN, ST_DEFAULT, Entry, add_peer_arguments, choose
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

    def without_bulk_only(self) -> "Plan":
        """Give the same plan without the peers that differ from another one in nothing but batches."""
        return replace(self, entries=[entry for entry in self.entries if not entry.is_bulk_only])


def argument_parser(question: str, rounds: int) -> argparse.ArgumentParser:
    """Make a parser of the arguments that every script takes."""
    parser = argparse.ArgumentParser(description=question, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="folder made by benchmarks.prepare and .convert")
    parser.add_argument("--out", type=Path, required=True, help="folder for the result")
    parser.add_argument("--peers-python", default=sys.executable, help="Python of the peers' environment")
    parser.add_argument("--gtekit-python", default=sys.executable, help="Python that has gtekit")
    add_peer_arguments(parser)
    parser.add_argument("--rounds", type=int, default=rounds, help=f"turns of each peer (default {rounds})")
    return parser


def plan_of(args: argparse.Namespace) -> Plan:
    """Read the job, and leave out the peers that cannot run it."""
    job = read_job(args.work.resolve())
    failures = job.failures()
    return Plan(
        job=job,
        out=args.out,
        entries=[entry for entry in choose(args.peers, args.precision) if entry.name not in failures],
        pythons=Pythons(gtekit=args.gtekit_python, peers=args.peers_python),
        rounds=args.rounds,
        workloads=getattr(args, "workloads", []),
    )


def read_arguments(question: str, rounds: int, workloads: Sequence[str] = ()) -> Plan:
    """Read the arguments of a script that needs no more than these."""
    parser = argument_parser(question, rounds)
    if workloads:
        parser.add_argument("--workloads", nargs="+", default=list(workloads))
    return plan_of(parser.parse_args())


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


def ratios_to_gtekit(seconds: dict[str, list[float]]) -> dict[str, dict[str, float]]:
    """Give each peer's time over gtekit's, as the median of the rounds: 2 says that gtekit is twice as fast.

    Each precision of gtekit is held against the peers of its own, and int8 against sentence-transformers' defaults as
    well: that is the step which most people would take. The rounds that both took part in count.

    Args:
        seconds: Times of the rounds by peer.

    Returns:
        By peer, then by gtekit's row that it is held against.
    """
    ratios: dict[str, dict[str, float]] = {name: {} for name in seconds}
    for precision, own in OWN.items():
        for name in seconds if own in seconds else ():
            if BY_NAME[name].precision == precision or name == ST_DEFAULT:
                pairs = zip(seconds[name], seconds[own], strict=False)
                ratios[name][own] = statistics.median(theirs / ours for theirs, ours in pairs)
    return ratios


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
        "failures": job.failures(),
        **content,
    }
    plan.out.mkdir(parents=True, exist_ok=True)
    file = plan.out / f"{question}.json"
    file.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    say(f"wrote {file}")
