"""What a run will do: the tasks with their data found good, before a model is loaded."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gtekit.evaluation.mteb_tasks.expected import check_counts, found_files
from gtekit.evaluation.mteb_tasks.folder import read_task
from gtekit.evaluation.mteb_tasks.volume import hub_characters, hub_texts, texts_in, texts_of
from gtekit.evaluation.results import ResultStore, SettingsName, TaskData

if TYPE_CHECKING:
    from mteb.abstasks.abstask import AbsTask


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedTask:
    """A task with its data found good."""

    task: "AbsTask"
    split: str
    data: TaskData
    texts: int  # about how many will be asked for

    @property
    def name(self) -> str:
        """As MTEB names it."""
        name: str = self.task.metadata.name
        return name


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """How to run, whatever is run."""

    store: ResultStore
    data: Path | None = None  # a folder of test sets; None: from the hub
    settings: SettingsName = "default"
    is_partial: bool = False  # fewer rows than MTEB has are no error
    is_fresh: bool = False  # run again what has a score
    say: Callable[[str], None] = print


def plan_tasks(tasks: Sequence["AbsTask"], options: RunOptions) -> list[PlannedTask]:
    """Check the data of all tasks before anything runs.

    Raises:
        FileFormatError: If a file of the folder is wrong, with its name and line.
    """
    return [_plan_task(task, options) for task in tasks]


def planned_texts(tasks: Sequence[PlannedTask], folder: Path | None) -> list[str]:
    """Give the different texts that tasks will ask for; for data of the hub, as many of about the same lengths."""
    texts: dict[str, None] = {}
    for planned in tasks:
        task = planned.task
        if folder is not None:
            files = read_task(folder, planned.name, task.metadata.type, planned.split)
            texts.update(dict.fromkeys(texts_in(task, planned.split, files)))
        else:
            each = hub_characters(task, planned.split) // max(planned.texts, 1)
            stand_ins = (f"{planned.name} {number} ".ljust(each, ".") for number in range(planned.texts))
            texts.update(dict.fromkeys(stand_ins))
    return list(texts)


def _plan_task(task: "AbsTask", options: RunOptions) -> PlannedTask:
    split = task.eval_splits[0]
    if options.data is None:
        data = TaskData(revision=str(task.metadata.revision), source="hub", rows=0)
        return PlannedTask(task=task, split=split, data=data, texts=hub_texts(task, split))
    category = task.metadata.type
    files = read_task(options.data, task.metadata.name, category, split)
    difference = "" if options.is_partial else check_counts(task, split, files)
    data = TaskData(
        revision=files.revision,
        source=str(options.data),
        rows=sum(found.count for found in found_files(category, files).values()),
        difference=difference or ("partial data" if options.is_partial else ""),
        is_partial=options.is_partial,
    )
    return PlannedTask(task=task, split=split, data=data, texts=texts_of(task, split, files))
