"""Scores of labelled texts, worked out by hand."""

import pytest

from gtekit.errors import ArgumentError
from gtekit.evaluation.own_data import evaluate
from gtekit.evaluation.own_data.misses import LabelMiss
from tests.evaluation.own_data.fixed_model import EAST, NORTH, WEST, FixedModel

MODEL = FixedModel({"east": EAST, "also east": EAST, "north": NORTH, "west": WEST})


def test_texts_that_lie_apart_are_told_apart() -> None:
    found = evaluate(MODEL, labelled=[("east", "e"), ("north", "n"), ("west", "w")] * 10)
    assert dict(found.scores) == {"accuracy": 1.0, "v_measure": pytest.approx(1.0)}
    assert found.counts == {"texts": 30, "labels": 3, "folds": 5, "empty_texts": 0}
    assert found.intervals["accuracy"].low == 1
    assert not found.misses


def test_labels_that_have_nothing_to_do_with_the_vectors_score_nothing() -> None:
    found = evaluate(MODEL, labelled=[("east", "x"), ("east", "y"), ("west", "x"), ("west", "y")] * 5)
    # each cluster has half of each label: knowing the cluster tells nothing of the label
    assert found.scores["v_measure"] == pytest.approx(0.0, abs=1e-9)


def test_a_text_with_a_wrong_label_is_a_miss() -> None:
    found = evaluate(MODEL, labelled=[("east", "e"), ("north", "n")] * 12 + [("also east", "n")])
    # one of 25 lies among those of the other label
    assert found.scores["accuracy"] == pytest.approx(24 / 25)
    (miss,) = found.misses
    assert isinstance(miss, LabelMiss)
    assert (miss.place, miss.text, miss.label, miss.predicted) == ("index 24", "also east", "n", "e")
    assert 0.5 < miss.confidence < 1


def test_rare_labels_make_fewer_folds() -> None:
    rows = [("east", "e")] * 9 + [("north", "n")] * 3
    assert evaluate(MODEL, labelled=rows).counts["folds"] == 3


def test_numbers_are_labels_like_any_other() -> None:
    found = evaluate(MODEL, labelled=[("east", 1), ("north", "1"), ("west", 2)] * 4)
    assert found.counts["labels"] == 2


def test_the_result_is_the_same_every_time() -> None:
    rows = [("east", "x"), ("north", "y"), ("west", "x"), ("east", "y")] * 6
    first, second = evaluate(MODEL, labelled=rows), evaluate(MODEL, labelled=rows)
    assert first.scores == second.scores
    assert first.intervals == second.intervals
    assert first.misses == second.misses


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([("east", "x")] * 5, "all 5 texts have the label 'x'"),
        ([("east", "x")] * 5 + [("north", "y")], "labelled, index 5: the label 'y' has one text only"),
        ([("east", "x"), ("north", "y"), ("west", "z")], "'x' has one text only (2 more labels have one)"),
    ],
)
def test_labels_that_can_not_be_learned_are_refused(rows: list[tuple[str, str]], words: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        evaluate(MODEL, labelled=rows)
    assert words in str(caught.value)
