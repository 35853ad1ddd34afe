"""Turn the JSON files of a results folder into report.md, figures.json and pictures. Runs in the peers' environment.

python -m benchmarks.report benchmarks/results/small
"""

import argparse
import json
from pathlib import Path
from typing import Any

from benchmarks.eligibility import MIN_COSINE, find_accuracy
from benchmarks.figures import as_json, figures_of, figures_table
from benchmarks.panels import accuracy_table, panels_of, parts_tables, table
from benchmarks.peers.catalog import BY_NAME, GTEKIT
from benchmarks.plots import draw_bars, draw_roofline

Result = dict[str, Any]
QUESTIONS = ("throughput", "latency", "cold_start", "parts", "stream")
OTHER_SHAPES = ("base", "large")  # their bulk speed is a figure of the report of the small one, too


def read(file: Path) -> Result:
    """Read a result."""
    result: Result = json.loads(file.read_text(encoding="utf-8"))
    return result


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


def who_counts(accuracy: Result) -> list[str]:
    """Say by what the rivals were chosen."""
    by = f"on {accuracy['checkpoint']['name']}" if accuracy else "in this run: no accuracy.json was found"
    return [f"An 8-bit program counts as a rival if its mean cosine to fp32 is at least {MIN_COSINE}, {by}.", ""]


def failures_of(results: dict[str, Result]) -> list[str]:
    """Say which peers could not run this checkpoint."""
    failures = {name: why for result in results.values() for name, why in result.get("failures", {}).items()}
    lines = [f"- {BY_NAME[name].title} could not run this checkpoint: {why}" for name, why in failures.items()]
    return [*lines, ""] if lines else []


def other_shape(results: dict[str, Result]) -> str:
    """Name the shape of the checkpoint if it is base or large."""
    name = next(iter(results.values()))["checkpoint"]["name"]
    return next((shape for shape in OTHER_SHAPES if name.startswith(f"gte-{shape} ")), "")


def throughput_beside(folder: Path, results: dict[str, Result]) -> dict[str, Result]:
    """Read the throughput of the other shapes: of this folder if it is one of them, else of those beside it."""
    if shape := other_shape(results):
        return {shape: results["throughput"]} if "throughput" in results else {}
    files = {shape: folder.parent / shape / "throughput.json" for shape in OTHER_SHAPES}
    return {shape: read(file) for shape, file in files.items() if file.is_file()} if folder.name == "small" else {}


def write_report(folder: Path, results: dict[str, Result], accuracy: Result) -> list[str]:
    """Write figures.json and give the lines of the report."""
    first = next(iter(results.values()))
    own = (
        {} if folder.name in OTHER_SHAPES else results
    )  # the figures without a shape in their name are the small one's
    figures = figures_of(own, throughput_beside(folder, results), accuracy)
    content = {"checkpoint": first["checkpoint"], "machine": first["machine"], "figures": as_json(figures)}
    (folder / "figures.json").write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    lines = [f"# {first['checkpoint']['name']} on {first['machine']['cpu']}", ""]
    lines += [*figures_table(figures), *who_counts(accuracy), *failures_of(results), *provenance(results)]
    panels = panels_of(results)
    if panels:
        lines += ["![all results](report.svg)", ""]
    for panel in panels:
        if panel.columns:
            lines += table(panel, accuracy)
    if "parts" in results:
        lines += [*parts_tables(results["parts"]), "![parts under the ceiling](roofline.svg)", ""]
    if accuracy:
        lines += accuracy_table(accuracy)
    return [*lines, f"How it is measured, and what to keep in mind: [benchmarks/README.md]({'../' * 2}README.md)"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where throughput.json and the other results are")
    folder: Path = parser.parse_args().folder.resolve()
    files = {question: folder / f"{question}.json" for question in QUESTIONS}
    results = {question: read(file) for question, file in files.items() if file.is_file()}
    if not results:
        raise SystemExit(f"{folder} holds none of {', '.join(file.name for file in files.values())}.")
    lines = write_report(folder, results, find_accuracy(folder))
    (folder / "report.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    machine, name = next(iter(results.values()))["machine"], next(iter(results.values()))["checkpoint"]["name"]
    subtitle = f"{name} · {machine['cpu']} · {machine['date']}"
    if panels := panels_of(results):
        draw_bars(panels, folder, subtitle)
    if "parts" in results:
        draw_roofline(results["parts"], folder, subtitle)
    print("\n".join(lines))


if __name__ == "__main__":
    main()
