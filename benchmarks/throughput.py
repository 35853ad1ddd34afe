"""How many tokens a second, embedding many texts at once?

    python -m benchmarks.throughput --work build/benchmarks/small --out benchmarks/results/small \\
        --peers-python build/benchmarks/venv-peers/bin/python
"""

import statistics
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.machine import describe_machine
from benchmarks.measure import Plan, Result, cosines, fastest, ratios_to_gtekit, read_arguments, say, write_result
from benchmarks.peers.interface import Setting
from benchmarks.worker import Worker, started

ROUNDS = 3
SAMPLE = 8  # settings are tried on every eighth text, and the two fastest then on every fourth
FINAL_SAMPLE = 4


def choose_setting(worker: Worker, workload: str) -> tuple[Setting, list[Result]]:
    """Find the fastest setting of a peer for a workload, warm."""

    def sample_seconds(setting: Setting) -> float:
        worker.time_bulk(workload, setting, every=SAMPLE * 4)  # sessions are made, caches filled
        return worker.time_bulk(workload, setting, every=SAMPLE)

    best, tried = fastest(worker.bulk_settings, sample_seconds)
    if not tried:
        worker.time_bulk(workload, best, every=SAMPLE)
        return best, []
    finalists = [trial["setting"] for trial in sorted(tried, key=lambda trial: float(trial["seconds"]))[:2]]
    best, finals = fastest(finalists, lambda setting: worker.time_bulk(workload, setting, every=FINAL_SAMPLE))
    return best, tried + finals


def measure_workload(plan: Plan, workers: list[Worker], workload: str, scratch: Path) -> Result:
    """Choose settings, then let the peers take turns: A B C, A B C, ..."""
    distribution = plan.job.distribution(workload)
    reference = np.load(plan.job.reference_file(workload))
    settings: dict[str, Setting] = {}
    trials: dict[str, list[Result]] = {}
    for worker in workers:
        name = worker.entry.name
        settings[name], trials[name] = choose_setting(worker, workload)
        say(f"{workload}: {worker.entry.title}: {settings[name] or 'defaults'}")
    seconds: dict[str, list[float]] = {worker.entry.name: [] for worker in workers}
    accuracy: dict[str, dict[str, float]] = {}
    for turn in range(plan.rounds):
        for worker in workers:
            name = worker.entry.name
            vectors = scratch / f"{name}.npy" if turn == 0 else None
            seconds[name].append(worker.time_bulk(workload, settings[name], save=vectors))
            if vectors is not None:
                accuracy[name] = cosines(np.load(vectors), reference)
            rate = distribution["tokens"] / seconds[name][-1]
            say(f"{workload}: round {turn + 1}: {worker.entry.title}: {rate:,.0f} tokens/s")
    ratios = ratios_to_gtekit(seconds)
    rows = {
        name: {
            "tokens_per_s": distribution["tokens"] / statistics.median(times),
            "texts_per_s": distribution["texts"] / statistics.median(times),
            "gtekit_speed_ratio": ratios.get(name),
            **accuracy[name],
            "setting": settings[name],
            "seconds": times,
            "tried": trials[name],
        }
        for name, times in seconds.items()
    }
    return {"distribution": distribution, "peers": rows}


def main() -> None:
    plan = read_arguments(__doc__ or "", ROUNDS, ("mixed", "queries"))
    machine = describe_machine()
    with started(plan.entries, plan.job, plan.pythons) as workers, tempfile.TemporaryDirectory() as scratch:
        workloads = {name: measure_workload(plan, workers, name, Path(scratch)) for name in plan.workloads}
        facts = {worker.entry.name: worker.facts for worker in workers}
    write_result(plan, "throughput", machine, {"facts": facts, "workloads": workloads})


if __name__ == "__main__":
    main()
