"""Tables as every writer takes them: cells of text. Numbers become text here, and in one way."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from gtekit.evaluation.published import Average

NOTHING = "-"


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: its text, and what has to be known about it, on a line of its own or in brackets."""

    text: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column's heading."""

    title: str
    note: str = ""
    short: str = ""  # in place of the title where room is scarce
    is_number: bool = True
    is_wide: bool = False  # left out where room is scarce
    is_long: bool = False  # sentences, which may go on in the next line


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that belong together, under a title."""

    rows: Sequence[Sequence[Cell]]
    title: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table and what has to be said beneath it."""

    caption: str
    columns: Sequence[Column]
    groups: Sequence[Group]
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the report."""

    name: str  # also the anchor on the HTML page
    heading: str
    paragraphs: Sequence[str] = ()
    tables: Sequence[Table] = ()
    plots: Sequence[str] = ()  # names of gtekit.evaluation.report.plots
    plots_after: int = 0  # tables


@dataclass(slots=True)
class Footnotes:
    """Numbered notes: equal texts share a number."""

    texts: list[str] = field(default_factory=list)

    def mark(self, texts: Sequence[str]) -> str:
        """Give the numbers of some notes, such as [1] [3]."""
        for text in texts:
            if text not in self.texts:
                self.texts.append(text)
        return " ".join(f"[{self.texts.index(text) + 1}]" for text in texts)

    def lines(self) -> list[str]:
        """Give every note with its number."""
        return [f"[{number}] {text}" for number, text in enumerate(self.texts, 1)]


def counted(count: int, thing: str = "task") -> str:
    """Give a number of things as people say it: 1 task, 2 tasks."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def points(value: float | None) -> str:
    """Give a score with the two decimals of the page."""
    return NOTHING if value is None else f"{value:.2f}"


def difference(value: float | None) -> str:
    """Give a difference with its sign; one that rounds to nothing has none."""
    if value is None:
        return NOTHING
    text = f"{value:+.2f}"
    return "0.00" if text in ("+0.00", "-0.00") else text


def interval(low: float | None, high: float | None) -> str:
    """Give the ends of an interval of scores."""
    return NOTHING if low is None or high is None else f"{low:.2f} to {high:.2f}"


def difference_interval(low: float | None, high: float | None) -> str:
    """Give the ends of an interval of differences."""
    return NOTHING if low is None or high is None else f"{difference(low)} to {difference(high)}"


def category_cell(average: Average) -> Cell:
    """Show the mean of a category, with the number of its tasks where some are missing."""
    if average.mean is None:
        return Cell(NOTHING)
    return Cell(points(average.mean), "" if average.is_whole else f"{average.tasks} of {average.of}")


def average_cell(average: Average) -> Cell:
    """Show the mean over all tasks; where some are missing, first of all how many there are."""
    if average.is_whole:
        return Cell(points(average.mean))
    return Cell(f"{average.tasks} of {average.of}", f"mean {average.mean:.2f}" if average.mean is not None else "")


def gigabytes(size_gb: float | None) -> str:
    """Give a size as the page does."""
    return NOTHING if size_gb is None else f"{size_gb:.2f}"


def megabytes(size_bytes: int | None) -> str:
    """Give the memory of weights."""
    return NOTHING if size_bytes is None else f"{size_bytes / 1e6:,.0f} MB"


def number(value: float | None, digits: int = 0) -> str:
    """Give a number with commas between the thousands."""
    return NOTHING if value is None else f"{value:,.{digits}f}"


def speed(value: float | None) -> str:
    """Give texts a second, slow ones with a decimal."""
    return NOTHING if value is None else number(value, 0 if value >= 100 else 1)


def ratio(value: float | None) -> str:
    """Give how many times as much something is."""
    return NOTHING if value is None else f"x {value:.2f}"


def cells(*texts: str) -> list[Cell]:
    """Make a row of plain cells."""
    return [Cell(text) for text in texts]
