import numpy as np
import pytest

from gtekit.errors import ArgumentError
from gtekit.sentence_transformers.util import cos_sim, dot_score, semantic_search

RNG = np.random.default_rng(3)
CORPUS = RNG.standard_normal((40, 8), np.float32)
QUERIES = RNG.standard_normal((7, 8), np.float32)


@pytest.mark.parametrize(("query_chunk_size", "corpus_chunk_size"), [(100, 500_000), (1, 1), (3, 7), (7, 40)])
def test_search_finds_the_largest_scores_whatever_the_chunks(query_chunk_size: int, corpus_chunk_size: int) -> None:
    found = semantic_search(QUERIES, CORPUS, query_chunk_size, corpus_chunk_size, top_k=5)
    order = np.argsort(-cos_sim(QUERIES, CORPUS), axis=1)[:, :5]
    assert [[hit["corpus_id"] for hit in hits] for hits in found] == order.tolist()
    assert [hit["score"] for hit in found[0]] == pytest.approx(np.sort(cos_sim(QUERIES, CORPUS)[0])[::-1][:5])


def test_one_query_gives_a_list_of_one() -> None:
    assert len(semantic_search(QUERIES[0], CORPUS)) == 1


def test_a_small_corpus_gives_all_it_has() -> None:
    assert [len(hits) for hits in semantic_search(QUERIES, CORPUS[:3])] == [3] * 7


def test_equal_scores_keep_the_order_of_the_corpus() -> None:
    same = np.ones((50, 8), np.float32)
    (hits,) = semantic_search(np.ones(8, np.float32), same, corpus_chunk_size=20, top_k=30)
    assert [hit["corpus_id"] for hit in hits] == list(range(30))


def test_another_score_function_can_be_given() -> None:
    (hits,) = semantic_search(QUERIES[0], CORPUS, score_function=dot_score, top_k=1)
    assert hits[0]["corpus_id"] == int(np.argmax(CORPUS @ QUERIES[0]))


def test_no_hits_at_all_can_not_be_asked_for() -> None:
    with pytest.raises(ArgumentError, match="top_k=0"):
        semantic_search(QUERIES, CORPUS, top_k=0)
