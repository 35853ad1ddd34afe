"""Speed and size as cells."""

from gtekit.evaluation.report.content import Report, SpeedGroup
from gtekit.evaluation.report.tables import (
    NOTHING,
    Cell,
    Column,
    Group,
    Section,
    Table,
    cells,
    counted,
    megabytes,
    number,
    ratio,
    speed,
)

_ABOUT = (
    "Texts a second: texts computed, by the seconds that computing them took. A text that comes again in a task is not "
    "computed again. Total seconds also hold what the task itself does with the vectors."
)


def speed_section(report: Report) -> Section:
    """Give how fast every model was, and the ways to run one model side by side."""
    columns = (
        Column("model", is_number=False),
        Column("tasks"),
        Column("texts asked for"),
        Column("texts computed"),
        Column("embedding, s"),
        Column("total, s"),
        Column("texts/s"),
        Column("weights in memory"),
        Column("machine", is_number=False, is_long=True),
    )
    rows = [
        cells(
            line.label,
            number(line.tasks),
            number(line.texts),
            number(line.texts_embedded),
            number(line.embed_s, 1),
            number(line.total_s, 1),
            speed(line.texts_per_s),
            megabytes(line.size_bytes),
            "; ".join(line.machines) or NOTHING,
        )
        for line in report.speeds
    ]
    tables = [Table("Over all tasks of each model", columns, [Group(rows)])]
    for group in report.speed_groups:
        tables += [_variants(group), _by_task(group)]
    return Section("speed", "Speed and size", [_ABOUT], tables, ["speed", "size"], plots_after=1)


def _variants(group: SpeedGroup) -> Table:
    columns = (
        Column("run as", is_number=False),
        Column("texts/s"),
        Column("times the first"),
        Column("weights in memory"),
        Column("times the first"),
    )
    rows = [
        cells(one.label, speed(one.texts_per_s), ratio(one.ratio), megabytes(one.size_bytes), ratio(one.size_ratio))
        for one in group.variants
    ]
    count = counted(len(group.tasks))
    machine = group.machine or "machine not kept"
    return Table(
        f"{group.model}, {group.settings} settings, over the {count} that all have, on {machine}",
        columns,
        [Group(rows)],
    )


def _by_task(group: SpeedGroup) -> Table:
    columns = (Column("task", is_number=False), *(Column(one.label) for one in group.variants))
    rows = [[Cell(task), *(Cell(speed(one.by_task[task])) for one in group.variants)] for task in group.tasks]
    return Table(f"{group.model}, {group.settings} settings: texts a second, task by task", columns, [Group(rows)])
