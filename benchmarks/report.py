"""Turn the JSON files of a results folder into report.md, report.svg and report.png. Runs in the peers' environment.

python -m benchmarks.report benchmarks/results/small
"""

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib import pyplot

from benchmarks.peers.catalog import BY_NAME, GTEKIT
from benchmarks.workloads import WORKLOADS

Result = dict[str, Any]
QUESTIONS = ("throughput", "latency", "cold_start")
COLORS = {"gtekit": "#c2410c", "float32": "#64748b", "int8": "#a5b4c4"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One table and one group of bars."""

    title: str
    detail: str = ""  # after the title, in the table only
    value: str  # the field that the bars show
    unit: str
    more_is_better: bool
    peers: Result
    columns: dict[str, Callable[[Result], str]]


def ratio(row: Result) -> str:
    value = row.get("gtekit_speed_ratio")
    return "" if value is None else f"{value:.2f} x"


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
    columns: dict[str, Callable[[Result], str]] = {
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
    lengths = content["distribution"]
    columns: dict[str, Callable[[Result], str]] = {
        "p50 ms": lambda row: f"{row['p50_ms']:.2f}",
        "p90 ms": lambda row: f"{row['p90_ms']:.2f}",
        "p99 ms": lambda row: f"{row['p99_ms']:.2f}",
        "p99/p50": lambda row: f"{row['p99_over_p50']:.2f}",
        "gtekit's speed over its": ratio,
        "cosine to fp32, min / mean": cosine,
        "best setting": setting,
    }
    title = f"one short query at a time (about {lengths['mean']:.0f} tokens)"
    return Panel(
        title=title, value="p50_ms", unit="ms, p50", more_is_better=False, peers=content["peers"], columns=columns
    )


def cold_start_panel(content: Result) -> Panel:
    columns: dict[str, Callable[[Result], str]] = {
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
    panels = [
        throughput_panel(name, content) for name, content in results.get("throughput", {}).get("workloads", {}).items()
    ]
    if "latency" in results:
        panels.append(latency_panel(results["latency"]))
    if "cold_start" in results:
        panels += [cold_start_panel(results["cold_start"]), memory_panel(results["cold_start"])]
    return panels


def ordered(panel: Panel, precision: str) -> list[tuple[str, Result]]:
    """Give the peers of a precision, the best first."""
    rows = [(name, row) for name, row in panel.peers.items() if BY_NAME[name].precision == precision]
    return sorted(rows, key=lambda pair: float(pair[1][panel.value]), reverse=panel.more_is_better)


def best_peer(panel: Panel, precision: str) -> str:
    """Say in one line how gtekit stands against the best of the others."""
    others = [(name, row) for name, row in ordered(panel, precision) if name != GTEKIT]
    if GTEKIT not in panel.peers or not others:
        return ""
    name, row = others[0]
    return f"gtekit runs at **{ratio(row)}** the speed of the best other fp32 program here ({BY_NAME[name].title})."


def table(panel: Panel) -> list[str]:
    """Write a table: gtekit and fp32 peers, then the 8-bit ones, which answer less exactly."""
    lines = [f"## {panel.title[0].upper()}{panel.title[1:]}{panel.detail}", ""]
    if line := best_peer(panel, "float32"):
        lines += [line, ""]
    lines += [f"| | {' | '.join(panel.columns)} |", "|---" + "|---:" * len(panel.columns) + "|"]
    for precision in ("float32", "int8"):
        for name, row in ordered(panel, precision):
            title = f"**{BY_NAME[name].title}**" if name == GTEKIT else BY_NAME[name].title
            lines.append(f"| {title} | {' | '.join(write(row) for write in panel.columns.values())} |")
    return [*lines, ""]


def provenance(results: dict[str, Result]) -> list[str]:
    """Say on what and how this was measured."""
    first = next(iter(results.values()))
    machine, checkpoint = first["machine"], first["checkpoint"]
    facts = {name: value for peer in first.get("facts", {}).values() for name, value in peer.items()}
    versions = ", ".join(f"{name} {value}" for name, value in sorted(facts.items()) if name not in ("threads", "isa"))
    own = first.get("facts", {}).get(GTEKIT, {})
    lines = [
        f"- Checkpoint: {checkpoint['name']} ({checkpoint['shape']}, {checkpoint['pooling']} pooling)",
        f"- CPU: {machine['cpu']}, {machine['cores']} cores, {machine['memory']}; {machine['isa']}",
        f"- System: {machine['os']}, Python {machine['python']}",
        f"- Versions: {versions}",
    ]
    if own:
        lines.append(f"- gtekit ran its {own['isa']} kernels on {own['threads']} threads")
    lines.append(f"- Commit: {machine['commit']}")
    for question, result in results.items():
        run = result["machine"]
        lines.append(
            f"- {question}: {run['date']}, {result['rounds']} rounds, load {run['load_before']} before and "
            f"{run['load_after']} after, `{run['command']}`"
        )
    return [*lines, ""]


def draw(panels: list[Panel], folder: Path, subtitle: str) -> None:
    """Draw a group of bars for each panel, the best on top."""
    pyplot.switch_backend("Agg")  # files only: no display is needed
    pyplot.rcParams["svg.fonttype"] = "none"  # text stays text: less than half the size
    rows = max(len(panel.peers) for panel in panels)
    figure, all_axes = pyplot.subplots(
        len(panels), 1, figsize=(9, (0.28 * rows + 0.9) * len(panels)), layout="constrained", squeeze=False
    )
    figure.suptitle(subtitle, fontsize=9, color="#475569")
    for panel, axes in zip(panels, all_axes[:, 0], strict=True):
        bars = ordered(panel, "float32") + ordered(panel, "int8")
        values = [float(row[panel.value]) for _, row in bars]
        colors = [COLORS[GTEKIT] if name == GTEKIT else COLORS[BY_NAME[name].precision] for name, _ in bars]
        drawn = axes.barh([BY_NAME[name].title for name, _ in bars], values, color=colors)
        axes.bar_label(drawn, [f"{value:,.3g}" if value < 100 else f"{value:,.0f}" for value in values], padding=3)
        axes.invert_yaxis()
        axes.set_xlim(0, max(values) * 1.12)
        axes.set_title(
            f"{panel.title} [{panel.unit}, {'more' if panel.more_is_better else 'less'} is better]",
            fontsize=10,
            loc="left",
        )
        axes.spines[["top", "right"]].set_visible(False)
    for ending in ("svg", "png"):
        figure.savefig(folder / f"report.{ending}", dpi=120)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where throughput.json, latency.json and cold_start.json are")
    folder: Path = parser.parse_args().folder
    files = {question: folder / f"{question}.json" for question in QUESTIONS}
    results = {question: json.loads(file.read_text()) for question, file in files.items() if file.is_file()}
    if not results:
        raise SystemExit(f"{folder} holds none of {', '.join(file.name for file in files.values())}.")
    first = next(iter(results.values()))
    panels = panels_of(results)
    lines = [f"# {first['checkpoint']['name']} on {first['machine']['cpu']}", "", *provenance(results)]
    lines += ["![all results](report.svg)", ""]
    for panel in panels:
        if panel.columns:
            lines += table(panel)
    lines.append(f"How it is measured, and what to keep in mind: [benchmarks/README.md]({'../' * 2}README.md)")
    (folder / "report.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    draw(panels, folder, f"{first['checkpoint']['name']} · {first['machine']['cpu']} · {first['machine']['date']}")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
