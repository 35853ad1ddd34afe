"""The parts of benchmarks/summarization.py that decide its figures."""

import numpy as np
import pytest

from benchmarks.summarization import WAYS, WORDS, Article, compare, lexrank, rouge, within_budget, words_of
from gtekit.cosines import l2_normalize


@pytest.fixture(scope="module")
def article() -> Article:
    vectors = l2_normalize(np.random.default_rng(0).standard_normal((12, 16)).astype(np.float32) + 1)
    sentences = [f"Sentence number {number} has words that count to nine." for number in range(12)]
    return Article(sentences, vectors, l2_normalize(vectors.mean(axis=0)[None])[0], [words_of(sentences[0])])


def test_rouge_counts_what_both_have_as_often_as_both_have_it() -> None:
    assert rouge(words_of("A b, c"), words_of("a B c."), 2) == 1
    assert rouge(["a", "a", "b"], ["a", "c"], 1) == pytest.approx(2 * 1 / 5)
    assert rouge(["a"], ["b"], 1) == rouge([], [], 2) == 0


def test_a_budget_is_kept_and_the_order_of_the_text_too(article: Article) -> None:
    words = within_budget(article, [5, 2, 7, *range(12)])
    assert len(words) <= WORDS
    assert [word for word in words if word.isdigit()] == sorted((word for word in words if word.isdigit()), key=int)
    assert {"2", "5", "7"} <= set(words)


def test_lexrank_is_the_stationary_distribution(article: Article) -> None:
    ranks = lexrank(article).astype(np.float64)
    cosines = np.clip(article.vectors @ article.vectors.T, 0, 1).astype(np.float64)
    steps = cosines / cosines.sum(axis=1, keepdims=True)
    ranks /= ranks.sum()
    assert np.allclose(0.15 / 12 + 0.85 * ranks @ steps, ranks, atol=1e-6)


def test_every_way_is_compared_and_the_shipped_one_differs_from_itself_by_nothing(article: Article) -> None:
    rows = compare([article, article])
    assert {row["way"] for row in rows} == {*WAYS, "first sentences", "by chance"}
    (shipped,) = (row for row in rows if (row["way"], row["diversity"]) == ("whole text", 0.3))
    assert shipped["rouge_1"]["difference"] == shipped["rouge_1"]["low"] == shipped["rouge_1"]["high"] == 0
