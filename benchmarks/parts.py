"""Where does the time of gtekit go, and how much of what the cores can do does each part reach?

    python -m benchmarks.parts --work build/benchmarks/small --out benchmarks/results/small

The seconds of each part are those of the engine's own clocks, all threads together; the clocks are read some 50,000
times in the mixed corpus, which costs milliseconds. Operations are counted from the shape and the lengths of the
texts: a multiplication and an addition are two. The ceiling is a loop that touches registers only, run right before
and after each pass with as many threads. Runs in gtekit's environment.
"""

import statistics
import time
from collections.abc import Sequence
from typing import Any, TypeAlias, cast

import numpy as np

import gtekit
from benchmarks.job import MIXED, Job
from benchmarks.machine import describe_machine
from benchmarks.measure import Plan, Result, read_arguments, say, write_result
from benchmarks.peers.batching import cores
from gtekit import _core
from gtekit.config import Precision
from gtekit.engine.native import NativeEngine

ROUNDS = 3
MOST_TEXTS = 100  # every precision and number of threads reads them in every round
CEILING_S = 0.25
LINEAR = ("query_key_value", "attention_output", "up", "down")
ATTENTION = "attention"

Run: TypeAlias = dict[str, Any]


def operations(job: Job, lengths: Sequence[int]) -> dict[str, float]:
    """Count the multiplications and additions that each part needs for texts of these lengths, in tokens.

    Padding, softmax, GELU, quantizing and normalizing do not count as work: only products do.
    """
    tokens, hidden, layers = sum(lengths), job.hidden_size, job.num_hidden_layers
    weights = {
        "query_key_value": 3 * hidden * hidden,
        "attention_output": hidden * hidden,
        "up": hidden * job.intermediate_size,
        "down": hidden * job.intermediate_size,
    }
    counts = {part: 2.0 * tokens * layers * number for part, number in weights.items()}
    return counts | {ATTENTION: 4.0 * layers * hidden * sum(length * length for length in lengths)}


def ceilings(model: gtekit.Embedder) -> dict[str, float]:
    """Measure what the cores can do, in operations a second of all threads, by precision."""
    return {
        precision: _core.measure_ceiling(isa=model.isa, precision=precision, threads=model.threads, seconds=CEILING_S)
        for precision in ("float32", "int8")
    }


def time_once(model: gtekit.Embedder, texts: Sequence[str]) -> Run:
    """Make one pass between two looks at the ceiling."""
    engine = model.engine
    if not isinstance(engine, NativeEngine):
        raise SystemExit(f"{type(engine).__name__} has no clocks; parts.py is about gtekit's own engine.")
    before = ceilings(model)
    engine.time_parts(True)
    begun = time.perf_counter()
    model.encode(texts)
    seconds = time.perf_counter() - begun
    parts = engine.part_seconds()
    engine.time_parts(False)
    after = ceilings(model)
    begun = time.perf_counter()
    model.tokenizer.encode(texts, threads=model.threads)
    tokenizing = time.perf_counter() - begun
    return {
        "seconds": seconds,
        "tokenizing_seconds": tokenizing,
        "part_seconds": parts,
        "ceilings": {precision: (before[precision] + after[precision]) / 2 for precision in before},
    }


def share_of(runs: Sequence[Run], parts: Sequence[str], counts: dict[str, float], threads: int, against: str) -> Result:
    """Give what some parts together reach: made within each round, then the median."""
    operations_of_parts = sum(counts.get(part, 0.0) for part in parts)
    seconds = [sum(run["part_seconds"][part] for part in parts) / threads for run in runs]  # of each thread
    if not operations_of_parts or not all(seconds):
        return {"seconds": statistics.median(seconds)}
    rates = [operations_of_parts / time_of_thread for time_of_thread in seconds]
    shares = [rate / run["ceilings"][against] for rate, run in zip(rates, runs, strict=True)]
    return {
        "seconds": statistics.median(seconds),
        "gops": statistics.median(rates) / 1e9,
        "share_of_ceiling": statistics.median(shares),
        "against": against,
    }


def summarize(runs: Sequence[Run], counts: dict[str, float], tokens: int, precision: str, threads: int) -> Result:
    """Give what one precision reaches with so many threads, by part and for the linear layers together."""
    parts = {part: share_of(runs, [part], counts, threads, precision) for part in runs[0]["part_seconds"]}
    return {
        "tokens_per_s": tokens / statistics.median(run["seconds"] for run in runs),
        "tokenizing_share": statistics.median(run["tokenizing_seconds"] / run["seconds"] for run in runs),
        "ceiling_gops": {
            against: statistics.median(run["ceilings"][against] for run in runs) / 1e9
            for against in ("float32", "int8")
        },
        "linear": share_of(runs, LINEAR, counts, threads, precision),
        "linear_and_quantize": share_of(runs, [*LINEAR, "quantize"], counts, threads, precision),
        "parts": parts,
        "runs": list(runs),
    }


def scaling(one: Sequence[Run], all_threads: Sequence[Run], precision: str) -> dict[str, float]:
    """Give how much faster more threads are, in bulk and in the register-only loop, within each round."""
    pairs = list(zip(one, all_threads, strict=True))
    bulk = [single["seconds"] / several["seconds"] for single, several in pairs]
    loop = [several["ceilings"][precision] / single["ceilings"][precision] for single, several in pairs]
    return {
        "bulk": statistics.median(bulk),
        "ceiling": statistics.median(loop),
        "share": statistics.median(of_bulk / of_loop for of_bulk, of_loop in zip(bulk, loop, strict=True)),
    }


def measure(plan: Plan) -> Result:
    """Let precisions and numbers of threads take turns."""
    texts = plan.job.texts(MIXED)[:: max(len(plan.job.texts(MIXED)) // MOST_TEXTS, 1)]
    keys = [(precision, threads) for precision in ("float32", "int8") for threads in sorted({1, cores()})]
    models = {
        (precision, threads): gtekit.load(plan.job.model, precision=cast(Precision, precision), threads=threads)
        for precision, threads in keys
    }
    lengths = [int(length) for length in np.minimum(models[keys[0]].count_tokens(texts), plan.job.max_tokens)]
    for model in models.values():
        model.encode(texts[:8])  # scratch memory is there
    runs: dict[tuple[str, int], list[Run]] = {key: [] for key in keys}
    for turn in range(plan.rounds):
        for (precision, threads), model in models.items():
            runs[precision, threads].append(time_once(model, texts))
            rate = sum(lengths) / runs[precision, threads][-1]["seconds"]
            say(f"parts: round {turn + 1}: {precision}, {threads} threads: {rate:,.0f} tokens/s")
    counts = operations(plan.job, lengths)
    return {
        "isa": models[keys[0]].isa,
        "texts": len(texts),
        "tokens": sum(lengths),
        "operations": counts,
        "precisions": {
            precision: {
                "threads": {
                    str(threads): summarize(runs[precision, threads], counts, sum(lengths), precision, threads)
                    for threads in sorted({1, cores()})
                },
                "scaling": scaling(runs[precision, 1], runs[precision, cores()], precision),
            }
            for precision in ("float32", "int8")
        },
    }


def main() -> None:
    plan = read_arguments(__doc__ or "", ROUNDS)
    machine = describe_machine()
    write_result(plan, "parts", machine, measure(plan))


if __name__ == "__main__":
    main()
