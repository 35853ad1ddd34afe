"""The result of a soak as Markdown, and its memory as a picture."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.serving.memory import grows

Result = Mapping[str, Any]
COUNTS = ("requests", "right", "expected_errors", "refused", "while_down")
SHOWN_FAULTS = 20


def faults_of(result: Result) -> list[str]:
    """List all that was wrong."""
    faults = [f"{kind}: {fault}" for kind, tally in result["kinds"].items() for fault in tally["wrong"]]
    for number, life in enumerate(result["lives"], 1):
        if life["exit_code"] != 0:
            faults.append(f"server {number} ended with {life['exit_code']}, expected 0")
        if grows(life):
            faults.append(f"server {number} had {life['late_growth']:.1%} more memory in its last quarter than before")
    for name, value in result["left_over"].items():
        if value > name.endswith("in_flight"):  # the request that asks is one
            faults.append(f"{name} is {value:g} once all clients have ended")
    return faults + [f"a client of the soak failed: {failure}" for failure in result["failures_of_the_soak"]]


def report(result: Result) -> str:
    """Write the tables."""
    machine, faults = result["machine"], faults_of(result)
    lines = [
        "# Mixed load, and SIGTERM at half time",
        "",
        f"{result['seconds'] / 60:.1f} minutes; {result['model']}, {result['precision']}, {result['texts']:,} texts; "
        f"{machine['cpu']}, {machine['cores']} cores, which clients and server share. Load before and after: "
        f"{machine['load_before']}, {machine['load_after']}. Commit {machine['commit']}, {machine['date']}. Command: "
        f"`{machine['command']}`. Server: `gtekit serve {' '.join(result['flags'])}`.",
        "",
        f"Faults: {len(faults)}. Long requests that were hung up on: {result['aborted']}.",
        *(f"- {fault}" for fault in faults[:SHOWN_FAULTS]),
        "",
        "Right: 200, every vector the library's to the last bit. Expected errors: the status and the body that the "
        "request deserves. Refused: 429 or 503 with retry-after. While down: sent after SIGTERM, to nobody.",
        "",
        "| kind | requests | right | expected errors | refused | while down | wrong |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for kind, tally in result["kinds"].items():
        cells = " | ".join(f"{tally[name]:,}" for name in COUNTS)
        lines.append(f"| {kind} | {cells} | {len(tally['wrong'])} |")
    totals = " | ".join(f"{sum(tally[name] for tally in result['kinds'].values()):,}" for name in COUNTS)
    wrong = sum(len(tally["wrong"]) for tally in result["kinds"].values())
    lines += [f"| all | {totals} | {wrong} |", "", *lives_table(result)]
    return "\n".join(lines) + "\n"


def lives_table(result: Result) -> list[str]:
    lines = [
        "| server | exit code | SIGTERM to end | peak, first minute | later | growth | afterwards | last quarter |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for number, life in enumerate(result["lives"], 1):
        lines.append(
            f"| {number} | {life['exit_code']} | {life['stop_s']:.2f} s | {life['peak_warm_mib']:.1f} MiB | "
            f"{life['peak_later_mib']:.1f} MiB | {life['growth_mib']:+.1f} MiB | {life['mib_per_hour']:+.1f} MiB/h | "
            f"{life['late_growth']:+.1%} |"
        )
    return lines


def draw(result: Result, folder: Path) -> None:
    """Draw the memory of both servers, where matplotlib is installed."""
    try:
        from matplotlib import pyplot
    except ModuleNotFoundError:
        return
    pyplot.switch_backend("Agg")  # files only: no display is needed
    pyplot.rcParams["svg.fonttype"] = "none"
    figure, axes = pyplot.subplots(figsize=(9, 3.2), layout="constrained")
    for number, life in enumerate(result["lives"], 1):
        known = [(at / 60, mib) for at, mib in life["samples"] if mib]
        axes.plot(*zip(*known, strict=True), label=f"server {number}: {life['mib_per_hour']:+.1f} MiB/h", linewidth=1)
    axes.set(xlabel="minutes", ylabel="resident set, MiB", ylim=(0, None))
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    for ending in ("svg", "png"):
        figure.savefig(folder / f"memory.{ending}", dpi=120)
    pyplot.close(figure)
