"""Classifiers as files: the same answers after reading, another model refused, damage named."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gtekit
from gtekit.errors import FileFormatError, SpaceError
from gtekit.tasks import Classifier, fit_classifier, load_classifier

pytest.importorskip("sklearn", reason="needs the extra tasks")

TEXTS = [f"text {number} of {kind}" for kind in ("one kind", "another sort", "a third") for number in range(4)]
LABELS = [label for label in ("b", "a", "ü") for _ in range(4)]


@pytest.fixture(scope="module")
def model(tiny_checkpoint: Path) -> gtekit.Embedder:
    return gtekit.load(tiny_checkpoint, language_warning=False)


@pytest.fixture(scope="module")
def classifier(model: gtekit.Embedder) -> Classifier:
    return fit_classifier(model, TEXTS, LABELS, least_coverage=0.5, encode={"prompt": "kind: ", "dimensions": 8})


def test_what_was_read_answers_to_the_bit_as_what_was_saved(
    model: gtekit.Embedder, classifier: Classifier, tmp_path: Path
) -> None:
    classifier.save(tmp_path / "kinds.classifier")
    loaded = load_classifier(tmp_path / "kinds.classifier", model)
    assert np.array_equal(loaded.predict_proba(TEXTS), classifier.predict_proba(TEXTS))
    assert loaded.predict(TEXTS).labels == classifier.predict(TEXTS).labels
    assert loaded.report == classifier.report
    assert loaded.abstain_below == classifier.abstain_below > 0


def test_a_classifier_without_cross_validation_comes_back_too(model: gtekit.Embedder, tmp_path: Path) -> None:
    saved = fit_classifier(model, TEXTS, np.repeat([1, 2, 3], 4), c=1.0, folds=0)
    saved.save(tmp_path / "numbers.classifier")
    loaded = load_classifier(tmp_path / "numbers.classifier", model)
    assert loaded.report == saved.report
    assert loaded.classes == (1, 2, 3)


def test_another_model_is_refused_and_the_right_one_named(
    minilm: gtekit.Embedder, classifier: Classifier, tmp_path: Path
) -> None:
    classifier.save(tmp_path / "kinds.classifier")
    with pytest.raises(SpaceError, match="was fitted") as caught:
        load_classifier(tmp_path / "kinds.classifier", minilm)
    assert classifier.model.name in str(caught.value)
    assert "gtekit classify fit" in str(caught.value)


def test_another_precision_of_the_same_model_may_use_it(
    tiny_checkpoint: Path, classifier: Classifier, tmp_path: Path
) -> None:
    classifier.save(tmp_path / "kinds.classifier")
    model = gtekit.load(tiny_checkpoint, precision="int8", language_warning=False)
    assert load_classifier(tmp_path / "kinds.classifier", model).predict(TEXTS).scores.shape == (12, 3)


def cut_numbers(values: dict[str, Any]) -> None:
    values["coefficients"] = values["coefficients"][:-8]


def not_finite(values: dict[str, Any]) -> None:
    values["intercepts"] = "AADAfwAAwH8AAMB/"  # three NaN


def doubled_class(values: dict[str, Any]) -> None:
    values["classes"] = ["a", "a", "b"]


def of_later(values: dict[str, Any]) -> None:
    values["version"] = 2


def without_report(values: dict[str, Any]) -> None:
    del values["report"]


def wrong_threshold(values: dict[str, Any]) -> None:
    values["abstain_below"] = 7


def unknown_option(values: dict[str, Any]) -> None:
    values["encode"] = {"speed": "high"}


@pytest.mark.parametrize(
    "damage",
    [cut_numbers, not_finite, doubled_class, of_later, without_report, wrong_threshold, unknown_option],
)
def test_damage_is_named_with_the_file(
    damage: Callable[[dict[str, Any]], None], model: gtekit.Embedder, classifier: Classifier, tmp_path: Path
) -> None:
    path = tmp_path / "kinds.classifier"
    classifier.save(path)
    values = json.loads(path.read_text(encoding="utf-8"))
    damage(values)
    path.write_text(json.dumps(values), encoding="utf-8")
    with pytest.raises(FileFormatError, match=r"kinds\.classifier"):
        load_classifier(path, model)


@pytest.mark.parametrize("content", [b"", b"\x80\x04\x95", b"[1]", b'{"kind": "gtekit pairs"}', b"[" * 100_000])
def test_files_of_another_kind_are_refused(content: bytes, model: gtekit.Embedder, tmp_path: Path) -> None:
    (tmp_path / "x.classifier").write_bytes(content)
    with pytest.raises(FileFormatError, match=r"x\.classifier"):
        load_classifier(tmp_path / "x.classifier", model)


def test_a_file_that_is_not_there_is_refused(model: gtekit.Embedder, tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match="can't be read"):
        load_classifier(tmp_path / "none.classifier", model)
