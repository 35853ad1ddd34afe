"""Models by score and speed, and by score and size: each plot over the same tasks for all that it shows."""

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby

from gtekit.evaluation.page import PAGE
from gtekit.evaluation.published import published
from gtekit.evaluation.report.content import Point, Scatter, TaskLine
from gtekit.evaluation.report.speed import texts_per_s
from gtekit.evaluation.report.task_lines import why_not_comparable
from gtekit.evaluation.results import TaskScore

SHARE = 0.5  # of the tasks of the fullest model: one with fewer would leave the others too little in common

_ByTask = Mapping[str, TaskScore]


def points_by_speed(tasks: Sequence[TaskLine]) -> Scatter:
    """Place the measured models by the texts that they computed a second."""
    return _scatter(tasks, lambda scores: texts_per_s(list(scores.values())), lambda _: True, "speed was kept")


def points_by_size(tasks: Sequence[TaskLine]) -> Scatter:
    """Place the measured models by their weights in memory, and the models of the page by their files, in GB."""
    found = _scatter(tasks, _size_gb, lambda score: not why_not_comparable(score), "size is known")
    points = list(found.points)
    for row in PAGE if points else ():
        scores = published(row.model).scores
        if row.size_gb is not None and all(task in scores for task in found.tasks):
            mean = sum(scores[task] for task in found.tasks) / len(found.tasks)
            points.append(Point(label=row.model, x=row.size_gb, y=mean, is_measured=False))
    return Scatter(points=tuple(points), tasks=found.tasks, left_out=found.left_out, why_empty=found.why_empty)


def _scatter(
    lines: Sequence[TaskLine],
    place: Callable[[_ByTask], float | None],
    is_wanted: Callable[[TaskScore], bool],
    what: str,
) -> Scatter:
    """Draw each model at its mean score over the tasks that all have, models with far fewer tasks left out."""
    models = {
        label: {line.measured.task: line.measured for line in of if is_wanted(line.measured)}
        for label, of in groupby(lines, key=lambda line: line.label)
    }
    placed = {label: of for label, of in models.items() if of and place(of) is not None}
    most = max(map(len, placed.values()), default=0)
    kept = {label: of for label, of in placed.items() if len(of) >= SHARE * most}
    left_out = tuple(label for label in models if label not in kept)
    if not kept:
        return Scatter(points=(), tasks=(), left_out=left_out, why_empty=f"of no measured model {what}")
    first = next(iter(kept.values()))
    common = tuple(task for task in first if all(_is_same(of.get(task), first[task]) for of in kept.values()))
    if not common:
        return Scatter(points=(), tasks=(), left_out=left_out, why_empty="the models have no task in common")
    points = []
    for label, of in kept.items():
        here = {task: of[task] for task in common}
        x = place(here)
        if x is None:
            left_out += (label,)
            continue
        mean = sum(score.score for score in here.values()) / len(here)
        points.append(Point(label=label, x=x, y=mean, is_measured=True))
    return Scatter(points=tuple(points), tasks=common, left_out=left_out)


def _is_same(score: TaskScore | None, other: TaskScore) -> bool:
    return score is not None and score.data.revision == other.data.revision


def _size_gb(scores: _ByTask) -> float | None:
    size = next(iter(scores.values())).size_bytes
    return size / 1e9 if size and size > 0 else None
