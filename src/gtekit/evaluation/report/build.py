"""From the scores of a folder to everything that a report says."""

from collections.abc import Callable, Sequence

from gtekit.errors import ArgumentError
from gtekit.evaluation.page import ALL_TASKS
from gtekit.evaluation.report.comparison import compare_pair, precision_pairs
from gtekit.evaluation.report.content import Agreement, Comparison, Report, SpeedGroup
from gtekit.evaluation.report.labels import Labels, label_models
from gtekit.evaluation.report.page_table import CLOSE, agreements, card_checks, category_scores, page_lines
from gtekit.evaluation.report.points import points_by_size, points_by_speed
from gtekit.evaluation.report.settings_lines import settings_lines
from gtekit.evaluation.report.sources import source_lines
from gtekit.evaluation.report.speed import speed_groups, speed_lines
from gtekit.evaluation.report.tables import counted, difference, ratio, speed
from gtekit.evaluation.report.task_lines import task_lines
from gtekit.evaluation.results import ResultStore, TaskScore


def build_report(
    scores: Sequence[TaskScore],
    store: ResultStore,
    *,
    with_precisions: bool = True,
    say: Callable[[str], None] | None = None,
) -> Report:
    """Build a report of measured scores beside published ones.

    Args:
        scores: What to report on: all of the store, or those of some models.
        store: Where the items of the scores are.
        with_precisions: Whether int8 is compared with float32, task by task; a thousand draws of every item of the
            large tasks take a minute.
        say: Told what takes long.

    Raises:
        ArgumentError: If there are no scores.
        FileFormatError: If the items of a score are damaged.
    """
    if not scores:
        raise ArgumentError("there are no scores to report on. They are made by: gtekit eval --tasks ...")
    labels = label_models(scores)
    tasks = task_lines(scores, labels)
    agreed = agreements(tasks)
    precisions = _compare_precisions(scores, store, labels, say) if with_precisions else []
    groups = speed_groups(tasks)
    return Report(
        headline=(*map(_agreement, agreed), *map(_precision, precisions), *map(_speed, groups)),
        page=tuple(page_lines(tasks)),
        categories=tuple(category_scores(tasks)),
        card_checks=tuple(card_checks()),
        agreements=tuple(agreed),
        tasks=tuple(tasks),
        settings=tuple(settings_lines(tasks)),
        precisions=tuple(precisions),
        speeds=tuple(speed_lines(tasks)),
        speed_groups=tuple(groups),
        by_speed=points_by_speed(tasks),
        by_size=points_by_size(tasks),
        sources=tuple(source_lines(scores)),
    )


def _compare_precisions(
    scores: Sequence[TaskScore], store: ResultStore, labels: Labels, say: Callable[[str], None] | None
) -> list[Comparison]:
    compared = []
    for pair in precision_pairs(labels):
        if say is not None:
            say(f"comparing {labels[pair[0]]} with {labels[pair[1]]}")
        compared.append(compare_pair(store, scores, labels, pair))
    return [comparison for comparison in compared if comparison.tasks]


def _agreement(found: Agreement) -> str:
    is_close = found.within == found.tasks
    largest = "" if is_close else f"; largest difference {difference(found.largest)} ({found.largest_task})"
    unlike = f" {found.unlike} of them published with other settings." if found.unlike else ""
    partial = f" Not compared, on partial data: {', '.join(found.partial)}." if found.partial else ""
    return (
        f"{found.label}: {found.tasks} of the {ALL_TASKS} tasks, mean {found.measured:.2f}; published of "
        f"{found.published_model} over the same {found.published:.2f}. {found.within} of {found.tasks} within "
        f"{CLOSE:g} points{largest}.{unlike}{partial}"
    )


def _precision(found: Comparison) -> str:
    assert found.mean is not None  # comparisons without tasks are not kept
    loss = found.largest_loss
    worst = f"the largest loss is {-loss.value:.2f} ({loss.task})" if loss else "it loses on none"
    largest = max(found.tasks, key=lambda one: abs(one.value))
    return (
        f"{found.first} is {abs(found.mean):.2f} points {'below' if found.mean < 0 else 'above'} {found.second} in the "
        f"mean over {counted(len(found.tasks))}; {worst}; the largest difference is {difference(largest.value)} "
        f"({largest.task})."
    )


def _speed(group: SpeedGroup) -> str:
    base, *others = group.variants
    ratios = ", ".join(f"{one.label} {speed(one.texts_per_s)} ({ratio(one.ratio)})" for one in others)
    return (
        f"Texts a second over {counted(len(group.tasks))}, {group.settings} settings: {base.label} "
        f"{speed(base.texts_per_s)}, {ratios}."
    )
