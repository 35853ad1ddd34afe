"""What the report shows of each question: a table, and the field that its bars stand for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.eligibility import best_rival, cosine_of, is_eligible
from benchmarks.peers.catalog import BY_NAME, OWN
from benchmarks.workloads import WORKLOADS

Result = dict[str, Any]
Columns = dict[str, Callable[[Result], str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One table and one group of bars."""

    title: str
    detail: str = ""  # after the title, in the table only
    value: str  # the field that the bars show
    unit: str
    more_is_better: bool
    peers: Result
    columns: Columns


def ratio(row: Result) -> str:
    """Write how much faster gtekit is: in the peer's precision, and in int8 where it was held against that as well."""
    ratios: dict[str, float] = row.get("speed_ratios", {})
    first, *more = [f"{value:.2f} x" for value in ratios.values()] or [""]
    return first + "".join(f" (int8: {value})" for value in more)


def cosine(row: Result) -> str:
    return f"{row['cosine_min']:.6f} / {row['cosine_mean']:.6f}"


def setting(row: Result) -> str:
    return ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in row["setting"].items()) or "defaults"


def spread(times: Sequence[float]) -> str:
    return f"± {(max(times) - min(times)) / 2 / (sum(times) / len(times)):.0%}" if len(times) > 1 else ""


def throughput_panel(name: str, content: Result) -> Panel:
    lengths = content["distribution"]
    detail = (
        f": {lengths['texts']:,} texts, {lengths['tokens']:,} tokens "
        f"({lengths['shortest']} to {lengths['longest']}, median {lengths['p50']})"
    )
    columns: Columns = {
        "tokens/s": lambda row: f"{row['tokens_per_s']:,.0f}",
        "texts/s": lambda row: f"{row['texts_per_s']:,.0f}",
        "spread of rounds": lambda row: spread(row["seconds"]),
        "gtekit's speed over its": ratio,
        "cosine to fp32, min / mean": cosine,
        "best setting": setting,
    }
    return Panel(
        title=f"{WORKLOADS[name].title} in bulk",
        detail=detail,
        value="tokens_per_s",
        unit="tokens/s",
        more_is_better=True,
        peers=content["peers"],
        columns=columns,
    )


def latency_panel(content: Result) -> Panel:
    columns: Columns = {
        "p50 ms": lambda row: f"{row['p50_ms']:.2f}",
        "p90 ms": lambda row: f"{row['p90_ms']:.2f}",
        "p99 ms": lambda row: f"{row['p99_ms']:.2f}",
        "p99/p50": lambda row: f"{row['p99_over_p50']:.2f}",
        "gtekit's speed over its": ratio,
        "cosine to fp32, min / mean": cosine,
        "best setting": setting,
    }
    title = f"one short query at a time (about {content['distribution']['mean']:.0f} tokens)"
    return Panel(
        title=title, value="p50_ms", unit="ms, p50", more_is_better=False, peers=content["peers"], columns=columns
    )


def cold_start_panel(content: Result) -> Panel:
    columns: Columns = {
        "first vector s": lambda row: f"{row['first_vector_s']:.2f}",
        "gtekit's speed over its": ratio,
        "peak MiB, one query": lambda row: f"{row['peak_mib']:.0f}",
        "peak MiB, mixed texts": lambda row: f"{row['bulk_peak_mib']:.0f}",
    }
    return Panel(
        title="cold start: from the start of the process to the first vector",
        value="first_vector_s",
        unit="s",
        more_is_better=False,
        peers=content["peers"],
        columns=columns,
    )


def memory_panel(content: Result) -> Panel:
    return Panel(
        title="peak memory of a process that embeds one query",
        value="peak_mib",
        unit="MiB",
        more_is_better=False,
        peers=content["peers"],
        columns={},  # in the table of the cold start
    )


def panels_of(results: dict[str, Result]) -> list[Panel]:
    """List what there is to show, in reading order."""
    workloads = results.get("throughput", {}).get("workloads", {})
    panels = [throughput_panel(name, content) for name, content in workloads.items()]
    if "latency" in results:
        panels.append(latency_panel(results["latency"]))
    if "cold_start" in results:
        panels += [cold_start_panel(results["cold_start"]), memory_panel(results["cold_start"])]
    return panels


