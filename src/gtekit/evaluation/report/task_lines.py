"""Each measured score beside what is published of that model and task, and whether the two can be compared."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from gtekit.evaluation.models.interface import Role
from gtekit.evaluation.page import CATEGORIES
from gtekit.evaluation.published import PublishedModel, find_published, task_categories
from gtekit.evaluation.report.content import TaskLine
from gtekit.evaluation.report.labels import Labels
from gtekit.evaluation.results import TaskScore
from gtekit.evaluation.settings import Use, published_rule

AUTHOR, MTEB_TEAM = "author", "MTEB team"
_NAMES = {"query": "query", "document": "document", "symmetric": "text"}
SHOWN_DIFFERENCE = 0.005  # points: what two decimals can show


@dataclass(frozen=True, slots=True)
class _Found:
    """What is published of one model and task."""

    score: float
    by: str
    rerun: float | None


def task_lines(scores: Sequence[TaskScore], labels: Labels) -> list[TaskLine]:
    """Give a line for each score, model by model, the tasks in the order of their categories."""
    models = list(labels)
    ordered = sorted(scores, key=lambda score: (models.index(score.evaluated), place_of(score.task), score.task))
    return [_line(score, labels[score.evaluated]) for score in ordered]


def place_of(task: str) -> tuple[int, int]:
    """Give where a task stands: by category as on the page, then as in the published file; others last."""
    category = task_categories().get(task)
    if category is None:
        return len(CATEGORIES), 0
    return list(CATEGORIES).index(category), list(task_categories()).index(task)


def why_not_comparable(score: TaskScore) -> str:
    """Say why a score can't be compared with published ones; "" where it can."""
    if task_categories().get(score.task) != score.category:
        return "not one of the 56 tasks"
    if score.data.is_partial:
        return "partial data"
    if score.data.part:
        return f"another part of the task: {score.data.part}"
    if score.category == "PairClassification" and not score.metric.startswith("cos"):
        return f"{score.metric} is not the average precision of cosines, which is published"
    return ""


def _line(score: TaskScore, label: str) -> TaskLine:
    model = find_published(score.evaluated.model)
    found = _find(model, score.task)
    why_not = why_not_comparable(score)
    if model is None or found is None:
        missing = f"nothing is published of {score.evaluated.model}" if model is None else "no score is published"
        return TaskLine(label=label, measured=score, not_compared=why_not or missing)
    return TaskLine(
        label=label,
        measured=score,
        published=found.score,
        published_by=found.by,
        rerun=found.rerun,
        difference=None if why_not else score.score - found.score,
        not_compared=why_not,
        unlike="" if why_not else _unlike(score, model.name, found.by),
    )


def _find(model: PublishedModel | None, task: str) -> _Found | None:
    if model is None or task not in model.scores:
        return None
    score = model.scores[task]
    if model.sources.get(task) != "external":  # no author gave one: what is published is the rerun
        return _Found(score, MTEB_TEAM, None)
    rerun = model.reruns.get(task)
    # of pairs the rerun's main score is the best of four similarities, which says nothing beside that of cosines
    is_other = task_categories()[task] == "PairClassification"
    if rerun is None or is_other or abs(rerun - score) < SHOWN_DIFFERENCE:
        rerun = None
    return _Found(score, AUTHOR, rerun)


def _unlike(score: TaskScore, model: str, published_by: str) -> str:
    """Say what the author's score was made with that this one was not."""
    if published_by != AUTHOR or score.evaluated.settings == "published":
        return ""
    rule = published_rule(model)
    if rule is None:
        return ""
    unlike: dict[str, None] = {}
    for role, prompt in (score.prompts or {"symmetric": ""}).items():
        published = rule(Use(score.task, score.category, cast(Role, role)))
        if published.normalize is False and score.normalize is not False:
            unlike["published with vectors that were not normalized"] = None
        if published.prompt != prompt:
            unlike[
                f"published with {_quoted(published.prompt)} before a {_NAMES[role]}, measured with {_quoted(prompt)}"
            ] = None
    return "; ".join(unlike)


def _quoted(prompt: str) -> str:
    return f'"{prompt}"' if prompt else "nothing"
