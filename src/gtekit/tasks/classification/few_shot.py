"""Classification from examples: logistic regression on embeddings, judged on texts that it has not seen."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast, get_args

import numpy as np

from gtekit.arrays import Floats
from gtekit.errors import ArgumentError
from gtekit.inputs import check_count, check_texts, choose_prompt, read_options
from gtekit.tasks.alike import marked_options
from gtekit.tasks.classification.abstention import (
    OperatingPoint,
    operating_points,
    threshold_for_accuracy,
    threshold_for_coverage,
)
from gtekit.tasks.classification.classifier import Classifier, FitReport, Head, Seen
from gtekit.tasks.classification.cross_validation import (
    CANDIDATES,
    FOLDS,
    ClassWeight,
    OutOfFold,
    cross_validate,
    estimate_scores,
    fit_regression,
    load_sklearn,
)
from gtekit.tasks.classification.labels import Label, check_labels, fewest_examples, number_labels
from gtekit.tasks.classification.predictions import check_share, check_vectors

if TYPE_CHECKING:
    from gtekit.any_model import AnyModel
    from gtekit.config import EncodeKeywords


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How to fit: the arguments of `fit_classifier`, checked."""

    c: float | None
    class_weight: ClassWeight | None
    folds: int
    abstain_below: float
    least_accuracy: float | None
    least_coverage: float | None


def fit_classifier(
    model: "AnyModel",
    texts: Sequence[str],
    labels: Iterable[object],
    *,
    c: float | None = None,
    class_weight: ClassWeight | None = None,
    folds: int = FOLDS,
    abstain_below: float = 0.0,
    least_accuracy: float | None = None,
    least_coverage: float | None = None,
    encode: "EncodeKeywords | None" = None,
    vectors: Floats | None = None,
) -> Classifier:
    """Fit a logistic regression on the embeddings of examples.

    `c=1.0, folds=0` is the regression of MTEB's classification tasks. On unit vectors it is held back so much that
    few labels get more than half of the probability; c from cross-validation also gives probabilities to abstain by.

    Args:
        model: What `gtekit.load` gave.
        texts: Examples, a list of str.
        labels: One for each text: all str, or all int.
        c: Inverse strength of the L2 penalty; None: of 0.1, 1, 10 and 100 the one with the least log loss in
            cross-validation.
        class_weight: "balanced" lets rare classes count as much as frequent ones.
        folds: Of the stratified cross-validation, fewer where a class has fewer examples; 0: none, which takes a `c`.
        abstain_below: Labels less probable than this become None.
        least_accuracy: Choose that threshold instead: the one that labels the most texts with this accuracy.
        least_coverage: Or the highest one that labels this share of the texts.
        encode: The options of `Embedder.encode`; they are kept for every text to come. Prompts as in `zero_shot`.
        vectors: The embeddings of the texts where they are there already, shape (N, D).

    Raises:
        ArgumentError: If a value is not possible, there are fewer than two labels, or one has a single example and
            there is cross-validation.
        ShapeError: If texts, labels and vectors are not equally many.
        MissingExtraError: If scikit-learn is not installed.
    """
    plan = check_plan(c, class_weight, folds, abstain_below, least_accuracy, least_coverage)
    checked = check_texts(texts)
    named = check_examples(labels, len(checked), folds)
    classes, truths = number_labels(named)
    used_folds = min(plan.folds, fewest_examples(named)[0])
    load_sklearn()  # what is not installed is known before the texts are embedded
    options = effective_options(model, encode or {})
    embedded = model.encode(checked, **options) if vectors is None else check_vectors(vectors, len(checked))
    candidates = CANDIDATES if plan.c is None else (plan.c,)
    found = cross_validate(embedded, truths, used_folds, candidates, class_weight) if used_folds else None
    chosen_c = found.c if found else candidates[0]
    chosen = _choose_threshold(found, plan)
    coefficients, intercepts = fit_regression(embedded, truths, chosen_c, class_weight)
    return Classifier(
        model,
        Head(classes=classes, coefficients=coefficients, intercepts=intercepts),
        _report(named, classes, chosen_c, class_weight, found, chosen),
        abstain_below=chosen.threshold if chosen else plan.abstain_below,
        encode=options,
        seen=Seen(truths, found.predicted, found.confidence) if found else None,
    )


