"""How fast is exact search beside numpy, and how close does it come to what memory can be read at?

    python -m benchmarks.nearest --output benchmarks/results/nearest

Every round runs all programs in turn in one process; times are medians over the rounds, ratios are made within a round.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import describe_machine, load_average
from benchmarks.search_vectors import base_vectors, noisy_vectors, query_vectors
from gtekit import _core
from gtekit.arrays import Array, Floats, Ints
from gtekit.engine.native import chosen_isa
from gtekit.nearest import nearest
from gtekit.threads import available_threads

TOP_K = 10
QUERIES = 256
SINGLE_QUERIES = 10  # of a round; the median counts
MOST_PRODUCTS = 1 << 26  # that numpy keeps at once: with their places 800 MB

Result = dict[str, Any]


def numpy_search(queries: Floats, vectors: Floats) -> Ints:
    """Give the best rows of each query: a matrix product and argpartition."""
    found = []
    step = max(1, MOST_PRODUCTS // len(vectors))
    for first in range(0, len(queries), step):
        products = queries[first : first + step] @ vectors.T
        places = np.argpartition(products, -TOP_K, axis=1)[:, -TOP_K:]
        order = np.argsort(-np.take_along_axis(products, places, axis=1), axis=1)
        found.append(np.take_along_axis(places, order, axis=1))
    return np.concatenate(found)


def seconds_of(call: Callable[[], object]) -> float:
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


def single_seconds(search: Callable[[Floats], object], queries: Floats) -> float:
    return statistics.median(seconds_of(partial(search, queries[row : row + 1])) for row in range(SINGLE_QUERIES))


def read_seconds(vectors: Array, threads: int) -> float:
    """Give the time of the faster of two plain sums over the same bytes: the core's, and numpy's in threads."""
    words = vectors.reshape(-1).view(np.uint64)
    with ThreadPoolExecutor(threads) as pool:
        in_numpy = seconds_of(lambda: list(pool.map(np.sum, np.array_split(words, threads))))
    return min(in_numpy, seconds_of(lambda: _core.sum_words(vectors, threads=threads)))


def one_round(queries: Floats, vectors: Floats, halves: Array, threads: int) -> Result:
    """Run every program once."""
    return {
        "numpy_batch": seconds_of(lambda: numpy_search(queries, vectors)),
        "float32_batch": seconds_of(lambda: nearest(queries, vectors, TOP_K)),
        "float16_batch": seconds_of(lambda: nearest(queries, halves, TOP_K)),
        "numpy_single": single_seconds(lambda query: numpy_search(query, vectors), queries),
        "float32_read": read_seconds(vectors, threads),
        "float32_single": single_seconds(lambda query: nearest(query, vectors, TOP_K), queries),
        "float16_read": read_seconds(halves, threads),
        "float16_single": single_seconds(lambda query: nearest(query, halves, TOP_K), queries),
    }


def summarize(rounds: list[Result], count: int, size_bytes: int) -> Result:
    """Give medians over the rounds, ratios within a round."""

    def median(name: str) -> float:
        return statistics.median(row[name] for row in rounds)

    def ratio(theirs: str, ours: str) -> float:
        return statistics.median(row[theirs] / row[ours] for row in rounds)

    summary: Result = {
        "numpy_queries_per_s": QUERIES / median("numpy_batch"),
        "numpy_single_ms": 1e3 * median("numpy_single"),
    }
    for kind, size in (("float32", size_bytes), ("float16", size_bytes // 2)):
        batch, single, read = f"{kind}_batch", f"{kind}_single", f"{kind}_read"
        summary[kind] = {
            "queries_per_s": QUERIES / median(batch),
            "batch_over_numpy": ratio("numpy_batch", batch),
            "single_ms": 1e3 * median(single),
            "single_over_numpy": ratio("numpy_single", single),
            "single_gb_per_s": size / 1e9 / median(single),
            "read_gb_per_s": size / 1e9 / median(read),
            "share_of_read": ratio(read, single),
        }
    return {"rows": count, **summary, "rounds": rounds}


def measure(base: Floats, count: int, rounds: int, threads: int) -> Result:
    """Measure one size."""
    queries, vectors = query_vectors(base, QUERIES), noisy_vectors(base, count)
    halves = vectors.astype(np.float16)
    exact = nearest(queries, vectors, TOP_K)[1]
    in_halves = nearest(queries, halves, TOP_K)[1]
    by_numpy = numpy_search(queries, vectors)
    pairs = list(zip(exact.tolist(), by_numpy.tolist(), in_halves.tolist(), strict=True))
    timed = [one_round(queries, vectors, halves, threads) for _ in range(rounds)]
    return {
        **summarize(timed, count, vectors.nbytes),
        "same_as_numpy": statistics.mean(set(a) == set(b) for a, b, _ in pairs),
        "float16_recall_at_10": statistics.mean(len({*a} & {*b}) / TOP_K for a, _, b in pairs),
    }


def table(result: Result) -> str:
    """Write the medians as Markdown."""
    lines = [
        f"Exact search, {result['dimension']} numbers a vector, top {TOP_K}, {result['threads']} threads, kernels "
        f"{result['isa']}. Batches of {QUERIES} queries; medians of {result['rounds']} rounds, ratios within a round. "
        f"Load of the machine before and after: {result['machine']['load_before']}, {result['machine']['load_after']}.",
        "",
        "| rows | vectors | queries/s in batches | numpy | ratio | one query, ms | numpy, ms | GB/s | reading, GB/s "
        "| share | recall@10 |",
        "|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for size in result["sizes"]:
        for kind in ("float32", "float16"):
            row = size[kind]
            recall = 1.0 if kind == "float32" else size["float16_recall_at_10"]
            lines.append(
                f"| {size['rows']:,} | {kind} | {row['queries_per_s']:,.0f} | {size['numpy_queries_per_s']:,.0f} "
                f"| {row['batch_over_numpy']:.2f} x | {row['single_ms']:.2f} | {size['numpy_single_ms']:.2f} "
                f"| {row['single_gb_per_s']:.1f} | {row['read_gb_per_s']:.1f} | {row['share_of_read']:.0%} "
                f"| {recall:.4f} |"
            )
    return "\n".join(lines) + "\n"


def draw(result: Result, folder: Path) -> None:
    """Draw queries a second and the time of one query over the number of rows."""
    from matplotlib import pyplot

    pyplot.switch_backend("Agg")
    pyplot.rcParams["svg.fonttype"] = "none"
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    rows = [size["rows"] for size in result["sizes"]]
    for kind, color in (("float32", "#c2410c"), ("float16", "#f59e0b")):
        left.loglog(rows, [size[kind]["queries_per_s"] for size in result["sizes"]], "o-", color=color, label=kind)
        right.loglog(rows, [size[kind]["single_ms"] for size in result["sizes"]], "o-", color=color, label=kind)
    left.loglog(rows, [size["numpy_queries_per_s"] for size in result["sizes"]], "s--", color="#64748b", label="numpy")
    right.loglog(rows, [size["numpy_single_ms"] for size in result["sizes"]], "s--", color="#64748b", label="numpy")
    left.set_title(f"queries/s in batches of {QUERIES}, more is better", fontsize=10, loc="left")
    right.set_title("one query [ms], less is better", fontsize=10, loc="left")
    for axes in (left, right):
        axes.set_xlabel("rows")
        axes.grid(visible=True, alpha=0.3)
        axes.legend()
    for ending in ("svg", "png"):
        figure.savefig(folder / f"nearest.{ending}", dpi=120)
    pyplot.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True, help="folder for nearest.json, .md, .svg and .png")
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--vectors", type=Path, default=Path("build/benchmarks/minilm.npy"), help="kept between runs")
    args = parser.parse_args()
    machine, threads = describe_machine(), available_threads().threads
    base = base_vectors(args.vectors)
    result: Result = {
        "question": "nearest",
        "isa": chosen_isa(None),
        "threads": threads,
        "dimension": base.shape[1],
        "rounds": args.rounds,
        "sizes": [],
    }
    for count in args.rows:
        result["sizes"].append(measure(base, count, args.rounds, threads))
        print(f"{count:,} rows measured", file=sys.stderr)
    result["machine"] = {**machine, "load_after": load_average()}
    args.output.mkdir(parents=True, exist_ok=True)
    (args.output / "nearest.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    (args.output / "nearest.md").write_text(table(result), encoding="utf-8")
    draw(result, args.output)
    print(table(result))


if __name__ == "__main__":
    main()
