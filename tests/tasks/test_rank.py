"""Rankings: order, ties, how many, diversity, texts and vectors."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gtekit
from gtekit.errors import ArgumentError, ShapeError, TextTypeError
from gtekit.tasks import Ranked, mmr, rank, rerank

QUERY = "how to implement quick sort in python?"
DOCUMENTS = [
    "Beijing is the capital of China",
    "sorting algorithms compared",
    "the weather is fine",
    "Quicksort in Python, step by step",
    "sorting algorithms compared",
    "how bread is baked",
]


@pytest.fixture(scope="module")
def tiny(tiny_checkpoint: Path) -> gtekit.Embedder:
    return gtekit.load(tiny_checkpoint, language_warning=False)


def test_the_best_document_comes_first_with_its_cosine(minilm: gtekit.Embedder) -> None:
    ranking = rank(minilm, QUERY, DOCUMENTS)
    cosines = gtekit.similarity(minilm.encode_query([QUERY]), minilm.encode_document(DOCUMENTS))[0]
    assert [entry.index for entry in ranking] == [3, 1, 4, *[entry.index for entry in ranking[3:]]]
    assert sorted(entry.index for entry in ranking) == list(range(6))
    for entry in ranking:
        assert entry.score == pytest.approx(float(cosines[entry.index]), abs=1e-6)
        assert entry.text == DOCUMENTS[entry.index]


def test_prompts_of_queries_and_documents_are_used(tiny_checkpoint: Path) -> None:
    class Prompted:
        def __init__(self, model: gtekit.Embedder) -> None:
            self.encode_query = lambda queries, **options: model.encode(queries, prompt="query: ", **options)
            self.encode_document = lambda documents, **options: model.encode(documents, prompt="passage: ", **options)

    model = gtekit.load(tiny_checkpoint, language_warning=False)
    expected = gtekit.similarity(model.encode(["query: a"]), model.encode(["passage: b"]))[0, 0]
    assert rank(Prompted(model), "a", ["b"])[0].score == pytest.approx(float(expected), abs=1e-6)


@settings(deadline=None, max_examples=25)
@given(order=st.lists(st.integers(0, 4), min_size=1, max_size=12), top_k=st.integers(1, 15))
def test_equal_texts_tie_and_keep_their_order(tiny: gtekit.Embedder, order: list[int], top_k: int) -> None:
    documents = [DOCUMENTS[place] for place in order]
    ranking = rank(tiny, QUERY, documents)
    assert [(-entry.score, entry.index) for entry in ranking] == sorted(
        (-entry.score, entry.index) for entry in ranking
    )
    assert len({(entry.text, entry.score) for entry in ranking}) == len(set(documents))
    assert rank(tiny, QUERY, documents, top_k=top_k) == ranking[:top_k]


def test_more_than_there_are_gives_all_and_none_of_nothing(tiny: gtekit.Embedder) -> None:
    assert len(rank(tiny, QUERY, DOCUMENTS, top_k=100)) == len(DOCUMENTS)
    assert rank(tiny, QUERY, [], top_k=3) == []
    assert rank(tiny, QUERY, [], top_k=3, diversity=0.5) == []
    assert rerank(tiny, [], DOCUMENTS) == []
    assert rerank(tiny, [QUERY, "a"], []) == [[], []]
    assert rerank(tiny, [QUERY, "a"], [[], ["b"]])[0] == []


def test_vectors_rank_as_their_texts_do(minilm: gtekit.Embedder, tmp_path: Path) -> None:
    vectors = minilm.encode_document(DOCUMENTS)
    by_texts = rank(minilm, QUERY, DOCUMENTS, top_k=3)
    np.save(tmp_path / "vectors.npy", vectors.astype(np.float16))
    for held in (vectors, vectors.astype(np.float64), np.load(tmp_path / "vectors.npy", mmap_mode="r")):
        ranking = rank(minilm, QUERY, held, top_k=3)
        assert [entry.index for entry in ranking] == [entry.index for entry in by_texts]
        assert [entry.score for entry in ranking] == pytest.approx([entry.score for entry in by_texts], abs=1e-3)
        assert ranking[0].text is None


def test_texts_stay_away_where_they_are_not_wanted(tiny: gtekit.Embedder) -> None:
    assert all(entry.text is None for entry in rank(tiny, QUERY, DOCUMENTS, return_documents=False))


def test_diversity_orders_as_mmr_does(minilm: gtekit.Embedder) -> None:
    ranking = rank(minilm, QUERY, DOCUMENTS, diversity=0.4)
    order = mmr(minilm.encode_query([QUERY])[0], minilm.encode_document(DOCUMENTS), 6, 0.4)
    assert [entry.index for entry in ranking] == order.tolist()
    assert ranking[-1].index == 4  # the copy of a text that was chosen before


def test_many_queries_share_one_list(minilm: gtekit.Embedder) -> None:
    queries = [QUERY, "capital cities", "food"]
    together = rerank(minilm, queries, DOCUMENTS, top_k=2)
    assert [[entry.index for entry in ranking] for ranking in together] == [
        [entry.index for entry in rank(minilm, query, DOCUMENTS, top_k=2)] for query in queries
    ]
    assert together[1][0].index == 0
    assert together[2][0].index == 5


def test_each_query_can_have_candidates_of_its_own(minilm: gtekit.Embedder) -> None:
    queries = [QUERY, "capital cities"]
    lists = [DOCUMENTS[1:4], DOCUMENTS[:3]]
    rankings = rerank(minilm, queries, lists)
    for query, documents, ranking in zip(queries, lists, rankings, strict=True):
        alone = rank(minilm, query, documents)
        assert [entry.index for entry in ranking] == [entry.index for entry in alone]
        assert [entry.text for entry in ranking] == [documents[entry.index] for entry in ranking]
    vectors = [minilm.encode_document(documents) for documents in lists]
    by_vectors = rerank(minilm, queries, [vectors[0], lists[1]])
    assert [entry.index for entry in by_vectors[0]] == [entry.index for entry in rankings[0]]
    assert by_vectors[1] == rankings[1]


def test_a_result_is_plain_data() -> None:
    assert Ranked(1, 0.5, "a") == Ranked(index=1, score=0.5, text="a")


def test_what_is_no_text_is_named_with_its_place(tiny: gtekit.Embedder) -> None:
    with pytest.raises(TextTypeError, match=r"texts\[1\] is None"):
        rank(tiny, QUERY, ["a", None])  # type: ignore[list-item]
    with pytest.raises(TextTypeError, match=r"documents\[1\]: texts\[0\] is an int"):
        rerank(tiny, ["a", "b"], [["a"], [3]])  # type: ignore[list-item]
    with pytest.raises(TextTypeError, match="query is a list"):
        rank(tiny, ["a"], DOCUMENTS)  # type: ignore[arg-type]
    with pytest.raises(TextTypeError, match="texts is one str"):
        rank(tiny, "a", "b")


def test_values_that_are_not_possible_are_refused(tiny: gtekit.Embedder) -> None:
    with pytest.raises(ArgumentError, match="top_k=0"):
        rank(tiny, QUERY, DOCUMENTS, top_k=0)
    with pytest.raises(ArgumentError, match="diversity=2"):
        rank(tiny, QUERY, DOCUMENTS, diversity=2)
    with pytest.raises(ArgumentError, match="prompt is not taken here"):
        rank(tiny, QUERY, DOCUMENTS, prompt="a")
    with pytest.raises(ArgumentError, match="unknown option 'topk'"):
        rank(tiny, QUERY, DOCUMENTS, topk=1)  # type: ignore[call-arg]
    with pytest.raises(ShapeError, match="documents has 1 lists, queries 2 texts"):
        rerank(tiny, ["a", "b"], [["a"]])


def test_vectors_that_can_not_be_meant_are_refused(tiny: gtekit.Embedder) -> None:
    vectors = tiny.encode(DOCUMENTS)
    with pytest.raises(ArgumentError, match=r"documents\[0\] has the length 2, not 1: .*l2_normalize\(documents\)"):
        rank(tiny, QUERY, vectors * 2)
    with pytest.raises(ShapeError, match="float32 or float16"):
        rank(tiny, QUERY, (vectors * 127).astype(np.int8))
    with pytest.raises(ShapeError, match="the second alike"):
        rank(tiny, QUERY, gtekit.l2_normalize(vectors[:, :5].copy()))
    vectors[4] = np.nan
    for top_k in (None, 1):
        with pytest.raises(ArgumentError, match=r"documents\[4\] holds numbers that are not finite"):
            rank(tiny, QUERY, vectors, top_k=top_k)


@pytest.mark.parametrize("wrong", [3.0, np.nan])
def test_every_vector_is_looked_at_and_not_some(tiny: gtekit.Embedder, wrong: float) -> None:
    vectors = np.tile(tiny.encode(DOCUMENTS), (1000, 1))
    vectors[4321] *= wrong
    with pytest.raises(ArgumentError, match=r"documents\[4321\]"):
        rank(tiny, QUERY, vectors, top_k=1)
    with pytest.raises(ArgumentError, match=r"documents\[1\]\[4321\]"):
        rerank(tiny, ["a", "b"], [["text"], vectors], top_k=1)


@pytest.mark.parametrize("documents", [None, {"a", "b"}, (text for text in "ab"), {"b": "a"}, 3])
def test_what_is_no_list_of_documents_is_refused(tiny: gtekit.Embedder, documents: object) -> None:
    for asked in (lambda: rerank(tiny, [QUERY], documents), lambda: rank(tiny, QUERY, documents)):  # type: ignore[arg-type]
        with pytest.raises(TextTypeError, match=r"expected a list of str|pass a list of str"):
            asked()


def test_a_list_of_texts_may_begin_at_another_key(tiny: gtekit.Embedder) -> None:
    class Series:  # as a pandas.Series that was filtered
        def __len__(self) -> int:
            return 2

        def __iter__(self) -> Iterator[str]:
            return iter(DOCUMENTS[:2])

        def __getitem__(self, key: int) -> str:
            return {5: DOCUMENTS[0], 8: DOCUMENTS[1]}[key]

    assert rerank(tiny, [QUERY], Series()) == rerank(tiny, [QUERY], DOCUMENTS[:2])  # type: ignore[arg-type]
