"""Tasks that are the mean of several, as CQADupstackRetrieval is of its twelve forums: each part has its own data."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mteb.abstasks.abstask import AbsTask


def parts_of(task: "AbsTask") -> list["AbsTask"]:
    """Give the tasks whose data a task needs: itself, or those that it is the mean of."""
    from mteb.abstasks.aggregated_task import AbsTaskAggregate

    return list(task.metadata.tasks) if isinstance(task, AbsTaskAggregate) else [task]


def part_names(task: "AbsTask") -> list[str]:
    """Name the folders of data that a task needs."""
    return [part.metadata.name for part in parts_of(task)]
