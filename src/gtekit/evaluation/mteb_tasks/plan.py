"""What a run will do: the tasks with their data found good, before a model is loaded."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gtekit.evaluation.mteb_tasks.catalog import part_beside_page
from gtekit.evaluation.mteb_tasks.expected import check_counts, check_values, found_files
from gtekit.evaluation.mteb_tasks.folder import TaskFiles, read_task, revision_of
from gtekit.evaluation.mteb_tasks.parts import parts_of
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


def read_parts(task: "AbsTask", split: str, folder: Path) -> "list[tuple[AbsTask, TaskFiles]]":
    """Read the files of a task, or of each task that it is the mean of.

    Raises:
        FileFormatError: If a file is wrong, with its name and line.
    """
    return [(part, read_task(folder, part.metadata.name, part.metadata.type, split)) for part in parts_of(task)]


def planned_texts(tasks: Sequence[PlannedTask], folder: Path | None) -> list[str]:
    """Give the different texts that tasks will ask for; for data of the hub, as many of about the same lengths."""
    texts: dict[str, None] = {}
    for planned in tasks:
        if folder is not None:
            for part, files in read_parts(planned.task, planned.split, folder):
                texts.update(dict.fromkeys(texts_in(part, planned.split, files)))
        else:
            each = hub_characters(planned.task, planned.split) // max(planned.texts, 1)
            stand_ins = (f"{planned.name} {number} ".ljust(each, ".") for number in range(planned.texts))
            texts.update(dict.fromkeys(stand_ins))
    return list(texts)


def _plan_task(task: "AbsTask", options: RunOptions) -> PlannedTask:
    split = "test" if "test" in task.eval_splits else task.eval_splits[0]
    subsets = ",".join(task.hf_subsets)
    part = part_beside_page(task, split)
    if options.data is None:
        revision = f"{task.metadata.revision} {subsets} {split}"
        data = TaskData(revision=revision, source="hub", rows=0, part=part)
        return PlannedTask(task=task, split=split, data=data, texts=hub_texts(task, split))
    parts = read_parts(task, split, options.data)
    for part_task, files in parts:
        check_values(part_task, split, files)
    differences = [] if options.is_partial else [check_counts(part, split, files) for part, files in parts]
    data = TaskData(
        revision=" ".join(
            [revision_of([files for _, files in parts]), subsets, split, *(["partial"] if options.is_partial else [])]
        ),
        source=str(options.data),
        rows=sum(found.count for _, files in parts for found in found_files(task.metadata.type, files).values()),
        difference="partial data" if options.is_partial else "; ".join(filter(None, differences)),
        is_partial=options.is_partial,
        part=part,
    )
    texts = sum(texts_of(part, split, files) for part, files in parts)
    return PlannedTask(task=task, split=split, data=data, texts=texts)
