"""How long from the start of a process to its first vector, and how much memory does a process take?

    python -m benchmarks.cold_start --work build/benchmarks/small --out benchmarks/results/small \\
        --peers-python build/benchmarks/venv-peers/bin/python

Every figure is of a whole process: the interpreter, imports, loading, one query. Memory is the maximum resident set
as the operating system reports it when the process has ended. Files are in the page cache.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass

from benchmarks.job import MIXED, Job
from benchmarks.machine import describe_machine
from benchmarks.measure import Plan, Result, ratios_to_gtekit, read_arguments, say, write_result
from benchmarks.peers.batching import cores
from benchmarks.peers.catalog import Entry
from benchmarks.peers.first_vector import READY
from benchmarks.peers.interface import Setting
from benchmarks.worker import ROOT

ROUNDS = 3
FALLBACK_BULK: Setting = {"batch_tokens": 512, "batch_size": 32, "streams": 1}  # where throughput.json is missing


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessCost:
    """What one process took."""

    seconds: float  # until its first vector (or all of them)
    peak_mib: float


def run_process(python: str, entry: Entry, job: Job, setting: Setting, *arguments: str) -> ProcessCost:
    """Run one process to its end and measure it from outside."""
    module = [python, "-m", "benchmarks.peers.first_vector", entry.name]
    command = [*module, "--work", str(job.work), "--setting", json.dumps(setting), *arguments]
    log = job.work / f"{entry.name}.cold.log"
    with log.open("w", encoding="utf-8") as errors:
        begun = time.perf_counter()
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=errors, text=True)
        if process.stdout is None:
            raise RuntimeError("the process was started without a pipe.")
        seconds = 0.0
        for line in process.stdout:
            if line.strip() == READY:
                seconds = time.perf_counter() - begun
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        process.stdout.close()
    if process.returncode != 0 and seconds:
        say(f"{entry.title}: exit status {process.returncode} after its answer")  # OpenVINO's threads, now and then
    if not seconds:
        raise SystemExit(f"{entry.title} failed. The end of {log}:\n{log.read_text(errors='replace')[-2000:]}")
    unit = 2**20 if sys.platform == "darwin" else 2**10  # bytes there, KiB elsewhere
    return ProcessCost(seconds=seconds, peak_mib=usage.ru_maxrss / unit)


def settings_of(plan: Plan, question: str, fallback: Setting) -> dict[str, Setting]:
    """Take the settings that won in an earlier script of the same run."""
    file = plan.out / f"{question}.json"
    if not file.is_file():
        return {entry.name: fallback for entry in plan.entries}
    result = json.loads(file.read_text(encoding="utf-8"))
    peers = result["workloads"].get(MIXED, {}).get("peers", {}) if question == "throughput" else result["peers"]
    return {entry.name: peers.get(entry.name, {}).get("setting", fallback) for entry in plan.entries}


def measure(plan: Plan) -> Result:
    """Let the peers take turns, each in a fresh process. The bulk runs come first and fill the page cache."""
    single = settings_of(plan, "latency", {"threads": cores()})
    bulk = settings_of(plan, "throughput", FALLBACK_BULK)
    peaks: dict[str, float] = {}
    for entry in plan.entries:
        cost = run_process(plan.pythons.of(entry), entry, plan.job, bulk[entry.name], "--bulk", MIXED)
        peaks[entry.name] = cost.peak_mib
        say(f"{MIXED}: {entry.title}: {cost.peak_mib:.0f} MiB")
    costs: dict[str, list[ProcessCost]] = {entry.name: [] for entry in plan.entries}
    for turn in range(plan.rounds):
        for entry in plan.entries:
            cost = run_process(plan.pythons.of(entry), entry, plan.job, single[entry.name])
            costs[entry.name].append(cost)
            say(f"round {turn + 1}: {entry.title}: {cost.seconds:.2f} s, {cost.peak_mib:.0f} MiB")
    ratios = ratios_to_gtekit({name: [cost.seconds for cost in turns] for name, turns in costs.items()})
    return {
        "peers": {
            name: {
                "first_vector_s": statistics.median(cost.seconds for cost in turns),
                "speed_ratios": ratios[name],
                "peak_mib": statistics.median(cost.peak_mib for cost in turns),
                "bulk_peak_mib": peaks[name],
                "setting": single[name],
                "bulk_setting": bulk[name],
                "seconds": [cost.seconds for cost in turns],
            }
            for name, turns in costs.items()
        }
    }


def main() -> None:
    plan = read_arguments(__doc__ or "", ROUNDS).without_bulk_only()
    machine = describe_machine()
    write_result(plan, "cold_start", machine, measure(plan))


if __name__ == "__main__":
    main()
