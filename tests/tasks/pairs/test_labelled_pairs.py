"""Labelled pairs: their cosines, what is checked, and folds that share no group."""

import sys

import numpy as np
import pytest

import gtekit
from gtekit.errors import ArgumentError, MissingExtraError, ShapeError, TextTypeError
from gtekit.tasks.pairs.labelled_pairs import LabelledPairs, check_labels, cut_into_folds, labelled_pairs, pair_scores

LEFT = ["a cat", "a cat", "sort a list"]
RIGHT = ["a kitten", "a cat", "quicksort"]


def test_scores_are_the_cosines_of_the_pairs(minilm: gtekit.Embedder) -> None:
    expected = gtekit.similarity_pairwise(minilm.encode(LEFT), minilm.encode(RIGHT))
    assert np.array_equal(pair_scores(minilm, LEFT, RIGHT), expected)
    assert pair_scores(minilm, [], []).shape == (0,)


def test_without_scikit_learn_nothing_is_embedded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(MissingExtraError, match=r"needs scikit-learn, which is not installed: .*gtekit\[tasks\]"):
        labelled_pairs(None, LEFT, RIGHT, [0, 1, 0], {})  # type: ignore[arg-type]  # no model is asked


def test_lists_of_other_lengths_and_things_that_are_no_texts_are_refused(minilm: gtekit.Embedder) -> None:
    with pytest.raises(ShapeError, match="left has 3 texts, right 2"):
        pair_scores(minilm, LEFT, RIGHT[:2])
    with pytest.raises(ShapeError, match="3 pairs and 2 labels"):
        labelled_pairs(minilm, LEFT, RIGHT, [0, 1], {})
    with pytest.raises(TextTypeError, match=r"texts\[1\] is None"):
        pair_scores(minilm, ["a", None], ["a", "b"])  # type: ignore[list-item]


def test_pairs_with_the_same_left_text_are_one_group(minilm: gtekit.Embedder) -> None:
    found = labelled_pairs(minilm, LEFT, RIGHT, [True, False, True], {})
    assert found.groups.tolist() == [0, 0, 1]
    assert found.labels.tolist() == [1, 0, 1]
    assert found.base_rate == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, 1, 2], r"labels\[2\] is 2, expected 0 or 1"),
        ([0, 0.5], r"labels\[1\] is 0.5"),
        (["0", "1"], r"labels\[0\] is '0'"),
        ([1, 1, 1], "all 3 pairs have the label 1"),
        ([0, 0], "all 2 pairs have the label 0"),
        ([[0], [1]], r"labels have shape \(2, 1\)"),
    ],
)
def test_labels_that_are_not_0_and_1_are_named(labels: list[int], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        check_labels(labels)


def made(groups: int, pairs: int) -> LabelledPairs:
    random = np.random.default_rng(1)
    return LabelledPairs(
        random.uniform(size=pairs).astype(np.float32), random.integers(0, 2, pairs), random.integers(0, groups, pairs)
    )


def test_folds_judge_every_pair_once_and_share_no_group() -> None:
    pairs = made(groups=60, pairs=300)
    judged = []
    for fit, held_out in cut_into_folds(pairs, 5):
        assert not set(pairs.groups[fit]) & set(pairs.groups[held_out])
        assert set(pairs.labels[fit]) == {0, 1}
        judged += held_out.tolist()
    assert sorted(judged) == list(range(300))


def test_one_query_with_all_its_answers_is_shared_out_pair_by_pair() -> None:
    pairs = made(groups=1, pairs=50)
    judged = np.concatenate([held_out for _, held_out in cut_into_folds(pairs, 5)])
    assert sorted(judged.tolist()) == list(range(50))


def test_too_few_pairs_of_a_label_are_refused() -> None:
    pairs = LabelledPairs(np.linspace(0, 1, 10, dtype=np.float32), np.array([1] * 3 + [0] * 7), np.arange(10))
    with pytest.raises(ArgumentError, match="the rarer label has 3 of 10 pairs, and 5 folds need 5"):
        list(cut_into_folds(pairs, 5))
