"""How long does one short query take, from the Python call to the array?

    python -m benchmarks.latency --work build/benchmarks/small --out benchmarks/results/small \\
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

ROUNDS = 5
WORKLOAD = "queries"
QUERIES_A_TURN = 100
WARM_UP = 20


def choose_setting(worker: Worker) -> tuple[Setting, list[Result]]:
    """Find the number of threads with which a peer answers fastest, warm."""

    def seconds_of(setting: Setting) -> float:
        worker.time_single(WORKLOAD, setting, range(WARM_UP))
        return statistics.median(worker.time_single(WORKLOAD, setting, range(40)))

    best, tried = fastest(worker.single_settings, seconds_of)
    if not tried:
        worker.time_single(WORKLOAD, best, range(WARM_UP))
    return best, tried


def summarize(times: list[list[float]]) -> dict[str, float]:
    """Give percentiles of all queries of all rounds, in milliseconds."""
    milliseconds = np.concatenate([np.array(turn) for turn in times]) * 1e3
    p50, p90, p99 = (float(np.percentile(milliseconds, share)) for share in (50, 90, 99))
    return {"p50_ms": p50, "p90_ms": p90, "p99_ms": p99, "p99_over_p50": p99 / p50, "queries": len(milliseconds)}


def measure(plan: Plan, workers: list[Worker], scratch: Path) -> Result:
    """Let the peers take turns of a hundred queries, one at a time."""
    reference = np.load(plan.job.reference_file(WORKLOAD))
    chosen = {worker.entry.name: choose_setting(worker) for worker in workers}
    times: dict[str, list[list[float]]] = {worker.entry.name: [] for worker in workers}
    accuracy: dict[str, dict[str, float]] = {}
    for turn in range(plan.rounds):
        for worker in workers:
            name = worker.entry.name
            rows = range(turn * QUERIES_A_TURN, (turn + 1) * QUERIES_A_TURN)
            worker.time_single(WORKLOAD, chosen[name][0], range(5))  # awake again after the others' turns
            vectors = scratch / f"{name}.npy" if turn == 0 else None
            times[name].append(worker.time_single(WORKLOAD, chosen[name][0], rows, settle=False, save=vectors))
            if vectors is not None:
                accuracy[name] = cosines(np.load(vectors), reference[: len(rows)])
            say(f"round {turn + 1}: {worker.entry.title}: p50 {statistics.median(times[name][-1]) * 1e3:.2f} ms")
    medians = {name: [statistics.median(turn) for turn in turns] for name, turns in times.items()}
    ratios = ratios_to_gtekit(medians)
    rows_of_report = {
        name: {
            **summarize(turns),
            "speed_ratios": ratios[name],
            **accuracy[name],
            "setting": chosen[name][0],
            "p50_ms_of_rounds": [median * 1e3 for median in medians[name]],
            "tried": chosen[name][1],
        }
        for name, turns in times.items()
    }
    return {"distribution": plan.job.distribution(WORKLOAD), "peers": rows_of_report}


def main() -> None:
    plan = read_arguments(__doc__ or "", ROUNDS).without_bulk_only()
    machine = describe_machine()
    with started(plan.entries, plan.job, plan.pythons) as workers, tempfile.TemporaryDirectory() as scratch:
        content = measure(plan, workers, Path(scratch))
        facts = {worker.entry.name: worker.facts for worker in workers}
    write_result(plan, "latency", machine, {"facts": facts, **content})


if __name__ == "__main__":
    main()
