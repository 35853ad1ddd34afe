"""The scores that others have published, task by task, and their averages with the number of tasks behind each.

The facts are in official_scores.json, taken from github.com/embeddings-benchmark/results at a commit that the file
names. `tasks` are the main scores of the models' authors, where they gave any; `rerun` those of the MTEB team.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from gtekit.errors import ArgumentError
from gtekit.evaluation.page import ALL_TASKS, CATEGORIES, PAGE

# Two of sentence-t5-xxl's files give an average precision as their main score and not the accuracy: with them its
# classification averages 65.64 and not the 73.42 of its card, and all of the difference lies in these two.
OTHER_METRIC: Mapping[str, frozenset[str]] = {
    "sentence-t5-xxl": frozenset({"AmazonCounterfactualClassification", "ToxicConversationsClassification"})
}


@dataclass(frozen=True, slots=True)
class Average:
    """A mean of task scores that never hides how many tasks it stands on."""

    mean: float | None  # None where no task has a score
    tasks: int
    of: int

    @property
    def is_whole(self) -> bool:
        """Whether every task of the category is in it."""
        return self.tasks == self.of


@dataclass(frozen=True, slots=True)
class PublishedModel:
    """What is published of one model."""

    name: str
    scores: Mapping[str, float]  # by task, in points; pair classification by the average precision of cosines
    reruns: Mapping[str, float]  # of the MTEB team, where it ran the task again
    sources: Mapping[str, str]  # by task: the revision in the results repository, or "external" for the model card


@cache
def _file() -> Mapping[str, Any]:
    text = files("gtekit.evaluation").joinpath("official_scores.json").read_text(encoding="utf-8")
    content: Mapping[str, Any] = json.loads(text)
    return content


def source() -> str:
    """Say where the published scores come from."""
    about = _file()["_about"]
    return f"{about['repo'].replace(' ', '.com/')} at {about['head'][:12]}"


@cache
def task_categories() -> Mapping[str, str]:
    """Give the category of each of the 56 tasks, in the order of the file."""
    counts = iter(_CATEGORY_ORDER)
    categories: dict[str, str] = {}
    names = iter(_file()["gte-small"]["tasks"])
    for category in counts:
        for _ in range(CATEGORIES[category]):
            categories[next(names)] = category
    return categories


_CATEGORY_ORDER = (  # of the tasks in the file
    "Classification",
    "Clustering",
    "PairClassification",
    "Reranking",
    "Retrieval",
    "STS",
    "Summarization",
)


def published_names() -> list[str]:
    """Name every model with published scores, those of the page first."""
    of_page = [row.model for row in PAGE]
    return of_page + [name for name in _file() if name != "_about" and name not in of_page]


def find_published(model: str) -> PublishedModel | None:
    """Give what is published of a model, by its name alone or with its true owner; None where nothing is."""
    owner, _, short = model.lower().rpartition("/")
    name = {known.lower(): known for known in published_names()}.get(short)
    return published(name) if name and owner in ("", _owner(name)) else None


def _owner(name: str) -> str:
    folder: str = _file()[name]["folder"]
    return folder.partition("__")[0].lower()


@cache
def published(name: str) -> PublishedModel:
    """Give what is published of a model.

    Raises:
        ArgumentError: If nothing is.
    """
    if name not in published_names():
        raise ArgumentError(f"nothing is published here of {name!r}; choose from: {', '.join(published_names())}.")
    entry = _file()[name]
    left_out = OTHER_METRIC.get(name, frozenset())
    cosine = entry["pair_cosine_ap"]  # what the page has; the main score is the best of four similarities

    def in_points(scores: Mapping[str, float], replaced: Mapping[str, float]) -> dict[str, float]:
        return {task: replaced.get(task, score) for task, score in scores.items() if task not in left_out}

    return PublishedModel(name, in_points(entry["tasks"], cosine), in_points(entry["rerun"], {}), entry["source"])


def average(scores: Mapping[str, float], category: str | None = None) -> Average:
    """Average the scores of one category, or of all 56 tasks: the plain mean over tasks, as on the page."""
    categories = task_categories()
    wanted = [task for task, of in categories.items() if category in (None, of)]
    found = [scores[task] for task in wanted if task in scores]
    return Average(sum(found) / len(found) if found else None, len(found), CATEGORIES.get(category or "", ALL_TASKS))


def averages(scores: Mapping[str, float]) -> dict[str, Average]:
    """Average the scores by category, in the order of the page, and over all tasks under "Average"."""
    return {"Average": average(scores), **{category: average(scores, category) for category in CATEGORIES}}


def same_tasks(scores: Mapping[str, float], tasks: Iterable[str]) -> dict[str, float]:
    """Keep the scores of these tasks: what an average over a few tasks may be compared with."""
    wanted = set(tasks)
    return {task: score for task, score in scores.items() if task in wanted}
