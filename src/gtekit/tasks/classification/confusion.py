"""Which labels are taken for which: the confusion matrix, counted and drawn."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gtekit.arrays import Ints
from gtekit.errors import ShapeError
from gtekit.files import replace_when_complete
from gtekit.tasks.classification.labels import Label
from gtekit.tasks.plots import check_plot as check_plot

MOST_CLASSES = 80  # drawn; of more, those with the most errors
INCHES = 0.26  # for a class
NO_LABEL = "(no label)"


@dataclass(frozen=True, slots=True)
class Confusion:
    """How many texts of each class got each label."""

    classes: tuple[Label, ...]
    counts: Ints  # (C, C + 1): rows are what is true, columns what was given, the last one: no label

    @property
    def texts(self) -> int:
        """How many texts were counted."""
        return int(self.counts.sum())

    @property
    def right(self) -> int:
        """How many got their own label."""
        return int(np.trace(self.counts[:, :-1]))

    @property
    def unlabelled(self) -> int:
        """How many got none."""
        return int(self.counts[:, -1].sum())


def confusion(truths: Sequence[Label], given: Sequence[Label | None], classes: Sequence[Label]) -> Confusion:
    """Count what was given for what is true.

    Args:
        truths: The true label of each text.
        given: The label that it got; None: none.
        classes: In their order. Labels that are not among them come after them.

    Raises:
        ShapeError: If the two are not equally many.
    """
    if len(truths) != len(given):
        raise ShapeError(f"there are {len(truths):,} true labels and {len(given):,} given ones; each text has both.")
    others = {*truths, *(label for label in given if label is not None)} - set(classes)
    every = (*classes, *sorted(others, key=str))
    numbers: dict[Label | None, int] = {label: number for number, label in enumerate(every)}
    numbers[None] = len(every)
    counts = np.zeros((len(every), len(every) + 1), np.int64)
    np.add.at(counts, ([numbers[label] for label in truths], [numbers[label] for label in given]), 1)
    return Confusion(every, counts)


def draw_confusion(found: Confusion, path: Path, *, title: str) -> None:
    """Draw a confusion matrix as .svg or .png: colour is the share of a true label, numbers are texts.

    Raises:
        ArgumentError: If the name ends in neither.
        FileFormatError: If no file can be made there.
        MissingExtraError: If matplotlib is not installed.
    """
    check_plot(path)
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    shown, note = _most_confused(found)
    names = [_short(label) for label in shown.classes]
    columns = [*names, *([NO_LABEL] if shown.unlabelled else [])]
    counts = shown.counts[:, : len(columns)]
    shares = counts / np.maximum(shown.counts.sum(axis=1, keepdims=True), 1)
    side = 2.6 + INCHES * max(len(columns), 6)
    # names of files that a plot refers to inside itself are random without a salt: equal plots, equal bytes
    with rc_context({"svg.hashsalt": "gtekit", "svg.fonttype": "none", "font.family": "sans-serif"}):
        figure = Figure(figsize=(side, side), layout="constrained")
        axes = figure.subplots()
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        # a $ in a label or a name of a file begins no formula
        axes.set_xticks(range(len(columns)), columns, rotation=90, fontsize=7, parse_math=False)
        axes.set_yticks(range(len(names)), names, fontsize=7, parse_math=False)
        axes.set_xlabel("label that was given")
        axes.set_ylabel("true label")
        axes.set_title(f"{title}\n{_summary(found)}{note}", fontsize=9, parse_math=False)
        for row, column in zip(*np.nonzero(counts), strict=True):
            color = "white" if shares[row, column] > 0.5 else "black"
            axes.text(column, row, f"{counts[row, column]:,}", ha="center", va="center", fontsize=5.5, color=color)
        form = path.suffix.lower().removeprefix(".")
        with replace_when_complete(path) as temporary, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of letters that the font lacks: boxes in a .png, themselves in an .svg
            figure.savefig(temporary, format=form, dpi=150, metadata={"Date": None} if form == "svg" else None)


def _most_confused(found: Confusion) -> tuple[Confusion, str]:
    """Keep the classes that take part in the most errors, in their order, and say so."""
    if len(found.classes) <= MOST_CLASSES:
        return found, ""
    square = found.counts[:, :-1]
    errors = found.counts.sum(axis=1) + square.sum(axis=0) - 2 * np.diag(square)
    rows = np.sort(np.argsort(-errors, kind="stable")[:MOST_CLASSES])
    counts = found.counts[np.ix_(rows, np.append(rows, len(found.classes)))]
    note = f"; shown are the {MOST_CLASSES} of {len(found.classes):,} labels with the most errors"
    return Confusion(tuple(found.classes[row] for row in rows), counts), note


def _summary(found: Confusion) -> str:
    answered = found.texts - found.unlabelled
    unlabelled = f", {found.unlabelled:,} without a label" if found.unlabelled else ""
    return f"{found.right:,} of {answered:,} right{unlabelled}"


def _short(label: Label) -> str:
    text = "".join(char if char.isprintable() else " " for char in str(label))
    return text if len(text) <= 40 else f"{text[:39]}…"
