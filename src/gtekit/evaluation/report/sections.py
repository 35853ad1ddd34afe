"""The parts of a report in their order, each as sentences and tables: what Markdown, HTML and the terminal show."""

from collections.abc import Sequence
from itertools import groupby

from gtekit.evaluation.report.content import Report, SettingsLine, TaskLine
from gtekit.evaluation.report.page_section import page_section
from gtekit.evaluation.report.precision_section import precision_section
from gtekit.evaluation.report.settings_lines import WHY_SETTINGS_MATTER
from gtekit.evaluation.report.speed_section import speed_section
from gtekit.evaluation.report.tables import (
    NOTHING,
    Cell,
    Column,
    Footnotes,
    Group,
    Section,
    Table,
    cells,
    difference,
    interval,
    number,
    points,
)
from gtekit.evaluation.report.task_lines import MTEB_TEAM

TITLE = "gtekit: scores measured and published"

_TASK_COLUMNS = (
    Column("task", is_number=False),
    Column("category", is_number=False, is_wide=True),
    Column("metric", is_number=False),
    Column("published"),
    Column("rerun"),
    Column("measured"),
    Column("95 % interval"),
    Column("difference", short="diff."),
    Column("normalized", is_number=False, is_wide=True),
    Column("notes", is_number=False),
)
_NORMALIZED = {True: "yes", False: "no", None: "as the model says"}


def sections(report: Report) -> list[Section]:
    """Give every part of the report."""
    return [
        page_section(report),
        task_section(report),
        settings_section(report),
        precision_section(report),
        speed_section(report),
        sources_section(report.sources),
    ]


def task_section(report: Report) -> Section:
    """Give the tables of single tasks, one for each measured model."""
    settings = {line.label: line for line in report.settings}
    tables = [
        _task_table(settings[label], list(lines)) for label, lines in groupby(report.tasks, lambda one: one.label)
    ]
    return Section(
        "tasks",
        "Task by task",
        [
            "Published: the author's score, or the MTEB team's where no author gave one. Rerun: the MTEB team's score "
            "where it differs from the author's. Difference: measured minus published, in points."
        ],
        tables,
    )


def settings_section(report: Report) -> Section:
    """Give what each model was run with."""
    columns = (
        Column("model", is_number=False),
        Column("settings", is_number=False),
        Column("normalized", is_number=False, is_long=True),
        Column("prompts", is_number=False, is_long=True),
        Column("max tokens"),
        Column("texts cut"),
        Column("precision", is_number=False),
        Column("dimension"),
        Column("fingerprint", is_number=False, is_long=True),
    )
    rows = [
        cells(
            line.label,
            line.settings,
            "; ".join(line.normalized),
            "; ".join(line.prompts),
            number(line.max_tokens),
            number(line.texts_cut),
            line.precision or NOTHING,
            number(line.dimension or None),
            line.fingerprint[:12] if line.kind != "openai" else line.fingerprint,
        )
        for line in report.settings
    ]
    return Section(
        "settings", "Settings", [WHY_SETTINGS_MATTER], [Table("What each model was run with", columns, [Group(rows)])]
    )


def sources_section(sources: Sequence[tuple[str, str]]) -> Section:
    """Give where each number comes from."""
    columns = (Column("what", is_number=False), Column("from", is_number=False, is_long=True))
    rows = [cells(name, text) for name, text in sources]
    return Section("sources", "Where each number comes from", [], [Table("Sources", columns, [Group(rows)])])


def _task_table(settings: SettingsLine, lines: Sequence[TaskLine]) -> Table:
    notes = Footnotes()
    by = {line.published_by for line in lines if line.published_by}
    rows = [_task_row(line, notes, say_by=len(by) > 1) for line in lines]
    general = ["Every published score here is the MTEB team's: the author gave none."] if by == {MTEB_TEAM} else []
    tokens = f"{settings.max_tokens} tokens" if settings.max_tokens else "number of tokens unknown"
    caption = (
        f"{settings.label}: {settings.settings} settings; normalized: {', '.join(settings.normalized)}; "
        f"prompts: {', '.join(settings.prompts)}; {tokens}"
    )
    return Table(caption, _TASK_COLUMNS, [Group(rows)], general + notes.lines())


def _task_row(line: TaskLine, notes: Footnotes, *, say_by: bool) -> list[Cell]:
    measured = line.measured
    other_data = measured.data.difference if measured.data.difference != line.not_compared else ""
    said = [
        f"not compared: {line.not_compared}" if line.not_compared else "",
        f"data: {other_data}" if other_data else "",
        line.unlike,
        "published by the MTEB team" if say_by and line.published_by == MTEB_TEAM else "",
    ]
    return cells(
        measured.task,
        measured.category,
        measured.metric,
        points(line.published),
        points(line.rerun),
        points(measured.score),
        interval(measured.low, measured.high),
        difference(line.difference),
        _NORMALIZED[measured.normalize],
        notes.mark([note for note in said if note]),
    )
