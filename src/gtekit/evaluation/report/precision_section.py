"""Two models side by side as cells: int8 against float32, and any other pair."""

from collections.abc import Sequence

from gtekit.evaluation.report.content import Comparison, Report, TaskDifference
from gtekit.evaluation.report.tables import (
    Cell,
    Column,
    Group,
    Section,
    Table,
    counted,
    difference,
    difference_interval,
    number,
    points,
)

_NONE = "No model has been measured on the same tasks in float32 and in int8."


def precision_section(report: Report) -> Section:
    """Give int8 against float32."""
    said = [sentence for comparison in report.precisions for sentence in comparison_sentences(comparison)]
    tables = [comparison_table(comparison) for comparison in report.precisions]
    return Section("precision", "int8 against float32", said or [_NONE], tables, ["precisions"])


def comparison_table(comparison: Comparison) -> Table:
    """Make the table of two models, task by task."""
    columns = (
        Column("task", is_number=False),
        Column("category", is_number=False, is_wide=True),
        Column(comparison.first, short="first"),
        Column(comparison.second, short="second"),
        Column("difference"),
        Column("95 % interval"),
        Column("items"),
        Column("real", is_number=False, is_long=True),
    )
    caption = f"First: {comparison.first}. Second: {comparison.second}. Difference: first minus second, in points"
    reasons: dict[str, list[str]] = {}
    for task, why in comparison.left_out.items():
        reasons.setdefault(why, []).append(task)
    notes = [f"Left out, {why}: {', '.join(of)}." for why, of in reasons.items()]
    if any(one.is_partial for one in comparison.tasks):
        notes.insert(0, "Partial data: fewer rows than MTEB has, the same ones for both.")
    return Table(caption, columns, [Group([_row(one) for one in comparison.tasks])], notes)


def comparison_sentences(comparison: Comparison) -> list[str]:
    """Say how two models compare."""
    if comparison.mean is None:
        return [
            f"{comparison.first} and {comparison.second} have no task in common that was measured on the same data."
        ]
    loss = comparison.largest_loss
    said = [
        f"{comparison.first} minus {comparison.second}: mean {difference(comparison.mean)} points over "
        f"{counted(len(comparison.tasks))}, "
        + (f"largest loss {difference(loss.value)} ({loss.task})." if loss else "no loss.")
    ]
    if comparison.untested < len(comparison.tasks):
        said.append(
            f"Really better on {counted(comparison.won)}, really worse on {comparison.lost}, undecided on "
            f"{comparison.undecided}. A difference is called real where its 95 % interval leaves out 0; if both were "
            f"equal, about {comparison.by_chance:.1f} of these tasks would look real by chance."
        )
    reasons = _reasons(comparison.tasks)
    if reasons:
        said.append(f"Whether the difference is real is not known of {comparison.untested}: {'; '.join(reasons)}.")
    return said


def _reasons(tasks: Sequence[TaskDifference]) -> list[str]:
    return list(dict.fromkeys(one.untested.rstrip(".") for one in tasks if one.untested))


def _row(one: TaskDifference) -> list[Cell]:
    return [
        Cell(one.task, "partial data" if one.is_partial else ""),
        Cell(one.category),
        Cell(points(one.first)),
        Cell(points(one.second)),
        Cell(difference(one.value)),
        Cell(difference_interval(one.low, one.high)),
        Cell(number(one.items)),
        Cell(_is_real(one)),
    ]


def _is_real(one: TaskDifference) -> str:
    if one.is_real is None:
        return one.untested
    if not one.is_real:
        return "no"
    return "yes, better" if one.value > 0 else "yes, worse"
