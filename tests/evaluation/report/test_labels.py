"""Names of the measured models: each its own, in an order that puts what belongs together side by side."""

from dataclasses import replace

import pytest

from gtekit.errors import ArgumentError
from gtekit.evaluation.report import choose_models
from gtekit.evaluation.report.labels import find_model, label_models
from tests.evaluation.report.scores import MINILM, evaluated, score


def test_float32_comes_before_int8_and_gtekit_before_others() -> None:
    models = [
        evaluated("zebra"),
        evaluated(kind="openai", precision=""),
        evaluated(kind="sentence-transformers"),
        evaluated(settings="published"),
        evaluated(precision="int8"),
        evaluated(),
    ]
    assert list(label_models([score("STS12", 1.0, of) for of in models]).values()) == [
        f"{MINILM}@float32",
        f"{MINILM}@int8",
        f"sentence-transformers:{MINILM}",
        f"openai:{MINILM}",
        f"{MINILM}@float32+published",
        "zebra@float32",
    ]


def test_models_that_differ_in_a_detail_get_it_behind_their_names() -> None:
    first = replace(evaluated(), fingerprint="a" * 64)
    labels = label_models(
        [score("STS12", 1.0, of) for of in (first, replace(first, max_tokens=128), replace(first, max_tokens=None))]
    )
    assert set(labels.values()) == {
        f"{MINILM}@float32 (256 tokens)",
        f"{MINILM}@float32 (128 tokens)",
        f"{MINILM}@float32 (tokens unknown)",
    }
    labels = label_models([score("STS12", 1.0, of) for of in (first, replace(first, fingerprint="b" * 64))])
    assert set(labels.values()) == {
        f"{MINILM}@float32 (256 tokens) (aaaaaaaaaaaa)",
        f"{MINILM}@float32 (256 tokens) (bbbbbbbbbbbb)",
    }


def test_models_are_chosen_by_label_or_by_model() -> None:
    scores = [
        score("STS12", 1.0),
        score("STS12", 2.0, evaluated(precision="int8")),
        score("STS12", 3.0, evaluated("x")),
    ]
    assert [one.score for one in choose_models(scores, ["ALL-MiniLM-l6-v2@int8"])] == [2.0]
    assert [one.score for one in choose_models(scores, [MINILM])] == [1.0, 2.0]
    assert [one.score for one in choose_models(scores, ["x", f"{MINILM}@float32"])] == [1.0, 3.0]
    with pytest.raises(ArgumentError, match="no scores of 'y' are here; there are: all-MiniLM-L6-v2@float32, "):
        choose_models(scores, ["y"])


def test_one_model_is_meant_or_the_choices_are_named() -> None:
    labels = label_models([score("STS12", 1.0), score("STS12", 2.0, evaluated(precision="int8"))])
    assert find_model(labels, f"{MINILM}@int8").precision == "int8"
    with pytest.raises(ArgumentError, match=r"measured in several ways; choose one of them: .*@float32, .*@int8"):
        find_model(labels, MINILM)
