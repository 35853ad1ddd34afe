"""Score against speed and against size: a mark for each model, all over the same tasks."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot, log10

from gtekit.evaluation.report.content import Point, Report, Scatter
from gtekit.evaluation.report.plots.place import Box, Placed, place_labels
from gtekit.evaluation.report.plots.svg import Drawing, Plot, log_ticks, shorten, tick_text, ticks
from gtekit.evaluation.report.tables import counted

KEY_ROW, MARK, LONGEST_LABEL = 20.0, 6.0, 300.0
SMALLEST_SPAN = 0.4  # powers of ten: one model alone still has an axis


@dataclass(frozen=True, slots=True)
class _Axes:
    """Where a value lies in the frame."""

    frame: Box
    x: tuple[float, float]  # powers of ten
    y: tuple[float, float]

    def at(self, point: Point) -> tuple[float, float]:
        return self.at_x(point.x), self.at_y(point.y)

    def at_x(self, value: float) -> float:
        return self.frame.x + self.frame.width * (log10(value) - self.x[0]) / (self.x[1] - self.x[0])

    def at_y(self, value: float) -> float:
        return self.frame.y + self.frame.height * (1 - (value - self.y[0]) / (self.y[1] - self.y[0]))


def draw_speed(report: Report) -> list[Plot]:
    """Draw score against texts a second, or say why not."""
    return [_plot(report, report.by_speed, "Score and speed", "texts a second")]


def draw_size(report: Report) -> list[Plot]:
    """Draw score against size, with the models of the page for comparison, or say why not."""
    found = report.by_size
    about = " Hollow: published models of the page, by the size of their files; filled: measured, by memory."
    return [_plot(report, found, "Score and size", "GB", about)]


def _plot(report: Report, found: Scatter, title: str, unit: str, about: str = "") -> Plot:
    left_out = (
        f" Left out, with too few tasks or without the number: {', '.join(found.left_out)}." if found.left_out else ""
    )
    if not found.points:
        return Plot(title, f"Nothing to draw: {found.why_empty}.{left_out}")
    count = counted(len(found.tasks))
    said = f"Mean score over the {count} that all of them have: {', '.join(found.tasks)}.{about}{left_out}"
    label = f"{title}: " + "; ".join(
        f"{one.label} {one.y:.2f} at {tick_text(_round(one.x))} {unit}" for one in found.points
    )
    labels = report.labels
    return Plot(title, said, *(_draw(found.points, labels, (width, unit, label)) for width in (760.0, 360.0)))


def _draw(points: Sequence[Point], labels: Sequence[str], how: tuple[float, str, str]) -> str:
    width, unit, label = how
    is_wide = width > 500
    drawing = Drawing(width)
    frame = Box(46, 26, width - 62, 330 if is_wide else 260)
    axes = _Axes(frame, _powers(points), _range(points))
    _draw_axes(drawing, axes, unit, 8 if is_wide else 5)
    y = frame.y + frame.height + 52
    # on a phone there is no room for names among the marks: they have numbers there, and the names stand beneath
    texts = [shorten(point.label, LONGEST_LABEL) if is_wide else str(number) for number, point in enumerate(points, 1)]
    placed = place_labels([axes.at(point) for point in points], texts, frame)
    _lines(drawing, axes, points, placed)
    _marks(drawing, axes, points, labels)
    for one in placed:
        drawing.text(one.box.x + 2, one.box.y + 12, one.text, "small label")
    for number, point in enumerate(points if not is_wide else (), 1):
        _mark(drawing, (8, y - 4), point, labels)
        drawing.text(24, y, shorten(f"{number}  {point.label}", width - 26), "small")
        y += KEY_ROW
    return drawing.svg(y - 6, label)


def _draw_axes(drawing: Drawing, axes: _Axes, unit: str, most: int) -> None:
    frame = axes.frame
    bottom = frame.y + frame.height
    drawing.text(0, 14, "score, points", "soft")
    for value in ticks(*axes.y, 6):
        y = axes.at_y(value)
        drawing.line(frame.x, y, frame.x + frame.width, y, "grid")
        drawing.text(frame.x - 8, y + 4, tick_text(value), "soft", "end")
    for value in log_ticks(10 ** axes.x[0], 10 ** axes.x[1], most):
        x = axes.at_x(value)
        drawing.line(x, frame.y, x, bottom, "grid")
        drawing.text(x, bottom + 17, tick_text(value), "soft", "middle")
    drawing.line(frame.x, bottom, frame.x + frame.width, bottom, "axis")
    drawing.text(frame.x + frame.width, bottom + 34, f"{unit} (logarithmic)", "soft", "end")


def _lines(drawing: Drawing, axes: _Axes, points: Sequence[Point], placed: Sequence[Placed]) -> None:
    for point, one in zip(points, placed, strict=True):
        if one.is_far:
            x, y = axes.at(point)
            near = min(max(x, one.box.x), one.box.x + one.box.width)
            drawing.line(x, y, near, one.box.y + (one.box.height if one.box.y < y else 0), "leader")


def _marks(drawing: Drawing, axes: _Axes, points: Sequence[Point], labels: Sequence[str]) -> None:
    """Draw every mark; of several in one place the later ones are larger and lie beneath, so that all are seen."""
    places = [axes.at(point) for point in points]
    sizes = [
        MARK + 4 * sum(hypot(x - places[number][0], y - places[number][1]) < MARK for x, y in places[:number])
        for number in range(len(points))
    ]
    for number in sorted(range(len(points)), key=lambda number: -sizes[number]):
        _mark(drawing, places[number], points[number], labels, sizes[number])


def _mark(drawing: Drawing, at: tuple[float, float], point: Point, labels: Sequence[str], size: float = MARK) -> None:
    if point.is_measured:
        drawing.mark(*at, labels.index(point.label), size)
    else:
        drawing.dot(*at, size - 1, "reference")


def _powers(points: Sequence[Point]) -> tuple[float, float]:
    low, high = log10(min(point.x for point in points)), log10(max(point.x for point in points))
    margin = max(0.12 * (high - low), (SMALLEST_SPAN - (high - low)) / 2, 0.05)
    return low - margin, high + margin


def _range(points: Sequence[Point]) -> tuple[float, float]:
    low, high = min(point.y for point in points), max(point.y for point in points)
    margin = max(0.15 * (high - low), 0.5)
    return low - margin, high + margin


def _round(value: float) -> float:
    return float(f"{value:.3g}")