def effective_options(model: "AnyModel", encode: "EncodeKeywords") -> "EncodeKeywords":
    """Give the options that decide the vectors, as plain values, with the prompt spelled out where there is one.

    Raises:
        ArgumentError: If there is no such option, or its value is not possible.
    """
    marked = marked_options(model, encode)
    chosen = read_options(marked, dimension=model.dimension)
    prompt = choose_prompt(model.prompts, model.checkpoint.default_prompt_name, chosen)
    options = {name: value for name, value in marked.items() if name not in ("prompt", "prompt_name")}
    for name in ("dimensions", "batch_tokens"):  # whole numbers of numpy are taken as well, and are no JSON
        if options.get(name) is not None:
            options[name] = int(options[name])  # type: ignore[call-overload]
    if prompt or chosen.prompt is not None:
        options["prompt"] = prompt
    return cast("EncodeKeywords", options)


def check_examples(labels: Iterable[object], texts: int, folds: int = FOLDS) -> list[Label]:
    """Give one label for each text, made sure to be such that a classifier can be fitted.

    Raises:
        ShapeError: If there are more or fewer labels than texts.
        ArgumentError: If a label is missing, there are fewer than two, or one has a single example and there are folds.
    """
    named = check_labels(labels, texts)
    number_labels(named)
    count, rarest, index = fewest_examples(named)
    if folds and count == 1:
        single = sum(number == 1 for number in Counter(named).values())
        more = f" ({single - 1:,} more labels have one)" if single > 1 else ""
        raise ArgumentError(
            f"labels[{index}]: the label {rarest!r} has one example only{more}; it can't be learned and tested on as "
            f"well. Add examples of it, leave it out, or fit without cross-validation: c=10.0, folds=0."
        )
    return named


def check_plan(
    c: float | None,
    class_weight: ClassWeight | None,
    folds: int,
    abstain_below: float,
    least_accuracy: float | None,
    least_coverage: float | None,
) -> Plan:
    """Check the arguments of `fit_classifier` that need no texts.

    Raises:
        ArgumentError: If a value is not possible, or two of them contradict each other.
    """
    is_number = isinstance(c, int | float | np.integer | np.floating) and not isinstance(c, bool)
    if c is not None and (not is_number or not 0 < c < float("inf")):
        raise ArgumentError(f"c={c!r} is not possible; choose a number above 0, or None for cross-validation.")
    if class_weight is not None and class_weight not in get_args(ClassWeight):
        raise ArgumentError(f"class_weight={class_weight!r} is not possible; choose 'balanced' or None.")
    check_count("folds", folds, least=0)
    if folds == 1:
        raise ArgumentError("folds=1 is not possible; choose 2 or more, or 0 for no cross-validation.")
    asked = {"least_accuracy": least_accuracy, "least_coverage": least_coverage, "abstain_below": abstain_below or None}
    given = [name for name, value in asked.items() if value is not None]
    if len(given) > 1:
        raise ArgumentError(f"{' and '.join(given)} both choose the threshold; leave one out.")
    if folds == 0 and (c is None or least_accuracy is not None or least_coverage is not None):
        need = "c" if c is None else given[0]
        fix = "give c, such as c=1.0" if c is None else "give abstain_below"
        raise ArgumentError(f"{need} is found by cross-validation, and folds=0 leaves it out; {fix}, or allow folds.")
    return Plan(
        c=None if c is None else float(c),
        class_weight=class_weight,
        folds=int(folds),
        abstain_below=check_share("abstain_below", abstain_below),
        least_accuracy=None if least_accuracy is None else check_share("least_accuracy", least_accuracy),
        least_coverage=None if least_coverage is None else check_share("least_coverage", least_coverage),
    )


def _choose_threshold(found: OutOfFold | None, plan: Plan) -> OperatingPoint | None:
    if found is None:
        return None
    is_correct = found.predicted == found.truths
    if plan.least_accuracy is not None:
        return threshold_for_accuracy(found.confidence, is_correct, plan.least_accuracy)
    if plan.least_coverage is not None:
        return threshold_for_coverage(found.confidence, is_correct, plan.least_coverage)
    return None


def _report(
    labels: Sequence[Label],
    classes: Sequence[Label],
    c: float,
    class_weight: ClassWeight | None,
    found: OutOfFold | None,
    chosen: OperatingPoint | None,
) -> FitReport:
    counts = Counter(labels)
    examples = tuple(counts[label] for label in classes)
    if found is None:
        return FitReport(texts=len(labels), examples=examples, c=c, class_weight=class_weight, folds=0)
    accuracy, macro_f1 = estimate_scores(found.predicted, found.truths, len(classes))
    return FitReport(
        texts=len(labels),
        examples=examples,
        c=c,
        class_weight=class_weight,
        folds=found.folds,
        candidates=found.candidates,
        accuracy=accuracy,
        macro_f1=macro_f1,
        abstention=operating_points(found.confidence, found.predicted == found.truths),
        chosen=chosen,
    )
