"""Whether probabilities keep their word: bins of predicted and observed shares, the usual measures, and the plot."""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from gtekit.arrays import Array
from gtekit.errors import ArgumentError, ShapeError
from gtekit.files import replace_when_complete
from gtekit.inputs import check_count
from gtekit.tasks.intervals import wilson
from gtekit.tasks.plots import check_plot as check_plot

BINS = 10
NOTE_CHARS = 68  # as many fit below the picture
Axes: TypeAlias = Any  # of matplotlib, which has no types


@dataclass(frozen=True, slots=True)
class Bin:
    """The pairs whose probability lies between two numbers."""

    begin: float
    end: float  # exclusive, but for the last
    count: int
    predicted: float  # mean probability
    observed: float  # share of pairs labelled 1
    low: float  # 95 % interval of the share by Wilson's formula
    high: float


@dataclass(frozen=True, slots=True)
class Reliability:
    """Predicted against observed: bins of equal width, empty ones left out, and measures over all pairs."""

    bins: tuple[Bin, ...]
    count: int
    log_loss: float  # mean of -log(probability of what was the case), smaller is better
    brier: float  # mean squared distance between probability and label
    ece: float  # expected calibration error: |predicted - observed|, averaged over pairs by their bins

    def as_json(self) -> dict[str, Any]:
        """Give names and numbers for a JSON file."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Reliability":
        """Read what `as_json` gave. Whatever is missing or too much is a TypeError or a KeyError."""
        return cls(**{**values, "bins": tuple(Bin(**entry) for entry in values["bins"])})


def reliability(probabilities: Array, labels: Array, *, bins: int = BINS) -> Reliability:
    """Compare probabilities with labels.

    Args:
        probabilities: Shape (N,), 0 to 1.
        labels: Shape (N,), 0 or 1.
        bins: How many, of equal width from 0 to 1.

    Raises:
        ShapeError: If the shapes differ or there is nothing.
        ArgumentError: If a value is not possible.
    """
    check_count("bins", bins)
    predicted, observed = np.asarray(probabilities, np.float64), np.asarray(labels, np.float64)
    if predicted.shape != observed.shape or predicted.ndim != 1 or not len(predicted):
        raise ShapeError(
            f"probabilities have shape {predicted.shape}, labels {observed.shape}; one of each for every pair."
        )
    if not ((predicted >= 0) & (predicted <= 1)).all():
        raise ArgumentError("probabilities must be numbers from 0 to 1. Cosines? Give them to Calibration.probability.")
    if not np.isin(observed, (0.0, 1.0)).all():
        raise ArgumentError("labels must be 0 or 1.")
    places = np.minimum((predicted * bins).astype(np.int64), bins - 1)
    found = tuple(
        _bin(place / bins, (place + 1) / bins, predicted[places == place], observed[places == place])
        for place in np.unique(places).tolist()
    )
    tiny = np.finfo(np.float64).tiny
    likely = np.where(observed == 1, predicted, 1 - predicted)
    return Reliability(
        bins=found,
        count=len(predicted),
        log_loss=float(-np.log(np.maximum(likely, tiny)).mean()),
        brier=float(((predicted - observed) ** 2).mean()),
        ece=sum(entry.count * abs(entry.predicted - entry.observed) for entry in found) / len(predicted),
    )


def plot_reliability(found: Reliability, path: Path | str, *, title: str = "", note: str = "") -> None:
    """Draw predicted against observed shares, and how many pairs lie in each bin, into an .svg or .png file.

    Args:
        found: What `reliability` gave.
        path: The file; it appears when it is complete, and loads nothing from elsewhere.
        title: Above the picture.
        note: Below it, cut into lines.

    Raises:
        ArgumentError: If the name ends in something else.
        FileFormatError: If no file can be made there.
        MissingExtraError: If matplotlib is not installed.
    """
    path = Path(path)
    check_plot(path)
    import matplotlib
    from matplotlib.figure import Figure

    form = path.suffix.lower().removeprefix(".")
    with matplotlib.rc_context({"svg.hashsalt": "gtekit", "svg.fonttype": "path"}):  # the same bytes every time
        figure = Figure(figsize=(6.4, 6.8), layout="constrained")
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        _draw_shares(upper, found)
        _draw_counts(lower, found.bins)
        figure.suptitle(title, parse_math=False)  # a $ in a name is a $
        lines = ["predicted probability", *textwrap.wrap(note, NOTE_CHARS)]
        lower.set_xlabel("\n".join(lines), parse_math=False)
        with replace_when_complete(path) as temporary:
            figure.savefig(temporary, format=form, dpi=150, metadata={"Date": None} if form == "svg" else {})


def _bin(begin: float, end: float, predicted: Array, observed: Array) -> Bin:
    low, high = wilson(int(observed.sum()), len(observed))
    return Bin(begin, end, len(observed), float(predicted.mean()), float(observed.mean()), low, high)


def _draw_shares(axes: Axes, found: Reliability) -> None:
    bins = found.bins
    shares = [entry.observed for entry in bins]
    errors = [[entry.observed - entry.low for entry in bins], [entry.high - entry.observed for entry in bins]]
    axes.plot([0, 1], [0, 1], color="0.6", linestyle="--", linewidth=1, label="perfect")
    predicted = [entry.predicted for entry in bins]
    axes.errorbar(predicted, shares, yerr=errors, marker="o", capsize=3, label="observed, with 95 % intervals")
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), ylabel="share of pairs labelled 1")
    axes.grid(color="0.9")
    axes.legend(loc="upper left", frameon=False)
    measures = f"log loss {found.log_loss:.4f}\nBrier {found.brier:.4f}\nECE {found.ece:.4f}\n{found.count:,} pairs"
    axes.text(0.98, 0.02, measures, transform=axes.transAxes, ha="right", va="bottom")


def _draw_counts(axes: Axes, bins: Sequence[Bin]) -> None:
    centers = [(entry.begin + entry.end) / 2 for entry in bins]
    counts = [entry.count for entry in bins]
    bars = axes.bar(centers, counts, width=[0.9 * (entry.end - entry.begin) for entry in bins], color="0.7")
    axes.bar_label(bars, [f"{count:,}" for count in counts], fontsize=8, padding=1)
    axes.set(ylabel="pairs", ylim=(0, 1.18 * max(counts)))
