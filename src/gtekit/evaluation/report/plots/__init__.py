"""The plots of a report, as SVG that needs nothing else."""

from collections.abc import Callable, Mapping

from gtekit.evaluation.report.content import Report
from gtekit.evaluation.report.plots.categories import draw_categories
from gtekit.evaluation.report.plots.precisions import draw_precisions
from gtekit.evaluation.report.plots.scatter import draw_size, draw_speed
from gtekit.evaluation.report.plots.svg import Plot

PLOTS: Mapping[str, Callable[[Report], list[Plot]]] = {
    "categories": draw_categories,
    "speed": draw_speed,
    "size": draw_size,
    "precisions": draw_precisions,
}

__all__ = ["PLOTS", "Plot"]
