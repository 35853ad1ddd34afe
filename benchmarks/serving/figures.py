"""The figures that are asked for: ratios within a round, then the median over the rounds."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Row = Mapping[str, float]
Rows = Mapping[str, Sequence[Row]]
Result = Mapping[str, Any]
PEERS = {"infinity": "infinity-emb", "fastapi": "FastAPI + sentence-transformers"}
PRECISIONS = ("int8", "float32")


@dataclass(frozen=True, slots=True)
class Figure:
    """One of them."""

    name: str
    value: float
    target: float
    unit: str
    is_most: bool = False  # the target is the most that the value may be

    @property
    def is_met(self) -> bool:
        return self.value <= self.target if self.is_most else self.value >= self.target


def within_rounds(combine: Callable[[float, float], float], a: Sequence[float], b: Sequence[float]) -> float:
    """Combine two programs' values of each round, then take the median."""
    return statistics.median(combine(x, y) for x, y in zip(a, b, strict=True))


def ratio(a: float, b: float) -> float:
    return a / b


def column(rows: Rows, name: str, key: str) -> list[float]:
    return [row[key] for row in rows[name]]


def figures_of(throughput: Result, latency: Result) -> list[Figure]:
    """Compute all figures, as far as their programs were measured."""
    figures = [figure for precision in PRECISIONS for figure in against_library(throughput, latency, precision)]
    for peer, title in PEERS.items():
        if peer in throughput["short"]:
            figures += [
                figure for precision in PRECISIONS for figure in against_peer(throughput, peer, title, precision)
            ]
    return figures


def against_library(throughput: Result, latency: Result, precision: str) -> list[Figure]:
    own, library = f"gtekit-{precision}", f"library-{precision}"
    bulk, short, alone = throughput["bulk"], throughput["short"], latency["alone"]

    def share(rows: Rows, key: str, of: str) -> float:
        return 100 * within_rounds(ratio, column(rows, own, key), column(rows, library, of))

    more_ms = within_rounds(lambda a, b: a - b, column(alone, own, "p50_ms"), column(alone, library, "p50_ms"))
    slower = within_rounds(ratio, column(latency["loaded"], own, "p99_ms"), column(latency["at_rate"], own, "p99_ms"))
    return [
        Figure(
            f"{precision}, bulk requests, of the library's rate", share(bulk, "tokens_per_s", "tokens_per_s"), 90, "%"
        ),
        Figure(
            f"{precision}, single queries on {throughput['short_connections']} connections, of encode_one's rate",
            share(short, "requests_per_s", "requests_per_s"),
            70,
            "%",
        ),
        Figure(f"{precision}, the same of the rate of one encode", share(short, "requests_per_s", "in_bulk"), 70, "%"),
        Figure(f"{precision}, p50 of one query, more than the library's", more_ms, 1.0, "ms", is_most=True),
        Figure(f"{precision}, p99 of queries beside bulk, over the unloaded one", slower, 5.0, "x", is_most=True),
    ]


def against_peer(throughput: Result, peer: str, title: str, precision: str) -> list[Figure]:
    own = f"gtekit-{precision}"
    target = 3.0 if precision == "int8" else 1.0  # nothing is asked of float32: faster at all
    figures = []
    for kind, key, workload in (("bulk", "tokens_per_s", "bulk"), ("short", "requests_per_s", "single queries")):
        rows = throughput[kind]
        rate = within_rounds(ratio, column(rows, own, key), column(rows, peer, key))
        p99 = within_rounds(ratio, column(rows, own, "p99_ms"), column(rows, peer, "p99_ms"))
        figures.append(Figure(f"{precision}, {workload}, rate over {title}", rate, target, "x"))
        figures.append(Figure(f"{precision}, {workload}, p99 over that of {title}", p99, 1.0, "x", is_most=True))
    return figures


def wrong_in(result: Result) -> int:
    """Count the wrong answers of a whole result."""
    tables = [rows for rows in result.values() if isinstance(rows, dict)]
    return int(sum(row.get("wrong", 0) for rows in tables for of_program in rows.values() for row in of_program))
