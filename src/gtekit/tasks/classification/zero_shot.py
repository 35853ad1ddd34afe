"""Classification without examples: the label whose description is nearest to the text."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from gtekit.arrays import Floats
from gtekit.cosines import l2_normalize, similarity
from gtekit.errors import ArgumentError, TextTypeError
from gtekit.inputs import check_texts
from gtekit.tasks.alike import alike_options
from gtekit.tasks.classification.labels import Label, check_label
from gtekit.tasks.classification.predictions import Predictions, check_share, check_vectors, choose_labels, softmax

if TYPE_CHECKING:
    from gtekit.any_model import AnyModel
    from gtekit.config import EncodeKeywords

Descriptions = Mapping[str, str | Sequence[str]]
# What the families divided cosines by when they were trained: GTE arXiv:2308.03281, E5 arXiv:2212.03533,
# sentence-transformers' losses (a scale of 20). With the 77 names of Banking77 as descriptions, confidence and accuracy
# of all-MiniLM-L6-v2 lie 5 points apart at 0.05, 25 at 0.02 and 25 at 0.1 (ECE, benchmarks/classification.py).
TRAINED_TEMPERATURES = {"gte-": 0.01, "e5-": 0.01, "all-minilm-": 0.05}
TEMPERATURE = 0.05  # of every other model: rather too little confidence than too much


def zero_shot(
    model: "AnyModel",
    texts: Sequence[str],
    labels: Descriptions | Sequence[str],
    *,
    template: str | None = None,
    temperature: float | None = None,
    abstain_below: float = 0.0,
    encode: "EncodeKeywords | None" = None,
    vectors: Floats | None = None,
) -> Predictions:
    """Give each text the label whose description is most like it.

    The probabilities are the softmax of the cosines divided by the temperature. They are good for ranking and for
    abstention; for probabilities that hold, fit a classifier on examples.

    Args:
        model: What `gtekit.load` gave.
        texts: A list of str.
        labels: The description of each label, or several, which are averaged. A list of labels describes each by its
            own name, with spaces for underscores.
        template: Put around each description, which stands for its {}: "This text is about {}". None: as they are.
        temperature: What cosines are divided by; None: `default_temperature(model.name)`.
        abstain_below: Labels less probable than this become None.
        encode: The options of `Embedder.encode`, for texts and descriptions alike. A model that marks queries and
            documents (E5) puts the mark of queries before both, unless a prompt is named.
        vectors: The embeddings of the texts where they are there already, shape (N, D).

    Raises:
        ArgumentError: If there are fewer than two labels, one has no description, or the template has no {}.
        TextTypeError: If something in `texts` is not a str.
        ShapeError: If `vectors` are not as many as the texts, or not of the model's dimensions.
    """
    threshold = check_share("abstain_below", abstain_below)
    described = describe_labels(labels, template)
    checked = check_texts(texts)
    divisor = default_temperature(model.name) if temperature is None else check_temperature(temperature)
    options = alike_options(model, encode or {})
    given = None if vectors is None else check_vectors(vectors, len(checked))
    descriptions = [description for several in described.values() for description in several]
    centers = _centers(model.encode(descriptions, **options), described)
    cosines = similarity(model.encode(checked, **options) if given is None else given, centers)
    return choose_labels(softmax(cosines / np.float32(divisor)), tuple(described), threshold)


def describe_labels(labels: Descriptions | Sequence[str], template: str | None = None) -> dict[Label, list[str]]:
    """Give the descriptions of each label, at least one, in the template.

    Raises:
        ArgumentError: If there are fewer than two labels, one has no description, or the template has no {}.
    """
    if isinstance(labels, str | bytes):
        raise ArgumentError(
            f"labels is one {type(labels).__name__}; pass a list of labels, or a mapping to descriptions."
        )
    if isinstance(labels, set | frozenset):
        raise ArgumentError(
            f"labels is a {type(labels).__name__}, which has no order: scores and ties would differ from run to run. "
            f"Pass a list: sorted(labels)."
        )
    if not isinstance(labels, Iterable):
        raise ArgumentError(f"labels is a {type(labels).__name__}; pass a list, or a mapping to descriptions.")
    if template is not None and template.count("{}") != 1:
        raise ArgumentError(f"template={template!r} has to hold {{}} once, where the description goes.")
    entries = labels.items() if isinstance(labels, Mapping) else [(label, None) for label in labels]
    described: dict[Label, list[str]] = {}
    for index, (label, description) in enumerate(entries):
        name = check_label(label, f"labels[{index}]")
        if name in described:
            raise ArgumentError(f"labels[{index}] is {name!r}, which is there before; name each label once.")
        described[name] = [
            text if template is None else template.replace("{}", text) for text in _texts_of(name, description)
        ]
    if len(described) < 2:
        raise ArgumentError(f"there is {len(described)} label; choosing takes two or more.")
    return described


def default_temperature(name: str) -> float:
    """Give what cosines of a model are divided by, from its name: the temperature that its family was trained with."""
    short = name.replace("\\", "/").rstrip("/").rpartition("/")[2].lower()
    return next((value for family, value in TRAINED_TEMPERATURES.items() if short.startswith(family)), TEMPERATURE)


def check_temperature(temperature: float) -> float:
    """Give the temperature if it can be divided by.

    Raises:
        ArgumentError: If it is no number above 0.
    """
    is_number = isinstance(temperature, int | float) and not isinstance(temperature, bool)
    if not is_number or not 0 < temperature < float("inf"):
        raise ArgumentError(f"temperature={temperature!r} is not possible; choose a number above 0, such as 0.05.")
    return float(temperature)


def _texts_of(label: Label, description: object) -> list[str]:
    if description is None:
        return [str(label).replace("_", " ")]
    texts = [description] if isinstance(description, str) else description
    try:
        found = check_texts(texts)  # type: ignore[arg-type]
    except TextTypeError as error:
        raise ArgumentError(f"the description of label {label!r} is not usable: {error}") from None
    if not found or not all(text.strip() for text in found):
        raise ArgumentError(f"label {label!r} has no description, or an empty one; say in a few words what it means.")
    return found


def _centers(embeddings: Floats, described: Mapping[Label, Sequence[str]]) -> Floats:
    """Average the descriptions of each label, each with length 1, shape (C, D)."""
    ends = np.cumsum([len(texts) for texts in described.values()])
    unit = l2_normalize(embeddings)
    return np.stack([part.mean(axis=0) for part in np.split(unit, ends[:-1])])
