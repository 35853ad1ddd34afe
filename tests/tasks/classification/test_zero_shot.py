"""Classification by descriptions, with a model to which texts mean something."""

import math

import numpy as np
import pytest

import gtekit
from gtekit.errors import ArgumentError, ShapeError, TextTypeError
from gtekit.tasks import zero_shot
from gtekit.tasks.classification.zero_shot import TEMPERATURE, default_temperature, describe_labels

TEXTS = ["My parcel has not arrived yet.", "I was charged twice this month.", "The app crashes when I open it."]
LABELS = {
    "shipping": "the delivery of a parcel",
    "billing": ["payments and invoices", "money that was charged"],
    "technical": "software that does not work",
}


def test_texts_get_the_label_whose_description_means_the_same(minilm: gtekit.Embedder) -> None:
    found = zero_shot(minilm, TEXTS, LABELS)
    assert found.labels == ("shipping", "billing", "technical")
    assert found.classes == tuple(LABELS)
    assert np.allclose(found.scores.sum(axis=1), 1, atol=1e-6)  # float32
    assert np.array_equal(found.confidence, found.scores.max(axis=1))


def test_probabilities_are_the_softmax_of_cosines_by_the_temperature(minilm: gtekit.Embedder) -> None:
    found = zero_shot(minilm, TEXTS[:1], {"a": "one thing", "b": "another"}, temperature=0.2)
    cosines = minilm.similarity(minilm.encode(TEXTS[:1]), minilm.encode(["one thing", "another"]))[0]
    powers = [math.exp(float(cosine) / 0.2) for cosine in cosines]
    assert found.scores[0, 0] == pytest.approx(powers[0] / sum(powers), abs=1e-5)  # float32


def test_several_descriptions_are_averaged(minilm: gtekit.Embedder) -> None:
    found = zero_shot(minilm, TEXTS[1:2], LABELS, temperature=1.0)
    center = minilm.encode(list(LABELS["billing"])).mean(axis=0)
    cosines = minilm.similarity(
        minilm.encode(TEXTS[1:2]), np.stack([minilm.encode_one(str(LABELS["shipping"])), center])
    )[0]
    assert np.log(found.scores[0, 1] / found.scores[0, 0]) == pytest.approx(cosines[1] - cosines[0], abs=1e-5)


def test_a_text_below_the_threshold_gets_no_label_and_keeps_its_confidence(minilm: gtekit.Embedder) -> None:
    found = zero_shot(minilm, TEXTS, LABELS)
    strict = zero_shot(minilm, TEXTS, LABELS, abstain_below=float(np.median(found.confidence)))
    assert sum(label is None for label in strict.labels) == 1
    assert np.array_equal(strict.confidence, found.confidence)


def test_no_text_depends_on_the_others(minilm: gtekit.Embedder) -> None:
    together, alone = zero_shot(minilm, TEXTS, LABELS), zero_shot(minilm, TEXTS[1:2], LABELS)
    assert np.allclose(together.scores[1], alone.scores[0], atol=1e-6)  # another order of summation
    assert zero_shot(minilm, [], LABELS).scores.shape == (0, 3)


def test_vectors_that_are_there_already_give_the_same_labels(minilm: gtekit.Embedder) -> None:
    vectors = minilm.encode(TEXTS)
    assert np.array_equal(
        zero_shot(minilm, TEXTS, LABELS, vectors=vectors).scores, zero_shot(minilm, TEXTS, LABELS).scores
    )
    with pytest.raises(ShapeError, match="one for each text"):
        zero_shot(minilm, TEXTS, LABELS, vectors=vectors[1:])
    with pytest.raises(ShapeError, match="dimensions"):
        zero_shot(minilm, TEXTS, LABELS, vectors=vectors[:, :8])


def test_a_list_of_labels_describes_each_by_its_words() -> None:
    assert describe_labels(["card_arrival", "top_up"]) == {"card_arrival": ["card arrival"], "top_up": ["top up"]}
    assert describe_labels({"a": "x {y}", "b": ["1", "2"]}, "About {}.") == {
        "a": ["About x {y}."],
        "b": ["About 1.", "About 2."],
    }


def test_the_temperature_is_that_of_the_family() -> None:
    names = ["gte-small", "thenlper/gte-large", "C:\\models\\gte-base", "sentence-transformers/all-MiniLM-L6-v2"]
    assert [default_temperature(name) for name in names] == [0.01, 0.01, 0.01, 0.05]
    assert default_temperature("somebody/bert") == TEMPERATURE


@pytest.mark.parametrize(
    ("labels", "template", "message"),
    [
        ("billing", None, "one str"),
        (["a"], None, "there is 1 label"),
        ({"a", "b"}, None, "labels is a set, which has no order"),
        (3, None, "labels is a int"),
        (["a", "a"], None, r"labels\[1\] is 'a'"),
        ({"a": "x", "b": ""}, None, "'b' has no description"),
        ({"a": "x", "b": []}, None, "'b' has no description"),
        ({"a": "x", "b": [None]}, None, "label 'b'"),
        ({"a": "x", "b": 3}, None, "label 'b'"),
        (["a", "b"], "about", "template='about'"),
    ],
)
def test_labels_that_say_nothing_are_refused(labels: object, template: str | None, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        describe_labels(labels, template)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [0, -1.0, float("nan"), float("inf"), "warm"])
def test_a_temperature_that_can_not_divide_is_refused(value: float, minilm: gtekit.Embedder) -> None:
    with pytest.raises(ArgumentError, match="temperature="):
        zero_shot(minilm, TEXTS, LABELS, temperature=value)


def test_wrong_texts_and_thresholds_are_refused(minilm: gtekit.Embedder) -> None:
    with pytest.raises(TextTypeError, match=r"texts\[1\]"):
        zero_shot(minilm, ["a", None], LABELS)  # type: ignore[list-item]
    with pytest.raises(ArgumentError, match="abstain_below=50"):
        zero_shot(minilm, TEXTS, LABELS, abstain_below=50)
