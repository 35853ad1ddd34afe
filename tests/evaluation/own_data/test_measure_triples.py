"""Scores of triples, worked out by hand."""

import pytest

from gtekit.evaluation.own_data import evaluate
from gtekit.evaluation.own_data.misses import TripleMiss
from tests.evaluation.own_data.fixed_model import EAST, FAR, NEAR, WEST, FixedModel

MODEL = FixedModel({"a": EAST, "near": NEAR, "far": FAR, "west": WEST, "also near": NEAR})


def test_the_positive_has_to_be_nearer() -> None:
    found = evaluate(
        MODEL,
        triples=[
            ("a", "near", "far"),  # 0.8 - 0.6 = 0.2
            ("a", "west", "near"),  # -1 - 0.8 = -1.8
            ("a", "near", "also near"),  # a tie: wrong
            ("a", "far", "near"),  # -0.2
        ],
    )
    assert found.scores["accuracy"] == pytest.approx(1 / 4)
    assert found.scores["mean_margin"] == pytest.approx((0.2 - 1.8 + 0 - 0.2) / 4)
    assert found.counts == {"triples": 4, "ties": 1, "empty_texts": 0}
    assert found.notes[0] == "1 triple has equal cosines, which counts as wrong"
    assert [miss.place for miss in found.misses if isinstance(miss, TripleMiss)] == ["index 1", "index 3", "index 2"]
    (first, *_) = found.misses
    assert isinstance(first, TripleMiss)
    assert (first.anchor, first.positive, first.negative) == ("a", "west", "near")
    assert first.positive_cosine == pytest.approx(-1)
    assert first.negative_cosine == pytest.approx(0.8)


def test_intervals_are_of_both_measures_and_in_their_scale() -> None:
    found = evaluate(MODEL, triples=[("a", "near", "far"), ("a", "far", "near")] * 50)
    # 50 of 100: the standard error is sqrt(0.5 * 0.5 / 100) = 0.05, 1.96 of them are 0.098
    assert found.intervals["accuracy"].low == pytest.approx(0.5 - 0.098, abs=0.03)
    assert found.intervals["accuracy"].high == pytest.approx(0.5 + 0.098, abs=0.03)
    # margins are 0.2 and -0.2: the standard error is 0.02
    assert found.intervals["mean_margin"].high == pytest.approx(1.96 * 0.02, abs=0.012)


def test_few_items_have_no_interval_and_that_is_said() -> None:
    found = evaluate(MODEL, triples=[("a", "near", "far")] * 9)
    assert not found.intervals
    assert "no interval where there are fewer than 10 items" in found.notes
    assert evaluate(MODEL, triples=[("a", "near", "far")] * 10).intervals["accuracy"].low == 1
