"""What the measured models of a folder are called: a name each, also where two differ in a detail only."""

from collections import Counter
from collections.abc import Mapping, Sequence

from gtekit.errors import ArgumentError
from gtekit.evaluation.results import EvaluatedAs, TaskScore

Labels = Mapping[EvaluatedAs, str]

_KINDS = ("gtekit", "sentence-transformers", "openai")
_PRECISIONS = ("float32", "int8")


def label_models(scores: Sequence[TaskScore]) -> dict[EvaluatedAs, str]:
    """Name every model, those of one checkpoint beside each other, float32 first.

    Two that share their usual name get the number of tokens behind it, and where that is the same as well, the
    beginning of the fingerprint.
    """
    models = sorted({score.evaluated for score in scores}, key=_order)
    labels = {model: model.label for model in models}
    for detail in (_tokens, _fingerprint):
        counts = Counter(labels.values())
        labels = {
            model: f"{label} ({detail(model)})" if counts[label] > 1 else label for model, label in labels.items()
        }
    return labels


def choose_models(scores: Sequence[TaskScore], names: Sequence[str]) -> list[TaskScore]:
    """Keep the scores of the models that have one of these labels, or of all that have one of these as their model.

    Raises:
        ArgumentError: If a name fits none.
    """
    labels = label_models(scores)
    wanted = {model for name in names for model in _fitting(labels, name)}
    return [score for score in scores if score.evaluated in wanted]


def find_model(labels: Labels, name: str) -> EvaluatedAs:
    """Find the one model that a name means: a label, or a model that was measured in one way only.

    Raises:
        ArgumentError: If it means none or several.
    """
    found = _fitting(labels, name)
    if len(found) > 1:
        several = ", ".join(labels[model] for model in found)
        raise ArgumentError(f"{name!r} was measured in several ways; choose one of them: {several}.")
    return found[0]


def _fitting(labels: Labels, name: str) -> list[EvaluatedAs]:
    exact = [model for model, label in labels.items() if label.lower() == name.lower()]
    found = exact or [model for model in labels if model.model.lower() == name.lower()]
    if not found:
        raise ArgumentError(f"no scores of {name!r} are here; there are: {', '.join(labels.values())}.")
    return found


def _order(model: EvaluatedAs) -> tuple[object, ...]:
    return (
        model.model.lower(),
        model.settings,
        _place(model.kind, _KINDS),
        _place(model.precision, _PRECISIONS),
        model.precision,
        model.max_tokens or 0,
        model.fingerprint,
    )


def _place(name: str, order: Sequence[str]) -> int:
    return order.index(name) if name in order else len(order)


def _tokens(model: EvaluatedAs) -> str:
    return "tokens unknown" if model.max_tokens is None else f"{model.max_tokens} tokens"


def _fingerprint(model: EvaluatedAs) -> str:
    return model.fingerprint if model.kind == "openai" else model.fingerprint[:12]
