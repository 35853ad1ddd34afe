"""The pictures of a report: bars of all peers, and gtekit's parts under the ceiling."""

from pathlib import Path
from typing import Any

from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.panels import Panel, ordered
from benchmarks.peers.catalog import BY_NAME, OWN

Result = dict[str, Any]
OWN_COLOR = "#c2410c"
COLORS = {"float32": "#64748b", "int8": "#a5b4c4"}


def prepare() -> None:
    pyplot.switch_backend("Agg")  # files only: no display is needed
    pyplot.rcParams["svg.fonttype"] = "none"  # text stays text: less than half the size


def save(figure: Figure, folder: Path, name: str) -> None:
    for ending in ("svg", "png"):
        figure.savefig(folder / f"{name}.{ending}", dpi=120)
    pyplot.close(figure)


def draw_panel(panel: Panel, axes: Axes) -> None:
    """Draw a group of bars, the best on top."""
    bars = [bar for precision in OWN for bar in ordered(panel, precision)]
    values = [float(row[panel.value]) for _, row in bars]
    colors = [OWN_COLOR if name in OWN.values() else COLORS[BY_NAME[name].precision] for name, _ in bars]
    drawn = axes.barh([BY_NAME[name].title for name, _ in bars], values, color=colors)
    axes.bar_label(drawn, [f"{value:,.3g}" if value < 100 else f"{value:,.0f}" for value in values], padding=3)
    axes.invert_yaxis()
    axes.set_xlim(0, max(values) * 1.12)
    direction = "more" if panel.more_is_better else "less"
    axes.set_title(f"{panel.title} [{panel.unit}, {direction} is better]", fontsize=10, loc="left")
    axes.spines[["top", "right"]].set_visible(False)


def draw_bars(panels: list[Panel], folder: Path, subtitle: str) -> None:
    """Draw a group of bars for each panel."""
    prepare()
    rows = max(len(panel.peers) for panel in panels)
    size = (9, (0.28 * rows + 0.9) * len(panels))
    figure, all_axes = pyplot.subplots(len(panels), 1, figsize=size, layout="constrained", squeeze=False)
    figure.suptitle(subtitle, fontsize=9, color="#475569")
    for panel, axes in zip(panels, all_axes[:, 0], strict=True):
        draw_panel(panel, axes)
    save(figure, folder, "report")


def draw_parts(precision: str, threads: str, reached: Result, axes: Axes) -> None:
    """Draw what each part reaches, and the ceilings as lines."""
    rows = {part: row for part, row in reached["parts"].items() if "gops" in row}
    drawn = axes.barh(
        [part.replace("_", " ") for part in rows], [row["gops"] for row in rows.values()], color=OWN_COLOR
    )
    labels = [f"{row['gops']:,.0f} ({row['share_of_ceiling']:.0%} of {row['against']})" for row in rows.values()]
    axes.bar_label(drawn, labels, padding=3)
    axes.invert_yaxis()
    for against in dict.fromkeys(("float32", precision)):
        ceiling = reached["ceiling_gops"][against]
        axes.axvline(ceiling, color=COLORS[against], linestyle="--")
        axes.annotate(
            f"{against} ceiling {ceiling:,.0f}", (ceiling, 1.0), xycoords=("data", "axes fraction"), fontsize=8
        )
    widest = max(reached["ceiling_gops"][precision], *(row["gops"] for row in rows.values()))
    axes.set_xlim(0, widest * 1.45)
    axes.set_title(f"{precision}, {threads} threads [GOP/s]", fontsize=10, loc="left", pad=16)
    axes.spines[["top", "right"]].set_visible(False)


def draw_roofline(parts: Result, folder: Path, subtitle: str) -> None:
    """Draw the parts of both precisions and all numbers of threads under their ceilings."""
    prepare()
    runs = [
        (precision, threads, reached)
        for precision, content in parts["precisions"].items()
        for threads, reached in content["threads"].items()
    ]
    figure, all_axes = pyplot.subplots(len(runs), 1, figsize=(9, 2.3 * len(runs)), layout="constrained", squeeze=False)
    figure.suptitle(subtitle, fontsize=9, color="#475569")
    for (precision, threads, reached), axes in zip(runs, all_axes[:, 0], strict=True):
        draw_parts(precision, threads, reached, axes)
    save(figure, folder, "roofline")
