"""The page's table: published models, measured ones, and beside those the published mean over the same tasks."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import TypedDict

from gtekit.checkpoint.registry import find_known
from gtekit.evaluation.page import ALL_TASKS, CATEGORIES, PAGE, PageRow
from gtekit.evaluation.published import (
    OTHER_METRIC,
    Average,
    averages,
    find_published,
    published,
    published_names,
    same_tasks,
)
from gtekit.evaluation.report.content import Agreement, CardCheck, CategoryScore, PageLine, TaskLine
from gtekit.evaluation.report.task_lines import why_not_comparable

CLOSE = 0.05  # points: what people round away


class _Means(TypedDict):
    average: Average
    categories: dict[str, Average]


def page_lines(tasks: Sequence[TaskLine]) -> list[PageLine]:
    """Give the published rows, then those of the measured models."""
    return published_lines() + _measured_lines(tasks)


def published_lines() -> list[PageLine]:
    """Give the rows of the model card, then the other models that scores are published of."""
    of_page = {row.model for row in PAGE}
    return [
        *(_card_line(row) for row in PAGE),
        *(_task_score_line(name) for name in published_names() if name not in of_page),
    ]


def card_checks() -> list[CardCheck]:
    """Hold the averages of the model card against the published scores of tasks."""
    checks = []
    for row in PAGE:
        found = averages(published(row.model).scores)
        stated = {"Average": row.average, **row.categories}
        whole = {name: found[name].mean for name in stated if found[name].is_whole}
        checks.append(
            CardCheck(
                model=row.model,
                largest=max(abs(stated[name] - mean) for name, mean in whole.items() if mean is not None),
                incomplete={name: average for name, average in found.items() if not average.is_whole},
                left_out=tuple(sorted(OTHER_METRIC.get(row.model, ()))),
            )
        )
    return checks


def agreements(tasks: Sequence[TaskLine]) -> list[Agreement]:
    """Hold each measured model against what is published of it, over the tasks that both have."""
    found = []
    for label, of_model in groupby(tasks, key=lambda line: line.label):
        lines = list(of_model)
        compared = [(line, line.difference) for line in lines if line.difference is not None]
        if not compared:
            continue
        measured = _mean([line.measured.score for line, _ in compared])
        of_others = _mean([line.published for line, _ in compared if line.published is not None])
        largest, difference = max(compared, key=lambda pair: abs(pair[1]))
        model = find_published(lines[0].measured.evaluated.model)
        assert model is not None  # else nothing would be compared
        found.append(
            Agreement(
                label=label,
                published_model=model.name,
                tasks=len(compared),
                of=ALL_TASKS,
                measured=measured,
                published=of_others,
                difference=measured - of_others,
                within=sum(abs(of_task) <= CLOSE for _, of_task in compared),
                largest_task=largest.measured.task,
                largest=difference,
                unlike=sum(bool(line.unlike) for line, _ in compared),
                other_data=sum(bool(line.measured.data.difference) for line, _ in compared),
                partial=tuple(line.measured.task for line in lines if line.measured.data.is_partial),
            )
        )
    return found


def category_scores(tasks: Sequence[TaskLine]) -> list[CategoryScore]:
    """Give the mean of each measured model in each category, over the tasks that are published as well.

    Of a model of which nothing is published: over those of the 56 that were measured.
    """
    found = []
    for label, of_model in groupby(tasks, key=lambda line: line.label):
        lines = [line for line in of_model if not why_not_comparable(line.measured)]
        both = [line for line in lines if line.difference is not None]
        measured = averages({line.measured.task: line.measured.score for line in both or lines})
        of_others = averages({line.measured.task: line.published for line in both if line.published is not None})
        found += [
            CategoryScore(category=name, label=label, measured=measured[name], published=of_others[name].mean)
            for name in CATEGORIES
            if measured[name].tasks
        ]
    return sorted(found, key=lambda one: list(CATEGORIES).index(one.category))


def _card_line(row: PageRow) -> PageLine:
    return PageLine(
        name=row.model,
        origin="card",
        size_gb=row.size_gb,
        dimension=row.dimension,
        max_tokens=row.max_tokens,
        average=Average(row.average, ALL_TASKS, ALL_TASKS),
        categories={name: Average(mean, CATEGORIES[name], CATEGORIES[name]) for name, mean in row.categories.items()},
    )


def _task_score_line(name: str) -> PageLine:
    known = find_known(name)
    return PageLine(
        name=name,
        origin="task scores",
        size_gb=known.download_mb / 1_000 if known else None,
        dimension=known.dimension if known else None,
        max_tokens=known.max_tokens if known else None,
        **_means(published(name).scores),
    )


def _measured_lines(tasks: Sequence[TaskLine]) -> list[PageLine]:
    """Give a row for each model, and behind each run of rows with the same tasks what is published over those."""
    rows: list[PageLine] = []
    models = [list(lines) for _, lines in groupby(tasks, key=lambda line: line.label)]
    for (name, compared), group in groupby(models, key=_compared_with):
        rows.extend(_measured_line(lines) for lines in group)
        if name:
            means = _means(same_tasks(published(name).scores, compared))
            rows.append(PageLine(name=f"{name}, published", origin="same tasks", note=_over(rows[-1], means), **means))
    return rows


def _over(measured: PageLine, means: _Means) -> str:
    count = means["average"].tasks
    return "over the same tasks" if count == measured.average.tasks else f"over the {count} of these with a score"


def _compared_with(lines: Sequence[TaskLine]) -> tuple[str, tuple[str, ...]]:
    """Name the published model and the tasks that a measured model may be compared over."""
    compared = tuple(line.measured.task for line in lines if line.difference is not None)
    model = find_published(lines[0].measured.evaluated.model)
    return (model.name if model and compared else "", compared)


def _measured_line(lines: Sequence[TaskLine]) -> PageLine:
    first = lines[0].measured
    scores = {line.measured.task: line.measured.score for line in lines if not why_not_comparable(line.measured)}
    return PageLine(
        name=lines[0].label,
        origin="measured",
        size_gb=first.size_bytes / 1e9 if first.size_bytes else None,
        dimension=first.dimension or None,
        max_tokens=first.evaluated.max_tokens,
        **_means(scores),
    )


def _means(scores: Mapping[str, float]) -> _Means:
    found = averages(scores)
    return {"average": found.pop("Average"), "categories": found}


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