def ordered(panel: Panel, precision: str) -> list[tuple[str, Result]]:
    """Give the peers of a precision, the best first."""
    rows = [(name, row) for name, row in panel.peers.items() if BY_NAME[name].precision == precision]
    return sorted(rows, key=lambda pair: float(pair[1][panel.value]), reverse=panel.more_is_better)


def best_peers(panel: Panel, accuracy: Result) -> list[str]:
    """Say in a line for each precision how gtekit stands against the best of the others."""
    lines = []
    for precision, own in OWN.items():
        name = best_rival(panel.peers, precision, accuracy, by=panel.value, more_is_better=panel.more_is_better)
        if name is None or own not in panel.peers:
            continue
        value = panel.peers[name]["speed_ratios"][own]
        kind = "other fp32 program" if precision == "float32" else "other 8-bit program that counts"
        lines.append(
            f"{BY_NAME[own].title} runs at **{value:.2f} x** the speed of the best {kind} here ({BY_NAME[name].title})."
        )
    return lines


def title_of(name: str, row: Result, accuracy: Result) -> str:
    """Write the first cell of a row."""
    title = BY_NAME[name].title
    if name in OWN.values():
        return f"**{title}**"
    if is_eligible(name, row, accuracy):
        return title
    return f"{title} *(not counted: cosine {cosine_of(name, row, accuracy):.3f})*"


def table(panel: Panel, accuracy: Result) -> list[str]:
    """Write a table: gtekit and fp32 peers, then the 8-bit ones, which answer less exactly."""
    lines = [f"## {panel.title[0].upper()}{panel.title[1:]}{panel.detail}", ""]
    if best := best_peers(panel, accuracy):
        lines += [" ".join(best), ""]
    lines += [f"| | {' | '.join(panel.columns)} |", "|---" + "|---:" * len(panel.columns) + "|"]
    for precision in OWN:
        for name, row in ordered(panel, precision):
            cells = " | ".join(write(row) for write in panel.columns.values())
            lines.append(f"| {title_of(name, row, accuracy)} | {cells} |")
    return [*lines, ""]


def accuracy_table(accuracy: Result) -> list[str]:
    """Write how close 8 bits come to fp32 on trained weights."""
    name, texts = accuracy["checkpoint"]["name"], accuracy["compared"]
    lines = [
        f"## 8 bits against fp32 on real text: {name}, {texts} texts of {accuracy['source']}",
        "",
        "| | cosine to fp32, min / mean | |",
        "|---|---:|---|",
    ]
    for peer, row in sorted(accuracy["peers"].items(), key=lambda pair: -float(pair[1]["cosine_mean"])):
        counts = "" if is_eligible(peer, row, accuracy) else "not counted as a rival"
        lines.append(f"| {BY_NAME[peer].title} | {row['cosine_min']:.4f} / {row['cosine_mean']:.4f} | {counts} |")
    return [*lines, ""]


def parts_tables(parts: Result) -> list[str]:
    """Write where gtekit's time goes and what each part reaches of the ceiling."""
    lines = [
        f"## Parts of gtekit against the ceiling: {parts['texts']} mixed texts, {parts['tokens']:,} tokens",
        "",
        "The ceiling is a register-only loop in the same run, of the same precision.",
        "",
        "| precision | threads | part | seconds of a thread | GOP/s | share of the ceiling |",
        "|---|---:|---|---:|---:|---:|",
    ]
    for precision, content in parts["precisions"].items():
        for threads, reached in content["threads"].items():
            rows = reached["parts"] | {"**linear layers**": reached["linear"]}
            if reached["parts"]["quantize"]["seconds"]:
                rows["linear layers and quantize"] = reached["linear_and_quantize"]
            for part, row in rows.items():
                rate = f"{row['gops']:,.0f}" if "gops" in row else ""
                share = f"{row['share_of_ceiling']:.0%}" if "gops" in row else ""
                title = part.replace("_", " ")
                lines.append(f"| {precision} | {threads} | {title} | {row['seconds']:.3f} | {rate} | {share} |")
    return [*lines, ""]
