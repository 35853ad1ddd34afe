"""What a report holds. Built once by `build_report`; every writer renders from it and computes nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from gtekit.evaluation.published import Average
from gtekit.evaluation.results import TaskScore

Origin = Literal["card", "task scores", "measured", "same tasks"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageLine:
    """One row of the page's table.

    origin: "card": the numbers of the model card. "task scores": means of the published scores of tasks.
        "measured": means of what was measured. "same tasks": means of the published scores of just the tasks that
        the measured rows above it have.
    """

    name: str
    origin: Origin
    note: str = ""
    size_gb: float | None = None  # of the files; of a measured model, of the weights in memory
    dimension: int | None = None
    max_tokens: int | None = None
    average: Average  # over all 56 tasks, or those that there are
    categories: Mapping[str, Average]


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryScore:
    """One measured model in one category, beside what is published of it over the same tasks."""

    category: str
    label: str
    measured: Average
    published: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CardCheck:
    """Whether the published scores of tasks give the averages that a model card states."""

    model: str
    largest: float  # difference, over the averages with every task
    incomplete: Mapping[str, Average]  # averages with tasks left out, by category, all tasks under "Average"
    left_out: tuple[str, ...]  # tasks whose published main score is of another metric


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskLine:
    """A measured score of one task beside what is published of it."""

    label: str
    measured: TaskScore
    published: float | None = None
    published_by: str = ""  # "author" or "MTEB team"
    rerun: float | None = None  # by the MTEB team, where it differs from what the author gave
    difference: float | None = None  # measured minus published, in points; None where the two can't be compared
    not_compared: str = ""  # why
    unlike: str = ""  # what the published score was made with that the measured one was not


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """A measured model beside what is published of it, over the tasks that both have."""

    label: str
    published_model: str
    tasks: int
    of: int
    measured: float
    published: float
    difference: float
    within: int  # tasks that differ by CLOSE points or less
    largest_task: str
    largest: float  # difference of that task
    unlike: int  # tasks whose published score was made with other settings
    other_data: int  # tasks whose data differ from MTEB's
    partial: tuple[str, ...]  # tasks with a part of the data: in none of these numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsLine:
    """What a measured model was run with."""

    label: str
    kind: str
    precision: str
    settings: str
    max_tokens: int | None
    dimension: int
    fingerprint: str
    normalized: tuple[str, ...]  # "yes", "no", "as the model says", and in which categories where they differ
    prompts: tuple[str, ...]  # such as query: 'query: ', and in which categories where they differ
    texts_cut: int | None  # over all tasks: longer than the model reads


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDifference:
    """Two models on one task, in points: the first minus the second."""

    task: str
    category: str
    first: float
    second: float
    value: float
    low: float | None = None  # 95 % interval; None where it can't be known
    high: float | None = None
    items: int | None = None  # that the draws are made from
    is_real: bool | None = None  # None where it can't be known
    untested: str = ""  # why it can't
    is_partial: bool = False  # on fewer rows than MTEB has, the same for both


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two models on every task that both were measured on, with the same data."""

    first: str
    second: str
    tasks: tuple[TaskDifference, ...]
    left_out: Mapping[str, str]  # why, by task
    mean: float | None  # of the differences; None where there are none
    won: int  # tasks on which the first is really better
    lost: int
    undecided: int  # tasks on which the draws do not agree which is better
    untested: int
    by_chance: float  # of the tested tasks: how many would look real if the models were equal
    largest_loss: TaskDifference | None  # of the first; None where it loses nowhere


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedLine:
    """How fast one model was over all its tasks."""

    label: str
    tasks: int
    texts: int  # that tasks asked for
    texts_embedded: int  # of those, computed
    embed_s: float
    total_s: float
    texts_per_s: float | None  # computed texts by the seconds of computing; None where nothing was computed
    size_bytes: int | None
    machines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedVariant:
    """One way to run a model, over the tasks that all ways have."""

    label: str
    texts_per_s: float
    ratio: float  # to the first of the group
    size_bytes: int | None
    size_ratio: float | None
    by_task: Mapping[str, float]  # texts a second


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedGroup:
    """The ways in which one model was run, side by side."""

    model: str
    settings: str
    machine: str
    tasks: tuple[str, ...]  # those that all have
    variants: tuple[SpeedVariant, ...]  # the first is what the others are compared with


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One model in a plot of scores."""

    label: str
    x: float
    y: float
    is_measured: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Scatter:
    """Models by score and by something else, all over the same tasks."""

    points: tuple[Point, ...]
    tasks: tuple[str, ...]
    left_out: tuple[str, ...]  # labels of models with too few tasks, or without the other number
    why_empty: str = ""  # why there is nothing to draw


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that a report says."""

    headline: tuple[str, ...]  # sentences
    page: tuple[PageLine, ...]
    categories: tuple[CategoryScore, ...]  # those with a measured task, in the order of the page
    card_checks: tuple[CardCheck, ...]
    agreements: tuple[Agreement, ...]
    tasks: tuple[TaskLine, ...]
    settings: tuple[SettingsLine, ...]
    precisions: tuple[Comparison, ...]  # int8 minus float32
    speeds: tuple[SpeedLine, ...]
    speed_groups: tuple[SpeedGroup, ...]
    by_speed: Scatter
    by_size: Scatter
    sources: tuple[tuple[str, str], ...]  # what, from where

    @property
    def labels(self) -> list[str]:
        """Name the measured models, in their order."""
        return list(dict.fromkeys(line.label for line in self.tasks))
