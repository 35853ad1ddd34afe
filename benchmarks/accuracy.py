"""How close do 8-bit vectors come to fp32, on trained weights and real text?

    python -m benchmarks.prepare --work build/benchmarks/accuracy --model MINILM --real
    python -m benchmarks.accuracy --work build/benchmarks/accuracy --out benchmarks/results/small \\
        --peers-python build/benchmarks/venv-peers/bin/python

Seeded weights say little about this: rounding costs what the outliers of trained weights make it cost. The answers
decide which peers count as rivals: benchmarks/eligibility.py.
"""

import tempfile
from pathlib import Path

import numpy as np

from benchmarks.job import CALIBRATION_TEXTS
from benchmarks.machine import describe_machine
from benchmarks.measure import Plan, Result, cosines, read_arguments, say, write_result
from benchmarks.prepare import REAL
from benchmarks.worker import Worker, started


def measure(plan: Plan, workers: list[Worker], scratch: Path) -> Result:
    """Compare the vectors of each program with those of sentence-transformers in fp32."""
    reference = np.load(plan.job.reference_file(REAL))
    unseen = slice(CALIBRATION_TEXTS, None)  # static quantization knows the others
    peers = {}
    for worker in workers:
        name = worker.entry.name
        setting = worker.bulk_settings[0]
        worker.time_bulk(REAL, setting, save=scratch / f"{name}.npy")
        peers[name] = {**cosines(np.load(scratch / f"{name}.npy")[unseen], reference[unseen]), "setting": setting}
        say(f"accuracy: {worker.entry.title}: {peers[name]['cosine_mean']:.4f}")
    return {
        "distribution": plan.job.distribution(REAL),
        "compared": len(reference[unseen]),
        "source": plan.job.source(REAL),
        "peers": peers,
    }


def main() -> None:
    plan = read_arguments(__doc__ or "", 1)
    entries = [entry for entry in plan.entries if entry.precision == "int8"]
    if not entries:
        say("accuracy: nothing to measure, no 8-bit program was asked for")
        return
    machine = describe_machine()
    with started(entries, plan.job, plan.pythons) as workers, tempfile.TemporaryDirectory() as scratch:
        content = measure(plan, workers, Path(scratch))
        facts = {worker.entry.name: worker.facts for worker in workers}
    write_result(plan, "accuracy", machine, {"facts": facts, **content})


if __name__ == "__main__":
    main()
