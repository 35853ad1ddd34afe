"""The page's table as cells, and what has to be said beneath it."""

from collections.abc import Sequence

from gtekit.evaluation.page import ALL_TASKS, CATEGORIES
from gtekit.evaluation.report.content import Agreement, CardCheck, Origin, PageLine, Report
from gtekit.evaluation.report.page_table import CLOSE
from gtekit.evaluation.report.tables import (
    NOTHING,
    Cell,
    Column,
    Group,
    Section,
    Table,
    average_cell,
    category_cell,
    cells,
    difference,
    gigabytes,
    number,
    points,
)

_SHORT = {
    "Clustering": "Clust.",
    "PairClassification": "Pairs",
    "Reranking": "Rerank",
    "Retrieval": "Retr.",
    "STS": "STS",
    "Summarization": "Summ.",
    "Classification": "Class.",
}
CATEGORY_TITLES = {**{name: name for name in CATEGORIES}, "PairClassification": "Pair classification"}
_GROUPS: Sequence[tuple[str, tuple[Origin, ...]]] = (
    ("As on the model card", ("card",)),
    ("Means of the published scores of tasks", ("task scores",)),
    ("Measured", ("measured", "same tasks")),
)
_COLUMNS = (
    Column("model", is_number=False),
    Column("size, GB", short="GB"),
    Column("dimension", short="dim."),
    Column("tokens"),
    Column("Average", note=str(ALL_TASKS)),
    *(Column(CATEGORY_TITLES[name], note=str(tasks), short=_SHORT[name]) for name, tasks in CATEGORIES.items()),
)


def page_section(report: Report) -> Section:
    """Give the page's table with the measured rows, and how far these agree with what is published."""
    tables = [page_table(report.page, report.card_checks)]
    if report.agreements:
        tables.append(_agreement_table(report.agreements))
    return Section("page", "The table of the page", report.headline, tables, ["categories"], plots_after=len(tables))


def page_table(lines: Sequence[PageLine], checks: Sequence[CardCheck]) -> Table:
    """Make the page's table of any of its rows."""
    groups = [
        Group([_row(line) for line in lines if line.origin in origins], title)
        for title, origins in _GROUPS
        if any(line.origin in origins for line in lines)
    ]
    return Table("Average scores by category, in points", _COLUMNS, groups, _notes(lines, checks))


def _row(line: PageLine) -> list[Cell]:
    return [
        Cell(line.name, line.note),
        Cell(gigabytes(line.size_gb)),
        Cell(NOTHING if line.dimension is None else str(line.dimension)),
        Cell(NOTHING if line.max_tokens is None else str(line.max_tokens)),
        average_cell(line.average),
        *(category_cell(average) for average in line.categories.values()),
    ]


def _notes(lines: Sequence[PageLine], checks: Sequence[CardCheck]) -> list[str]:
    notes = []
    if any(line.average.tasks < ALL_TASKS for line in lines):
        notes.append(
            f"n of N: a mean over n of the N tasks alone, which says nothing beside a mean over all N or over others. "
            f"Where there are fewer than {ALL_TASKS}, the column Average has their number first."
        )
    if any(line.origin == "same tasks" for line in lines):
        notes.append("Compare measured rows with the published one beneath them, which is over the same tasks.")
    if any(line.origin == "measured" and line.size_gb for line in lines):
        notes.append("Size: of the files for published models, of the weights in memory for measured ones.")
    if checks:
        largest = max(check.largest for check in checks)
        notes.append(
            f"The published scores of tasks have the averages that the model card states, within {largest:.3f} points, "
            f"wherever all tasks of an average are there."
        )
    notes += [_incomplete_card(check) for check in checks if check.incomplete]
    return notes


def _incomplete_card(check: CardCheck) -> str:
    means = ", ".join(
        f"{'all' if name == 'Average' else CATEGORY_TITLES[name]} {average.tasks} of {average.of}"
        f"{'' if average.mean is None else f' with mean {average.mean:.2f}'}"
        for name, average in check.incomplete.items()
    )
    return (
        f"{check.model}: the row has the card's own numbers. Of the scores of tasks some are missing here ({means}): "
        f"the published main scores of {' and '.join(check.left_out)} are of another metric."
    )


def _agreement_table(agreements: Sequence[Agreement]) -> Table:
    columns = (
        Column("model", is_number=False),
        Column("tasks compared"),
        Column("measured"),
        Column("published"),
        Column("difference"),
        Column(f"within {CLOSE:g}"),
        Column("largest difference"),
        Column("other data"),
        Column("other settings"),
    )
    rows = [
        [
            *cells(found.label, f"{found.tasks} of {found.of}", points(found.measured), points(found.published)),
            Cell(difference(found.difference)),
            Cell(f"{found.within} of {found.tasks}"),
            Cell(difference(found.largest), found.largest_task),
            *cells(number(found.other_data), number(found.unlike)),
        ]
        for found in agreements
    ]
    notes = [
        "Other data: tasks whose texts are not exactly MTEB's. Other settings: tasks whose published score was made "
        "with settings that the measured one was not. Both are in the means; the table of the tasks names them."
    ]
    notes += [
        f"{found.label}: on partial data, in no mean here: {', '.join(found.partial)}."
        for found in agreements
        if found.partial
    ]
    return Table("Measured beside published, over the tasks that both have", columns, [Group(rows)], notes)
