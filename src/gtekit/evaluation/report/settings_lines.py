"""What each measured model was run with: vectors of length 1 or not, prompts, tokens, precision."""

from collections.abc import Mapping, Sequence
from itertools import groupby

from gtekit.evaluation.report.content import SettingsLine, TaskLine
from gtekit.evaluation.results import TaskScore

WHY_SETTINGS_MATTER = (
    "Default settings are what a user of the model gets. Published settings are what the author's score was made with. "
    "The authors of GTE, E5 and BGE scored vectors that were not normalized, which moves classification by points, "
    'clustering by tenths and cosines not at all; E5 also needs its prefixes "query: " and "passage: ".'
)
_NORMALIZED: Mapping[bool | None, str] = {True: "yes", False: "no", None: "as the model says"}


def settings_lines(tasks: Sequence[TaskLine]) -> list[SettingsLine]:
    """Give a line for each measured model."""
    return [
        _line(label, [line.measured for line in lines]) for label, lines in groupby(tasks, key=lambda line: line.label)
    ]


def _line(label: str, scores: Sequence[TaskScore]) -> SettingsLine:
    evaluated = scores[0].evaluated
    cut = [score.texts_cut for score in scores if score.texts_cut is not None]
    return SettingsLine(
        label=label,
        kind=evaluated.kind,
        precision=evaluated.precision,
        settings=evaluated.settings,
        max_tokens=evaluated.max_tokens,
        dimension=scores[0].dimension,
        fingerprint=evaluated.fingerprint,
        normalized=_by_category([(_NORMALIZED[score.normalize], score.category) for score in scores]),
        prompts=_by_category([(_prompts(score), score.category) for score in scores]),
        texts_cut=sum(cut) if cut else None,
    )


def _prompts(score: TaskScore) -> str:
    return ", ".join(f"{role} {prompt!r}" for role, prompt in score.prompts.items() if prompt) or "none"


def _by_category(values: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """Say a value once where all tasks have it, else in which categories each stands."""
    categories: dict[str, list[str]] = {}
    for value, category in values:
        categories.setdefault(value, [])
        if category not in categories[value]:
            categories[value].append(category)
    if len(categories) == 1:
        return tuple(categories)
    return tuple(f"{value}: {', '.join(of)}" for value, of in categories.items())
