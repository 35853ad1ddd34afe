"""Pairs of texts that are alike, best first or as they are found."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gtekit
from gtekit.cosines import l2_normalize
from gtekit.errors import ArgumentError, SpaceError
from gtekit.nearest import Pairs
from gtekit.tasks.duplicates.paraphrases import best_pairs, paraphrase_pairs, paraphrase_stream, paraphrases

TEXTS = [
    "How do I reset my password?",
    "The weather is fine today.",
    "How can I reset my password?",
    "It is a nice day outside.",
    "How do I reset my password?",
    "Bread with wild yeast",
]


def listed(pairs: Pairs) -> list[tuple[int, int]]:
    return list(zip(pairs.left.tolist(), pairs.right.tolist(), strict=True))


def test_the_most_alike_come_first_and_equal_texts_with_the_first_of_them(minilm: gtekit.Embedder) -> None:
    found = paraphrases(minilm, TEXTS, threshold=0.5)
    assert listed(found) == [(0, 4), (0, 2), (1, 3)]
    assert found.scores[0] == 1
    cosines = gtekit.similarity(minilm.encode(TEXTS), minilm.encode(TEXTS))
    assert np.allclose(found.scores, cosines[found.left, found.right], atol=1e-6)


def test_a_limit_keeps_the_best(minilm: gtekit.Embedder) -> None:
    assert listed(paraphrases(minilm, TEXTS, threshold=0.5, max_pairs=2)) == [(0, 4), (0, 2)]


def test_a_stream_has_the_same_pairs(minilm: gtekit.Embedder) -> None:
    blocks = list(paraphrase_stream(minilm, iter(TEXTS), threshold=0.5))
    assert sorted(pair for block in blocks for pair in listed(block)) == [(0, 2), (0, 4), (1, 3)]


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(0, 6), min_size=1, max_size=9), max_size=6), st.integers(1, 12))
def test_the_best_pairs_are_the_first_of_all_sorted(blocks: list[list[int]], max_pairs: int) -> None:
    numbers = iter(range(1000))
    made = [
        Pairs(np.zeros(len(block), np.int64), np.array([next(numbers) for _ in block]), np.array(block, np.float32))
        for block in blocks
    ]
    best = best_pairs(made, max_pairs)
    pairs = [(-score, right) for block in made for score, right in zip(block.scores, block.right, strict=True)]
    assert [(-score, right) for score, right in zip(best.scores, best.right, strict=True)] == sorted(pairs)[:max_pairs]


def test_pairs_of_vectors_are_those_of_brute_force() -> None:
    vectors = l2_normalize(np.random.default_rng(2).normal(size=(150, 6)).astype(np.float32))
    found = paraphrase_pairs(vectors, 0.8)
    products = np.triu(vectors @ vectors.T, 1)
    assert len(found.scores) == np.count_nonzero(products >= 0.8)
    assert np.allclose(found.scores, np.sort(products[products >= 0.8])[::-1], atol=1e-6)


def test_a_model_without_calibration_needs_a_threshold(tiny_checkpoint: str) -> None:
    with pytest.raises(SpaceError, match="Give a threshold"):
        paraphrase_stream(gtekit.load(tiny_checkpoint), TEXTS)


def test_values_that_are_not_possible_are_refused_before_any_work(minilm: gtekit.Embedder) -> None:
    with pytest.raises(ArgumentError, match="threshold=7 is not possible"):
        paraphrase_stream(minilm, TEXTS, threshold=7)
    with pytest.raises(ArgumentError, match="max_pairs=0 is not possible"):
        paraphrases(minilm, TEXTS, threshold=0.5, max_pairs=0)
