"""int8 minus float32, task by task: a dot for the difference, a line for its interval, around zero."""

from gtekit.evaluation.report.content import Comparison, Report, TaskDifference
from gtekit.evaluation.report.plots.svg import Drawing, Plot, shorten, text_width, tick_text, ticks
from gtekit.evaluation.report.tables import counted, difference

TITLE = "int8 minus float32"
ALLOWED, ALLOWED_MEAN = 0.2, 0.05  # points: what a task, and what the mean over tasks, may lose
TOP, ROW, NARROW_ROW = 34.0, 24.0, 44.0
NAME_BASE, CENTRE = 16.0, 12.0  # of a name from the top of its row; of a dot from the bottom
LEAST_SPAN = 0.25


def draw_precisions(report: Report) -> list[Plot]:
    """Draw one plot for each model that was measured in both precisions, or say why there is none."""
    if not report.precisions:
        return [Plot(TITLE, "Nothing to draw: no model was measured on the same tasks in float32 and in int8.")]
    return [_plot(comparison) for comparison in report.precisions]


def _plot(comparison: Comparison) -> Plot:
    bare = sum(one.low is None for one in comparison.tasks)
    about = (
        f"{counted(len(comparison.tasks))}, in points, and their mean in the last row. Dot: difference, filled where "
        f"it is real; line: 95 % interval. Band: ±{ALLOWED:g}. Dotted lines: ±{ALLOWED_MEAN:g}."
    )
    if bare:
        about += f" Of {bare} the interval is not known."
    return Plot(f"{comparison.first} minus {comparison.second}", about, *(_draw(comparison, w) for w in (760.0, 360.0)))


def _draw(comparison: Comparison, width: float) -> str:
    drawing = Drawing(width)
    is_wide = width > 500
    row = ROW if is_wide else NARROW_ROW
    names = [*(one.task for one in comparison.tasks), "mean"]
    left = min(max(map(text_width, names)) + 16, 290) if is_wide else 8.0
    right = width - (64 if is_wide else 56)
    span, middle = _span(comparison), (left + right) / 2
    scale = (right - left) / 2 / span
    _draw_ground(drawing, (middle, scale, span), row, len(names))
    for place, one in enumerate(comparison.tasks):
        y = TOP + place * row
        drawing.text(1, y + NAME_BASE, shorten(one.task, left - 10 if is_wide else width), "small")
        _whisker(drawing, one, (middle, scale), y + row - CENTRE)
        drawing.text(width, y + row - CENTRE + 4, difference(one.value), "small", "end")
    y = TOP + row * len(comparison.tasks)
    if comparison.mean is not None:
        drawing.text(1, y + NAME_BASE, "mean", "heading")
        drawing.mark(middle + comparison.mean * scale, y + row - CENTRE, 2, 5)
        drawing.text(width, y + row - CENTRE + 4, difference(comparison.mean), "heading", "end")
    return drawing.svg(y + row + 6, _label(comparison))


def _draw_ground(drawing: Drawing, axis: tuple[float, float, float], row: float, rows: int) -> None:
    """Draw the lines and the band behind all rows; where names have lines of their own, not behind those."""
    middle, scale, span = axis
    is_wide = drawing.width > 500
    for value in ticks(-span, span, 8 if is_wide else 5):
        drawing.text(middle + value * scale, TOP - 8, _signed(value), "soft", "middle")
    bottoms = [TOP + row * (at + 1) for at in range(rows)]
    parts = [(TOP, bottoms[-1])] if is_wide else [(bottom - ROW, bottom) for bottom in bottoms]
    for top, bottom in parts:
        drawing.rect(middle - ALLOWED * scale, top, 2 * ALLOWED * scale, bottom - top, "band")
        for value in ticks(-span, span, 8 if is_wide else 5):
            drawing.line(middle + value * scale, top, middle + value * scale, bottom, "grid")
        for value in (-ALLOWED_MEAN, ALLOWED_MEAN):
            drawing.line(middle + value * scale, top, middle + value * scale, bottom, "dotted")
        drawing.line(middle, top, middle, bottom, "axis")


def _whisker(drawing: Drawing, one: TaskDifference, axis: tuple[float, float], y: float) -> None:
    middle, scale = axis
    if one.low is not None and one.high is not None:
        ends = middle + one.low * scale, middle + one.high * scale
        drawing.line(*(ends[0], y, ends[1], y), "whisker")
        for x in ends:
            drawing.line(x, y - 4, x, y + 4, "whisker")
    drawing.dot(middle + one.value * scale, y, 4.5, "dot" if one.is_real else "dot open")


def _span(comparison: Comparison) -> float:
    reached = [abs(value) for one in comparison.tasks for value in (one.value, one.low, one.high) if value is not None]
    return max(*reached, LEAST_SPAN) * 1.06


def _signed(value: float) -> str:
    return "0" if value == 0 else f"{'+' if value > 0 else ''}{tick_text(value)}"


def _label(comparison: Comparison) -> str:
    rows = "; ".join(
        f"{one.task} {difference(one.value)}{' (real)' if one.is_real else ''}" for one in comparison.tasks
    )
    return f"Differences of {comparison.first} to {comparison.second}: {rows}; mean {difference(comparison.mean)}"
