"""Pictures of clusters as PNG: the map with its legend, and the curve behind the number of clusters."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np

from gtekit.files import replace_when_complete
from gtekit.tasks.clusters.count import DRAWS, CountChoice
from gtekit.tasks.clusters.map import LIGHT, ClusterMap, marker
from gtekit.tasks.clusters.result import NONE
from gtekit.tasks.plots import check_matplotlib as check_matplotlib

MARKS = {"circle": "o", "square": "s", "triangle": "^", "diamond": "D"}
DPI = 160
WIDTH, HEIGHT = 12.0, 8.4  # inches
LEGEND_ROWS, LEGEND_ENTRIES = 36, 72
NAME_CHARACTERS = 38
INK, SOFT, GRID, GREY = "#1d2433", "#586173", "#e6e8ec", "#9aa3b0"


def write_map_picture(path: Path, drawn: ClusterMap) -> None:
    """Draw a map of clusters with its legend, as PNG.

    Raises:
        MissingExtraError: If matplotlib is not installed.
    """
    figure = _figure(WIDTH, HEIGHT)
    axes = figure.add_axes((0.02, 0.09, 0.66, 0.82))
    _frame(axes)
    shown, labels = drawn.shown, drawn.clusters.labels
    size = float(np.clip(12_000 / max(len(shown), 1), 3, 42))
    grey = axes.scatter(
        *drawn.points[shown[labels[shown] == NONE]].T, s=0.4 * size, c=GREY, linewidths=0, alpha=0.45
    )  # fmt: skip
    handles = []
    for cluster in drawn.clusters.clusters:
        color, shape = marker(cluster.number)
        places = drawn.points[shown[labels[shown] == cluster.number]]
        cloud = axes.scatter(*places.T, s=size, c=LIGHT[color], marker=MARKS[shape], linewidths=0, alpha=0.8)
        handles.append((cloud, f"{_short(cluster.name, NAME_CHARACTERS)}  {cluster.size:,}"))
    with _without_glyph_warnings():
        _write_names(axes, drawn)
    handles = handles[:LEGEND_ENTRIES]
    if drawn.clusters.unassigned:
        handles.append((grey, f"no cluster  {drawn.clusters.unassigned:,}"))
    if handles:
        columns = ceil(len(handles) / LEGEND_ROWS)
        legend = figure.legend(
            *zip(*handles, strict=True), loc="upper left", bbox_to_anchor=(0.69, 0.92), frameon=False, fontsize=8.5,
            ncols=columns, markerscale=1.0, labelcolor=INK, columnspacing=0.8,
        )  # fmt: skip
        for handle, text in zip(legend.legend_handles, legend.get_texts(), strict=True):
            handle.set_sizes([34])
            text.set_parse_math(False)  # a dollar sign is no formula
    figure.text(0.02, 0.95, drawn.title, fontsize=17, weight="bold", color=INK, parse_math=False)
    figure.text(0.02, 0.02, "\n".join(drawn.notes), fontsize=8, color=SOFT, va="bottom", parse_math=False)
    _save(figure, path)


def write_count_picture(path: Path, choice: CountChoice) -> None:
    """Draw the criterion over the numbers of clusters that were tried, as PNG.

    Raises:
        MissingExtraError: If matplotlib is not installed.
    """
    figure = _figure(8.0, 4.6)
    axes = figure.add_axes((0.1, 0.14, 0.86, 0.7))
    means, spreads = np.array(choice.values), np.array(choice.spreads)
    axes.fill_between(choice.counts, means - spreads, means + spreads, color=LIGHT[0], alpha=0.15, linewidth=0)
    axes.plot(choice.counts, means, color=LIGHT[0], marker="o", markersize=4)
    axes.axvline(choice.best, color=LIGHT[1], linestyle="--", linewidth=1.2)
    axes.set_xlabel("clusters", color=SOFT, parse_math=False)
    axes.set_ylabel(choice.criterion.replace("_", "-"), color=SOFT, parse_math=False)
    axes.grid(color=GRID)
    axes.set_axisbelow(True)
    axes.tick_params(colors=SOFT)
    for side in axes.spines.values():
        side.set_visible(False)
    figure.text(0.1, 0.93, f"{choice.best} clusters", fontsize=14, weight="bold", color=INK, parse_math=False)
    criterion = choice.criterion.replace("_", "-")
    about = f"largest {criterion}; mean of {DRAWS} draws of {choice.sample_rows:,}, band: their spread"
    figure.text(0.1, 0.87, about, fontsize=9, color=SOFT, parse_math=False)
    _save(figure, path)


def _figure(width: float, height: float) -> Any:  # noqa: ANN401 - matplotlib has no types
    check_matplotlib()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure  # without pyplot: no window, no global state

    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def _save(figure: Any, path: Path) -> None:  # noqa: ANN401
    with replace_when_complete(path) as temporary, _without_glyph_warnings():
        figure.savefig(temporary, format="png")


@contextmanager
def _without_glyph_warnings() -> Iterator[None]:
    """Say nothing of letters that the font lacks: they are drawn as boxes, and nobody here can act on it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="(Glyph .* missing|Matplotlib currently does not support)")
        yield


def _frame(axes: Any) -> None:  # noqa: ANN401
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_aspect("equal", adjustable="datalim")
    for side in axes.spines.values():
        side.set_color(GRID)


def _halo() -> list[Any]:
    from matplotlib.patheffects import withStroke

    return [withStroke(linewidth=2.5, foreground="white")]


def _write_names(axes: Any, drawn: ClusterMap) -> None:  # noqa: ANN401
    """Write names in the middle of their clusters, the largest first, those that would hide another not at all."""
    shown, labels = drawn.shown, drawn.clusters.labels
    renderer = axes.figure.canvas.get_renderer()
    axes.apply_aspect()
    taken: list[Any] = []
    frame = axes.get_window_extent(renderer)
    for cluster in drawn.clusters.clusters:
        places = drawn.points[shown[labels[shown] == cluster.number]]
        if not len(places):
            continue
        text = axes.annotate(
            _short(cluster.name, 24), np.median(places, axis=0), fontsize=7.5, color=INK, ha="center", va="center",
            weight="bold", zorder=5, path_effects=_halo(), parse_math=False,
        )  # fmt: skip
        box = text.get_window_extent(renderer)
        is_inside = frame.x0 < box.x0 and box.x1 < frame.x1
        if not is_inside or any(box.overlaps(other) for other in taken):
            text.remove()
        else:
            taken.append(box)


def _short(name: str, characters: int) -> str:
    return name if len(name) <= characters else name[: characters - 1].rstrip(" ,") + "…"
