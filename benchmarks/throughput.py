"""How many tokens a second, embedding many texts at once?

    python -m benchmarks.throughput --work build/benchmarks/small --out benchmarks/results/small \\
        --peers-python build/benchmarks/venv-peers/bin/python
"""

import statistics
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.eligibility import find_accuracy, rivals
from benchmarks.machine import describe_machine
from benchmarks.measure import Plan, Result, cosines, fastest, ratios_to_gtekit, read_arguments, say, write_result
from benchmarks.peers.catalog import BY_NAME, OWN
from benchmarks.peers.interface import Setting
from benchmarks.worker import Worker, started

ROUNDS = 3
FEWEST_SAMPLED = 20  # texts; a sample is an eighth of them where that is more, and the two fastest then get twice that
HOPELESS_AFTER = 2  # rounds
HOPELESS = 1.3  # times the best of the same precision


def sampling(texts: int) -> int:
    """Say of how many texts one is taken when settings are tried."""
    return min(8, max(2, texts // FEWEST_SAMPLED))


def choose_setting(worker: Worker, workload: str, texts: int) -> tuple[Setting, list[Result]]:
    """Find the fastest setting of a peer for a workload, warm."""
    every = sampling(texts)

    def sample_seconds(setting: Setting) -> float:
        worker.time_bulk(workload, setting, every=every * 4)  # sessions are made, caches filled
        return worker.time_bulk(workload, setting, every=every)

    best, tried = fastest(worker.bulk_settings, sample_seconds)
    if not tried:
        worker.time_bulk(workload, best, every=every)
        return best, []
    if every <= 2:
        return best, tried
    finalists = [trial["setting"] for trial in sorted(tried, key=lambda trial: float(trial["seconds"]))[:2]]
    best, finals = fastest(finalists, lambda setting: worker.time_bulk(workload, setting, every=every // 2))
    return best, tried + finals


def hopeless(seconds: dict[str, list[float]], contenders: set[str]) -> set[str]:
    """Name the peers that cannot be the best rival any more.

    Those are the ones that do not count, and those that were far behind the best of their precision in each of the
    first rounds.
    """
    names = set()
    for name, times in seconds.items():
        precision = BY_NAME[name].precision
        best = [seconds[other] for other in contenders if BY_NAME[other].precision == precision]
        is_behind = best and all(
            times[turn] > HOPELESS * min(other[turn] for other in best) for turn in range(HOPELESS_AFTER)
        )
        if is_behind or name not in contenders:
            names.add(name)
    return names - set(OWN.values())


class Turns:
    """The turns of all peers on one workload: A B C, A B C, ..."""

    def __init__(self, plan: Plan, workload: str, settings: dict[str, Setting], scratch: Path) -> None:
        self.plan = plan
        self.workload = workload
        self.settings = settings
        self.scratch = scratch
        self.reference = np.load(plan.job.reference_file(workload))
        self.tokens = plan.job.distribution(workload)["tokens"]
        self.seconds: dict[str, list[float]] = {name: [] for name in settings}
        self.cosines: dict[str, dict[str, float]] = {}  # to fp32, of the first round

    def take(self, workers: list[Worker]) -> None:
        """Take all rounds; after two of them the hopeless peers rest."""
        for turn in range(self.plan.rounds):
            resting = self.hopeless() if turn >= HOPELESS_AFTER else set()
            for worker in workers:
                if worker.entry.name not in resting:
                    self.take_one(worker, turn)

    def take_one(self, worker: Worker, turn: int) -> None:
        name = worker.entry.name
        vectors = self.scratch / f"{name}.npy" if turn == 0 else None
        seconds = worker.time_bulk(self.workload, self.settings[name], save=vectors)
        self.seconds[name].append(seconds)
        if vectors is not None:
            self.cosines[name] = cosines(np.load(vectors), self.reference)
        say(f"{self.workload}: round {turn + 1}: {worker.entry.title}: {self.tokens / seconds:,.0f} tokens/s")

    def hopeless(self) -> set[str]:
        accuracy = find_accuracy(self.plan.out)
        contenders = {name for precision in OWN for name in rivals(self.cosines, precision, accuracy)}
        return hopeless(self.seconds, contenders)


def measure_workload(plan: Plan, workers: list[Worker], workload: str, scratch: Path) -> Result:
    """Choose settings, then let the peers take turns."""
    distribution = plan.job.distribution(workload)
    chosen: dict[str, tuple[Setting, list[Result]]] = {}
    for worker in workers:
        chosen[worker.entry.name] = choose_setting(worker, workload, int(distribution["texts"]))
        say(f"{workload}: {worker.entry.title}: {chosen[worker.entry.name][0] or 'defaults'}")
    turns = Turns(plan, workload, {name: setting for name, (setting, _) in chosen.items()}, scratch)
    turns.take(workers)
    ratios = ratios_to_gtekit(turns.seconds)
    rows = {
        name: {
            "tokens_per_s": distribution["tokens"] / statistics.median(times),
            "texts_per_s": distribution["texts"] / statistics.median(times),
            "speed_ratios": ratios[name],
            **turns.cosines[name],
            "setting": chosen[name][0],
            "seconds": times,
            "tried": chosen[name][1],
        }
        for name, times in turns.seconds.items()
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
