"""Scores by category: a bar for each measured model, and a line where the published score over the same tasks is."""

from itertools import groupby

from gtekit.evaluation.page import CATEGORIES
from gtekit.evaluation.report.content import CategoryScore, Report
from gtekit.evaluation.report.page_section import CATEGORY_TITLES
from gtekit.evaluation.report.plots.svg import Drawing, Plot, shorten, text_width

TITLE = "Scores by category"
BAR_HEIGHT, NAME_HEIGHT, HEADING_HEIGHT, TOP = 13, 19, 26, 30

LONGEST_LABEL = 290.0


def draw_categories(report: Report) -> list[Plot]:
    """Draw the plot, or say why there is none."""
    if not report.categories:
        return [Plot(TITLE, "Nothing to draw: none of the 56 tasks of the page was measured on whole data.")]
    counts = {line.name: line.average for line in report.page if line.origin == "measured"}
    about = "Bar: measured. Line: published, over the same tasks. Measured were " + ", ".join(
        f"{average.tasks} of {average.of} tasks with {name}" for name, average in counts.items()
    )
    return [Plot(TITLE, f"{about}.", *(_draw(report, width) for width in (760.0, 360.0)))]


def _draw(report: Report, width: float) -> str:
    drawing = Drawing(width)
    labels = report.labels
    is_wide = width > 500
    label_width = min(max(map(text_width, labels)) + 14, LONGEST_LABEL) if is_wide else 0
    ends = (width - 150, width - 78, width) if is_wide else (width - 128, width - 60, width)
    bar_x, bar_end = label_width, ends[0] - 58
    for x, title in zip(ends, ("measured", "published", "tasks"), strict=True):
        drawing.text(x, 14, title, "soft", "end")
    y = float(TOP)
    for category, scores in groupby(report.categories, key=lambda one: one.category):
        drawing.text(0, y + 16, CATEGORY_TITLES.get(category, category), "heading")
        y += HEADING_HEIGHT
        for one in scores:
            drawing.text(0, y + 11, shorten(one.label, label_width - 8 if is_wide else width), "small")
            y += 0 if is_wide else NAME_HEIGHT
            _bar(drawing, y, (bar_x, bar_end), one, labels.index(one.label))
            _numbers(drawing, y + 11, ends, one)
            y += BAR_HEIGHT + (6 if is_wide else 10)
        y += 10
    return drawing.svg(y, _label(report))


def _bar(drawing: Drawing, y: float, ends: tuple[float, float], one: CategoryScore, series: int) -> None:
    assert one.measured.mean is not None  # categories without a measured task are not here
    start, width = ends[0], ends[1] - ends[0]
    drawing.rect(start, y, width, BAR_HEIGHT, "track")
    drawing.rect(start, y, width * _share(one.measured.mean), BAR_HEIGHT, f"bar s{series % 6}")
    if one.published is not None:
        x = start + width * _share(one.published)
        drawing.line(x, y - 3, x, y + BAR_HEIGHT + 3, "halo")
        drawing.line(x, y - 3, x, y + BAR_HEIGHT + 3, "published")


def _numbers(drawing: Drawing, y: float, ends: tuple[float, float, float], one: CategoryScore) -> None:
    published = "-" if one.published is None else f"{one.published:.2f}"
    for x, text in zip(
        ends, (f"{one.measured.mean:.2f}", published, f"{one.measured.tasks} of {one.measured.of}"), strict=True
    ):
        drawing.text(x, y, text, "small", "end")


def _share(score: float) -> float:
    return min(max(score / 100, 0.0), 1.0)


def _label(report: Report) -> str:
    categories = len({one.category for one in report.categories})
    return (
        f"Bars of the measured scores of {', '.join(report.labels)} in {categories} of {len(CATEGORIES)} categories, "
        f"with the published scores over the same tasks. The table of the page has the numbers."
    )
