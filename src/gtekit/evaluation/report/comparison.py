"""Two measured models, task by task: which is better, and whether the difference is real."""

from collections.abc import Iterator, Mapping, Sequence

from gtekit.errors import ArgumentError, MissingExtraError
from gtekit.evaluation.bootstrap import ENOUGH_ITEMS, compare
from gtekit.evaluation.report.content import Comparison, TaskDifference
from gtekit.evaluation.report.labels import Labels, find_model, label_models
from gtekit.evaluation.report.task_lines import place_of
from gtekit.evaluation.results import EvaluatedAs, ResultStore, TaskScore

NEEDS_METRICS = 'needs the extra "metrics"'
NO_ITEMS = "no items were kept"
OTHER_ITEMS = "the kept items do not give these scores"
SAME_SCORE = 0.02  # points: each score may be 0.01 from what its items give
CHANCE = 0.05  # share of equal models that draws call different


def compare_models(
    store: ResultStore, first: str, second: str, scores: Sequence[TaskScore] | None = None
) -> Comparison:
    """Compare any two measured models on every task that both have.

    Args:
        store: Where the scores and their items are.
        first: A label, such as all-MiniLM-L6-v2@int8, or the name of a model that was measured in one way only.
        second: Another.
        scores: Those of the store, where they have been read already.

    Raises:
        ArgumentError: If a name is not there, means several, or both are the same.
        FileFormatError: If there are no scores, or a file is damaged.
    """
    scores = store.scores() if scores is None else scores
    labels = label_models(scores)
    models = find_model(labels, first), find_model(labels, second)
    if models[0] == models[1]:
        raise ArgumentError(f"{first!r} and {second!r} are the same model; there is nothing to compare.")
    return compare_pair(store, scores, labels, models)


def compare_pair(
    store: ResultStore, scores: Sequence[TaskScore], labels: Labels, models: tuple[EvaluatedAs, EvaluatedAs]
) -> Comparison:
    """Compare two models of these scores."""
    of_first, of_second = (_by_task(scores, model) for model in models)
    tasks, left_out = [], {}
    for task in _in_order({**of_first, **of_second}):
        pair = of_first.get(task), of_second.get(task)
        if pair[0] is None or pair[1] is None:
            left_out[task] = f"not measured with {labels[models[0 if pair[0] is None else 1]]}"
        elif why_not := _why_not_the_same(pair[0], pair[1]):
            left_out[task] = why_not
        else:
            tasks.append(_difference(store, pair[0], pair[1]))
    return _sum_up((labels[models[0]], labels[models[1]]), tasks, left_out)


def precision_pairs(labels: Labels) -> Iterator[tuple[EvaluatedAs, EvaluatedAs]]:
    """Yield int8 and float32 of every model that was measured in both, with the same settings and tokens."""
    for model in labels:
        if model.precision == "int8":
            for other in labels:
                if other.precision == "float32" and _key(other) == _key(model):
                    yield model, other


def _key(model: EvaluatedAs) -> tuple[object, ...]:
    return model.fingerprint, model.prompts, model.kind, model.settings, model.max_tokens


def _by_task(scores: Sequence[TaskScore], model: EvaluatedAs) -> dict[str, TaskScore]:
    return {score.task: score for score in scores if score.evaluated == model}


def _in_order(tasks: Mapping[str, TaskScore]) -> list[str]:
    return sorted(tasks, key=lambda task: (place_of(task), task))


def _why_not_the_same(first: TaskScore, second: TaskScore) -> str:
    if (first.data.revision, first.data.rows) != (second.data.revision, second.data.rows):
        return "measured on different data"
    if first.metric != second.metric:
        return f"measured by {first.metric} and by {second.metric}"
    return ""


def _difference(store: ResultStore, first: TaskScore, second: TaskScore) -> TaskDifference:
    value, low, high, items, is_real, untested = first.score - second.score, None, None, None, None, NO_ITEMS
    samples = store.samples(first), store.samples(second)
    if samples[0] is not None and samples[1] is not None:
        try:
            drawn = compare(samples[0], samples[1])
        except MissingExtraError:
            untested = NEEDS_METRICS
        except ArgumentError as error:
            untested = str(error)
        else:
            if abs(drawn.value - value) <= SAME_SCORE:
                low, high, items, is_real, untested = drawn.low, drawn.high, drawn.items, drawn.is_real, ""
                if items < ENOUGH_ITEMS:
                    is_real, untested = None, f"fewer than {ENOUGH_ITEMS} items"
            else:
                untested = OTHER_ITEMS
    return TaskDifference(
        task=first.task,
        category=first.category,
        first=first.score,
        second=second.score,
        value=value,
        low=low,
        high=high,
        items=items,
        is_real=is_real,
        untested=untested,
        is_partial=first.data.is_partial or second.data.is_partial,
    )


def _sum_up(names: tuple[str, str], tasks: Sequence[TaskDifference], left_out: Mapping[str, str]) -> Comparison:
    worst = min(tasks, key=lambda one: one.value, default=None)
    return Comparison(
        first=names[0],
        second=names[1],
        tasks=tuple(tasks),
        left_out=left_out,
        mean=sum(one.value for one in tasks) / len(tasks) if tasks else None,
        won=sum(one.is_real is True and one.value > 0 for one in tasks),
        lost=sum(one.is_real is True and one.value < 0 for one in tasks),
        undecided=sum(one.is_real is False for one in tasks),
        untested=sum(one.is_real is None for one in tasks),
        by_chance=CHANCE * sum(one.is_real is not None for one in tasks),
        largest_loss=worst if worst is not None and worst.value < 0 else None,
    )
