"""How fast each model was on the tasks, and the ways to run one model side by side."""

from collections.abc import Mapping, Sequence
from itertools import groupby

from gtekit.evaluation.report.content import SpeedGroup, SpeedLine, SpeedVariant, TaskLine
from gtekit.evaluation.results import TaskScore

_BASE_ORDER = ("sentence-transformers", "gtekit", "openai")  # what the others are compared with, where it is there


def speed_lines(tasks: Sequence[TaskLine]) -> list[SpeedLine]:
    """Give a line for each measured model, over all its tasks."""
    return [
        _line(label, [line.measured for line in lines]) for label, lines in groupby(tasks, key=lambda line: line.label)
    ]


def speed_groups(tasks: Sequence[TaskLine]) -> list[SpeedGroup]:
    """Put the ways to run one model side by side, over the tasks that all of them have.

    Only times of one machine are compared, and only for the same texts cut at the same length. A model that was run
    in one way only makes no group.
    """
    variants: dict[tuple[str, str, int | None, str], dict[str, dict[str, TaskScore]]] = {}
    for line in tasks:
        of = line.measured
        if of.texts_embedded > 0 and of.embed_s > 0:
            key = (of.evaluated.model.lower(), of.evaluated.settings, of.evaluated.max_tokens, of.machine)
            variants.setdefault(key, {}).setdefault(line.label, {})[of.task] = of
    groups = [_group(key[3], of) for key, of in variants.items() if len(of) > 1]
    return [group for group in groups if group.tasks]


def texts_per_s(scores: Sequence[TaskScore]) -> float | None:
    """Give the texts computed a second over several tasks; None where none was computed."""
    texts, seconds = sum(score.texts_embedded for score in scores), sum(score.embed_s for score in scores)
    return texts / seconds if texts > 0 and seconds > 0 else None


def _line(label: str, scores: Sequence[TaskScore]) -> SpeedLine:
    return SpeedLine(
        label=label,
        tasks=len(scores),
        texts=sum(score.texts for score in scores),
        texts_embedded=sum(score.texts_embedded for score in scores),
        embed_s=sum(score.embed_s for score in scores),
        total_s=sum(score.total_s for score in scores),
        texts_per_s=texts_per_s(scores),
        size_bytes=scores[0].size_bytes,
        machines=tuple(dict.fromkeys(score.machine for score in scores if score.machine)),
    )


def _group(machine: str, variants: Mapping[str, Mapping[str, TaskScore]]) -> SpeedGroup:
    ordered = sorted(variants.values(), key=lambda of: _BASE_ORDER.index(next(iter(of.values())).evaluated.kind))
    labels = {id(of): label for label, of in variants.items()}
    base = ordered[0]
    common = [task for task in base if all(_same_texts(of.get(task), base[task]) for of in ordered)]
    first = next(iter(base.values()))
    made = []
    for of in ordered if common else ():
        speed, base_speed = texts_per_s([of[task] for task in common]), texts_per_s([base[task] for task in common])
        assert speed is not None  # only scores with texts and seconds are here
        assert base_speed is not None
        size = of[common[0]].size_bytes
        made.append(
            SpeedVariant(
                label=labels[id(of)],
                texts_per_s=speed,
                ratio=speed / base_speed,
                size_bytes=size,
                size_ratio=size / first.size_bytes if size and first.size_bytes else None,
                by_task={task: of[task].texts_per_s for task in common},
            )
        )
    return SpeedGroup(
        model=first.evaluated.model,
        settings=first.evaluated.settings,
        machine=machine,
        tasks=tuple(common),
        variants=tuple(made),
    )


def _same_texts(score: TaskScore | None, base: TaskScore) -> bool:
    return score is not None and (score.data.revision, score.texts) == (base.data.revision, base.texts)
