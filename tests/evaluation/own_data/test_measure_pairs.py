"""Scores of pairs, worked out by hand."""

import math

import numpy as np
import pytest

from gtekit.errors import ArgumentError
from gtekit.evaluation.metrics import best_accuracy, best_f1
from gtekit.evaluation.own_data import Evaluation, evaluate
from gtekit.evaluation.own_data.misses import BinaryMiss, GradedMiss
from tests.evaluation.own_data.fixed_model import EAST, FAR, NEAR, NORTH, WEST, FixedModel

MODEL = FixedModel({"a": EAST, "near": NEAR, "far": FAR, "north": NORTH, "west": WEST, "": NORTH})
TEXTS = ["near", "far", "north", "west"]  # cosines with "a": 0.8, 0.6, 0, -1


def pairs(*values: float) -> list[tuple[str, str, float]]:
    return [("a", text, value) for text, value in zip(TEXTS, values, strict=True)]


def places(found: Evaluation) -> list[str]:
    return [miss.place for miss in found.misses if isinstance(miss, GradedMiss | BinaryMiss)]


def test_graded_pairs_give_the_correlations() -> None:
    found = evaluate(MODEL, pairs=pairs(5, 3, 4, 1))
    # ranks of the cosines 1 2 3 4, of the values 1 3 2 4: 1 - 6 * (0 + 1 + 1 + 0) / (4 * 15)
    assert found.scores["spearman"] == pytest.approx(0.8)
    # off the means 0.1 and 3.25: products add up to 3.5, squares to 1.96 and 8.75
    assert found.scores["pearson"] == pytest.approx(3.5 / math.sqrt(1.96 * 8.75), abs=1e-6)
    assert found.kind == "pairs"
    assert found.counts == {"pairs": 4, "empty_texts": 0}
    assert "graded, 1 to 5" in found.notes[0]


def test_the_pairs_ranked_most_differently_are_the_misses() -> None:
    found = evaluate(MODEL, pairs=pairs(1, 3, 4, 5))
    # ranks of the values 4 3 2 1 against 1 2 3 4: off by 3 1 1 3
    assert places(found) == ["index 0", "index 3", "index 1", "index 2"]
    (first, *_) = found.misses
    assert isinstance(first, GradedMiss)
    assert first.texts == ("a", "near")
    assert (first.value, first.rank, first.model_rank) == (1, 4, 1)
    assert first.cosine == pytest.approx(0.8)
    assert not evaluate(MODEL, pairs=pairs(5, 4, 3, 1)).misses


def test_values_of_0_and_1_are_labels() -> None:
    found = evaluate(MODEL, pairs=pairs(1, 0, 1, 0))
    # by cosine: 1 0 1 0. Precision where a 1 comes: 1/1 and 2/3
    assert found.scores["average_precision"] == pytest.approx((1 + 2 / 3) / 2)
    # from 0.8 on: right are 1 of the ones and both zeros; the threshold lies halfway to 0.6
    assert found.scores["accuracy"] == pytest.approx(3 / 4)
    assert found.thresholds["accuracy"] == pytest.approx(0.7)
    # from 0 on: precision 2/3, recall 1; the threshold lies halfway to -1
    assert found.scores["f1"] == pytest.approx(0.8)
    assert found.thresholds["f1"] == pytest.approx(-0.5)
    assert "labels, all 0 or 1" in found.notes[0]
    (miss,) = found.misses
    assert isinstance(miss, BinaryMiss)
    assert (miss.place, miss.label, miss.texts) == ("index 2", 1, ("a", "north"))


def test_the_pair_furthest_on_the_wrong_side_comes_first() -> None:
    found = evaluate(MODEL, pairs=[*pairs(1, 0, 1, 1), ("a", "a", 1)])
    # accuracy is best from 0.8 on with 3 of 5 right, and from -1 on with 4 of 5: the zero at 0.6 is wrong
    assert found.scores["accuracy"] == pytest.approx(4 / 5)
    assert places(found) == ["index 1"]
    found = evaluate(MODEL, pairs=[*pairs(0, 1, 1, 0), ("a", "a", 0), ("a", "north", 1), ("a", "far", 1)])
    # from 0 on: right are 4 ones and the zero at -1; wrong the zeros at 0.8 and 1
    assert found.thresholds["accuracy"] == pytest.approx(-0.5)
    assert places(found) == ["index 4", "index 0"]


def test_a_threshold_can_say_no_to_all() -> None:
    scores, labels = np.array([0.9, 0.5, 0.1]), np.array([0.0, 0.0, 1.0])
    # no to all: 2 of 3 right; yes to all: 1 of 3; from 0.5 or 0.9 on: 0 or 1 of 3
    accuracy, threshold = best_accuracy(scores, labels)
    assert accuracy == pytest.approx(2 / 3)
    assert threshold > 0.9
    # yes to all: precision 1/3, recall 1
    f1, threshold = best_f1(scores, labels)
    assert f1 == pytest.approx(0.5)
    assert threshold == pytest.approx(0.1)


def test_equal_texts_are_embedded_once() -> None:
    model = FixedModel(MODEL.vectors)
    evaluate(model, pairs=pairs(5, 3, 4, 1))
    assert model.asked == [("encode", ["a", *TEXTS])]


def test_empty_texts_are_measured_and_counted() -> None:
    found = evaluate(MODEL, pairs=[("a", "near", 5), ("a", "", 1)])
    assert found.counts["empty_texts"] == 1
    assert any(note.startswith("1 text is empty") for note in found.notes)


@pytest.mark.parametrize("value", [3, 0, 1])
def test_pairs_of_one_value_have_no_score(value: float) -> None:
    with pytest.raises(ArgumentError, match=f"all 4 pairs have the value {value}; with nothing to tell apart"):
        evaluate(MODEL, pairs=pairs(value, value, value, value))


def test_equal_cosines_have_no_order() -> None:
    with pytest.raises(ArgumentError, match=r"gives all 3 pairs the cosine 0\.8000"):
        evaluate(MODEL, pairs=[("a", "near", 1), ("a", "near", 2), ("near", "a", 3)])
