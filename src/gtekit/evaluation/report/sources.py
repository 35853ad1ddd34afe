"""Where each number of a report comes from."""

from collections.abc import Iterable, Sequence

from gtekit.evaluation import page, published
from gtekit.evaluation.bootstrap import RESAMPLES
from gtekit.evaluation.results import TaskScore


def source_lines(scores: Sequence[TaskScore]) -> list[tuple[str, str]]:
    """Say what was taken from where, and what measured it: name and text."""
    dates = sorted({score.date for score in scores if score.date})
    days = dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}" if dates else "not kept"
    return [
        ("published averages of the models of the page", page.SOURCE),
        ("published scores of tasks", published.source()),
        ("pair classification", "average precision of cosines, measured and published alike, as on the page"),
        ("intervals", f"95 %, percentile bootstrap, {RESAMPLES:,} draws of a task's items"),
        ("data", _joined(f"{score.data.source}" for score in scores)),
        ("measured on", _joined(score.machine for score in scores)),
        ("measured", days),
        *((name, _joined(_version(score, name) for score in scores)) for name in _names(scores)),
    ]


def published_sources() -> list[tuple[str, str]]:
    """Say where the published numbers come from."""
    return source_lines([])[:3]


def _names(scores: Sequence[TaskScore]) -> list[str]:
    return list(dict.fromkeys(name for score in scores for name in score.versions))


def _version(score: TaskScore, name: str) -> str:
    return score.versions.get(name, "")


def _joined(values: Iterable[str]) -> str:
    """Name each value once; several versions or machines in one report are all said."""
    return ", ".join(sorted({value for value in values if value})) or "not kept"
