"""Fusing two rankings: weights, ties, and what only one side has found."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gtekit.errors import ArgumentError
from gtekit.index import Hit
from gtekit.index.fusion import check_weight, fuse

SCORES = st.dictionaries(st.sampled_from("abcdefgh"), st.floats(-1, 1, width=16), max_size=8)
WORDS = st.dictionaries(st.sampled_from("abcdefgh"), st.floats(0.5, 30, width=16), max_size=8)


def near(scores: dict[str, float]) -> list[Hit]:
    return [Hit(row_id, score, vector_score=score) for row_id, score in scores.items()]


def wordy(scores: dict[str, float]) -> list[Hit]:
    return [Hit(row_id, score, text_score=score) for row_id, score in scores.items()]


@given(SCORES, WORDS, st.floats(0, 1))
def test_every_row_is_there_once_best_first(cosines: dict[str, float], words: dict[str, float], weight: float) -> None:
    hits = fuse(near(cosines), wordy(words), weight)
    assert sorted(hit.id for hit in hits) == sorted({*cosines, *words})
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert all(-1e-9 <= hit.score <= 1 + 1e-9 for hit in hits)
    assert all(hit.vector_score == cosines.get(hit.id) and hit.text_score == words.get(hit.id) for hit in hits)


@given(SCORES, st.data())
def test_a_weight_of_nothing_leaves_the_order_of_the_other_side(cosines: dict[str, float], data: st.DataObject) -> None:
    words = {row_id: data.draw(st.floats(0.5, 30)) for row_id in cosines}
    by_cosine = [cosines[hit.id] for hit in fuse(near(cosines), wordy(words), 0.0)]
    assert by_cosine == sorted(by_cosine, reverse=True)
    by_words = [words[hit.id] for hit in fuse(near(cosines), wordy(words), 1.0)]
    assert by_words == sorted(by_words, reverse=True)


@given(SCORES, WORDS, st.floats(0, 1), st.randoms())
def test_the_order_of_what_comes_in_makes_no_difference(
    cosines: dict[str, float], words: dict[str, float], weight: float, chance: Random
) -> None:
    left, right = near(cosines), wordy(words)
    expected = fuse(left, right, weight)
    chance.shuffle(left)
    chance.shuffle(right)
    assert fuse(left, right, weight) == expected


def test_a_row_that_is_good_on_both_sides_comes_before_the_best_of_one() -> None:
    hits = fuse(near({"a": 0.9, "b": 0.85, "z": 0.1}), wordy({"c": 10.0, "b": 9.0}), 0.5)
    assert [hit.id for hit in hits] == ["b", "a", "c", "z"]


def test_text_and_metadata_come_along() -> None:
    hits = fuse(
        [Hit("a", 0.5, "text", {"n": 1}, vector_score=0.5)], [Hit("b", 2.0, "other", {"n": 2}, text_score=2.0)], 0.5
    )
    assert {hit.id: (hit.text, dict(hit.metadata)) for hit in hits} == {
        "a": ("text", {"n": 1}),
        "b": ("other", {"n": 2}),
    }


def test_nothing_fused_is_nothing() -> None:
    assert fuse([], [], 0.5) == []


@pytest.mark.parametrize("weight", [-0.1, 1.1, float("nan"), "0.5", None, True])
def test_a_weight_lies_between_0_and_1(weight: object) -> None:
    with pytest.raises(ArgumentError, match="text_weight"):
        check_weight(weight)
