"""A threshold on cosines, fitted to labelled pairs."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gtekit
from gtekit.arrays import Array
from gtekit.errors import ArgumentError, FileFormatError, ShapeError, SpaceError
from gtekit.tasks.pairs.pair_classifier import (
    Measure,
    PairClassifier,
    average_precision,
    best_threshold,
    fit_pairs,
    load_pairs,
)

LEFT = ["a cat sleeps", "sort a list", "fine weather", "a fast train", "fresh bread", "a long river"] * 2
RIGHT = [
    *[
        "the cat is asleep",
        "list sorting",
        "the weather is fine",
        "the train is fast",
        "bread, fresh",
        "the river is long",
    ],
    *["list sorting", "a cat", "bread", "a river", "the train", "the weather"],
]
LABELS = [1] * 6 + [0] * 6
scored = st.lists(st.tuples(st.integers(-8, 8), st.booleans()), min_size=2).filter(
    lambda pairs: len({label for _, label in pairs}) == 2
)


@pytest.fixture(scope="module")
def fitted(minilm: gtekit.Embedder) -> PairClassifier:
    return fit_pairs(minilm, LEFT, RIGHT, LABELS, data="made up")


def arrays(pairs: list[tuple[int, bool]]) -> tuple[Array, Array]:
    scores, labels = zip(*pairs, strict=True)
    return np.array(scores, np.float32) / 8, np.array(labels, np.int64)


def test_pairs_are_told_apart(minilm: gtekit.Embedder, fitted: PairClassifier) -> None:
    assert fitted.predict(LEFT, RIGHT).tolist() == [bool(label) for label in LABELS]
    assert fitted.figures.average_precision == 1
    assert (fitted.figures.pairs, fitted.figures.positives, fitted.figures.majority) == (12, 6, 0.5)
    assert fitted.figures.accuracy >= 0.75
    assert "12 pairs" in str(fitted)


def test_texts_embedded_in_another_way_are_refused(fitted: PairClassifier) -> None:
    with pytest.raises(SpaceError, match="the threshold was fitted to vectors of 384 dimensions"):
        fitted.predict(LEFT, RIGHT, dimensions=128)


def test_a_file_brings_it_back(minilm: gtekit.Embedder, fitted: PairClassifier, tmp_path: Path) -> None:
    fitted.save(tmp_path / "pairs.json")
    assert load_pairs(tmp_path / "pairs.json", minilm) == fitted


def test_another_model_is_refused(fitted: PairClassifier, tmp_path: Path, tiny_checkpoint: Path) -> None:
    fitted.save(tmp_path / "pairs.json")
    with pytest.raises(SpaceError, match="was fitted to sentence-transformers/all-MiniLM-L6-v2"):
        load_pairs(tmp_path / "pairs.json", gtekit.load(tiny_checkpoint))


@pytest.mark.parametrize("change", [{"threshold": "x"}, {"measure": "recall"}, {"figures": {}}, {"model": 3}])
def test_a_damaged_file_is_refused(
    minilm: gtekit.Embedder, fitted: PairClassifier, tmp_path: Path, change: dict[str, object]
) -> None:
    fitted.save(tmp_path / "pairs.json")
    values = json.loads((tmp_path / "pairs.json").read_text("utf-8"))
    (tmp_path / "pairs.json").write_text(json.dumps({**values, **change}), "utf-8")
    with pytest.raises(FileFormatError, match="is a damaged gtekit pair classifier 1"):
        load_pairs(tmp_path / "pairs.json", minilm)


@pytest.mark.parametrize("measure", ["accuracy", "f1"])
@settings(deadline=None)
@given(scored)
def test_no_other_threshold_is_better(measure: Measure, pairs: list[tuple[int, bool]]) -> None:
    scores, labels = arrays(pairs)

    def value(threshold: float) -> float:
        predicted = scores.astype(float) >= threshold
        if measure == "accuracy":
            return float((predicted == (labels == 1)).mean())
        return float(2 * (predicted & (labels == 1)).sum() / (predicted.sum() + labels.sum()))

    others = np.unique(np.concatenate([scores, scores + 1 / 16, [-2.0, 2.0]]))
    assert value(best_threshold(scores, labels, measure)) == pytest.approx(max(map(value, others)))


def test_scores_next_to_each_other_are_told_apart() -> None:
    low = np.float32(0.7)
    scores = np.array([low, np.nextafter(low, np.float32(1))])
    threshold = best_threshold(scores, [0, 1])
    assert (scores.astype(float) >= threshold).tolist() == [False, True]


@settings(deadline=None)
@given(scored)
def test_average_precision_is_that_of_scikit_learn(pairs: list[tuple[int, bool]]) -> None:
    from sklearn.metrics import average_precision_score

    scores, labels = arrays(pairs)
    assert average_precision(scores, labels) == pytest.approx(average_precision_score(labels, scores))


def test_what_can_not_be_fitted_is_refused(minilm: gtekit.Embedder) -> None:
    with pytest.raises(ArgumentError, match="measure='recall' is not possible"):
        fit_pairs(minilm, LEFT, RIGHT, LABELS, measure="recall")  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="all 12 pairs have the label 0"):
        fit_pairs(minilm, LEFT, RIGHT, [0] * 12)
    with pytest.raises(ShapeError, match="one of each for every pair"):
        best_threshold(np.ones(3), [0, 1])
