"""Labels for texts in one call, from whatever there is: names or descriptions of the labels, or examples."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from gtekit.errors import ArgumentError
from gtekit.tasks.classification.few_shot import fit_classifier
from gtekit.tasks.classification.predictions import Predictions
from gtekit.tasks.classification.zero_shot import Descriptions, zero_shot

if TYPE_CHECKING:
    from gtekit.any_model import AnyModel


def classify(
    model: "AnyModel",
    texts: Sequence[str],
    labels: Descriptions | Sequence[str] | None = None,
    *,
    examples: tuple[Sequence[str], Iterable[object]] | None = None,
    abstain_below: float = 0.0,
) -> Predictions:
    """Give each text a label.

    Args:
        model: What `gtekit.load` gave.
        texts: A list of str.
        labels: Names of labels, or a description or several for each: see `zero_shot`.
        examples: In place of labels: texts, and a label for each; see `fit_classifier`, which is also the way to
            classify with the same examples again.
        abstain_below: Labels less probable than this become None.

    Raises:
        ArgumentError: If there are neither labels nor examples, or both; or as `zero_shot` and `fit_classifier` say.
        MissingExtraError: If there are examples and scikit-learn is not installed.
    """
    if (labels is None) == (examples is None):
        raise ArgumentError("give either labels, to choose by their descriptions, or examples=(texts, labels).")
    if labels is not None:
        return zero_shot(model, texts, labels, abstain_below=abstain_below)
    assert examples is not None
    try:
        example_texts, example_labels = examples
    except (TypeError, ValueError):
        raise ArgumentError("examples has to be two lists of the same length: (texts, labels).") from None
    return fit_classifier(model, example_texts, example_labels, abstain_below=abstain_below).predict(texts)
