"""The result of throughput.py and latency.py as Markdown."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.serving.figures import Figure, Rows, figures_of, wrong_in

Result = Mapping[str, Any]


def report(result: Result) -> str:
    """Write all tables."""
    throughput, latency, machine = result["throughput"], result["latency"], result["machine"]
    wrong = wrong_in(throughput) + wrong_in(latency)
    lines = [
        "# The server beside the library and other servers",
        "",
        f"{result['model']}; {machine['cpu']}, {machine['cores']} cores; generator and server share them. "
        f"Load of the machine before and after: {machine['load_before']}, {machine['load_after']}. "
        f"Commit {machine['commit']}, {machine['date']}, {result['rounds']} rounds, medians. Command: "
        f"`{machine['command']}`.",
        "",
        f"Wrong answers (an error, or a vector that is not the library's): {wrong}.",
        "",
        *figure_table(figures_of(throughput, latency)),
        "",
        f"## Bulk: requests of {throughput['bulk_texts']} mixed texts on {throughput['bulk_connections']} connections",
        "",
        *table(throughput["bulk"], ["tokens_per_s", "p50_ms", "p99_ms"]),
        "",
        f"## Single queries on {throughput['short_connections']} connections",
        "",
        "The library: `encode_one` on one and on as many threads; `in_bulk` is one `encode` of all queries.",
        "",
        *table(throughput["short"], ["requests_per_s", "p50_ms", "p99_ms", "in_bulk"]),
        "",
        "## One query after the other",
        "",
        *table(latency["alone"], ["p50_ms", "p99_ms"]),
        "",
        f"## {latency['queries_per_s']:.0f} queries a second, alone, then beside bulk on "
        f"{latency['bulk_connections']} connections",
        "",
        *table(latency["at_rate"], ["p50_ms", "p99_ms"]),
        "",
        *table(latency["loaded"], ["p50_ms", "p99_ms", "bulk_tokens_per_s"]),
        "",
        "## Versions",
        "",
        *(f"- {name}: {', '.join(f'{a} {b}' for a, b in found.items())}" for name, found in result["versions"].items()),
    ]
    return "\n".join(lines) + "\n"


def figure_table(figures: Sequence[Figure]) -> list[str]:
    lines = ["| figure | target | reached | |", "|---|---:|---:|---|"]
    for figure in figures:
        sign = "≤" if figure.is_most else "≥"
        met = "met" if figure.is_met else "**missed**"
        lines.append(
            f"| {figure.name} | {sign} {figure.target:g} {figure.unit} | {figure.value:.3g} {figure.unit} | {met} |"
        )
    return lines


def table(rows: Rows, keys: Sequence[str]) -> list[str]:
    """Write medians, with the least and the most of the first column."""
    lines = [f"| | {' | '.join(keys)} | least to most |", f"|---|{'---:|' * (len(keys) + 1)}"]
    for name, of_program in rows.items():
        cells = [median_of([row[key] for row in of_program if key in row]) for key in keys]
        first = [row[keys[0]] for row in of_program]
        lines.append(f"| {name} | {' | '.join(cells)} | {number(min(first))} to {number(max(first))} |")
    return lines


def median_of(values: Sequence[float]) -> str:
    return number(statistics.median(values)) if values else ""


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"
