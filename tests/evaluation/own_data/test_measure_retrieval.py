"""Scores of retrieval, worked out by hand."""

import math

import pytest

from gtekit.errors import ArgumentError
from gtekit.evaluation.own_data import evaluate
from gtekit.evaluation.own_data.misses import QueryMiss
from tests.evaluation.own_data.fixed_model import EAST, NEAR, NORTH, FixedModel

QUERIES = {"q1": "east?", "q2": "north?", "q3": "nobody has judged this"}
DOCUMENTS: dict[str, str | dict[str, str]] = {
    "d1": "east",
    "d2": {"title": "Near", "text": "the east"},
    "d3": {"text": "north"},
}
MODEL = FixedModel({"east?": EAST, "north?": NORTH, "east": EAST, "Near the east": NEAR, "north": NORTH})
# q1 finds d1 (1), d2 (0.8), d3 (0); q2 finds d3 (1), d2 (0.6), d1 (0)
QRELS = {"q1": {"d2": 1, "d1": -1}, "q2": {"d3": 2, "d1": 1}}


def test_rankings_are_judged_as_trec_eval_does() -> None:
    found = evaluate(MODEL, queries=QUERIES, documents=DOCUMENTS, qrels=QRELS)
    # q1: the one relevant at rank 2. q2: grade 2 at rank 1 and grade 1 at rank 3, at best at ranks 1 and 2
    first, second = 1 / math.log2(3), (2 + 1 / math.log2(4)) / (2 + 1 / math.log2(3))
    assert found.scores["ndcg@10"] == pytest.approx((first + second) / 2)
    assert found.scores["recall@1"] == pytest.approx((0 + 1 / 2) / 2)
    assert found.scores["recall@5"] == found.scores["recall@10"] == found.scores["recall@100"] == 1
    assert found.scores["mrr"] == found.scores["mrr@10"] == pytest.approx((1 / 2 + 1) / 2)
    assert found.scores["map"] == pytest.approx((1 / 2 + (1 / 1 + 2 / 3) / 2) / 2)
    assert list(found.samples["ndcg@10"].values) == pytest.approx([first, second])


def test_queries_without_a_judgement_are_left_out_and_counted() -> None:
    found = evaluate(
        MODEL,
        queries={**QUERIES, "q4": "nothing is relevant"},
        documents=DOCUMENTS,
        qrels={**QRELS, "q4": {"d1": 0, "d2": -1}},
    )
    assert (found.counts["queries"], found.counts["documents"], found.counts["relevant"]) == (2, 3, 3)
    assert found.counts["queries_without_judgement"] == 1
    assert found.counts["queries_without_relevant"] == 1
    assert "left out: 1 query without a judgement" in found.notes
    assert "left out: 1 query whose judgements are all 0: nothing could be found" in found.notes


def test_queries_and_documents_are_embedded_as_such() -> None:
    # with its prompt each text has one word more: 2 2, 2 4 2
    model = FixedModel(MODEL.vectors, prompts={"query": "search: ", "passage": "text: "}, max_tokens=1)
    with pytest.warns(match=r"5 of 5 texts are longer than the 1 tokens that the model reads: 7 of their tokens have"):
        found = evaluate(model, queries=QUERIES, documents=DOCUMENTS, qrels=QRELS)
    assert model.asked == [
        ("encode_query", ["east?", "north?"]),
        ("encode_document", ["east", "Near the east", "north"]),
    ]
    assert any(note.startswith("5 of 5 texts are longer") for note in found.notes)


def test_misses_show_where_the_relevant_documents_stand_and_what_was_found_instead() -> None:
    found = evaluate(MODEL, queries=QUERIES, documents=DOCUMENTS, qrels=QRELS)
    (first, second) = found.misses
    assert isinstance(first, QueryMiss)
    assert isinstance(second, QueryMiss)
    assert (first.query_id, first.text, first.relevant_count) == ("q1", "east?", 1)
    assert first.ndcg == pytest.approx(1 / math.log2(3))
    (relevant,) = first.relevant
    assert (relevant.id, relevant.text, relevant.grade, relevant.rank) == ("d2", "Near the east", 1, 2)
    assert [(document.id, document.rank, document.grade) for document in first.found] == [
        ("d1", 1, -1),
        ("d2", 2, 1),
        ("d3", 3, 0),
    ]
    assert [(document.id, document.rank) for document in second.relevant] == [("d3", 1), ("d1", 3)]


def test_mrr_at_10_ends_at_rank_10() -> None:
    # twelve documents, each further from the query than the one before
    angles = [math.radians(5 * step) for step in range(12)]
    names = [f"d{step:02}" for step in range(12)]
    vectors = {name: (math.cos(angle), math.sin(angle)) for name, angle in zip(names, angles, strict=True)}
    model = FixedModel({**vectors, "east?": EAST, "also east?": EAST})
    found = evaluate(
        model,
        queries={"q1": "east?", "q2": "also east?"},
        documents={name: name for name in names},
        qrels={"q1": {"d09": 1}, "q2": {"d10": 1}},  # ranks 10 and 11
    )
    assert found.scores["mrr"] == pytest.approx((1 / 10 + 1 / 11) / 2)
    assert found.scores["mrr@10"] == pytest.approx((1 / 10 + 0) / 2)
    assert found.scores["recall@10"] == pytest.approx(1 / 2)


def test_equal_cosines_stand_in_the_order_of_trec_eval() -> None:
    found = evaluate(
        FixedModel({"east?": EAST, "east": EAST, "east as well": EAST}),
        queries={"q": "east?"},
        documents={"a": "east", "b": "east as well"},
        qrels={"q": {"a": 1}},
    )
    # of equal scores trec_eval takes the last id first: b, a
    assert found.scores["mrr"] == pytest.approx(1 / 2)
    (miss,) = found.misses
    assert isinstance(miss, QueryMiss)
    assert miss.relevant[0].rank == 2


def test_a_document_beyond_the_first_thousand_is_not_found() -> None:
    documents = {f"d{number}": "near" for number in range(1_100)}
    found = evaluate(
        FixedModel({"east?": EAST, "near": NEAR, "north": NORTH}),
        queries={"q": "east?"},
        documents={"last": "north", **documents},
        qrels={"q": {"last": 1}},
    )
    assert set(found.scores.values()) == {0.0}
    (miss,) = found.misses
    assert isinstance(miss, QueryMiss)
    assert miss.relevant[0].rank is None


def test_without_a_relevant_document_there_is_no_score() -> None:
    with pytest.raises(ArgumentError, match=r"no query has a document of grade 1 or more"):
        evaluate(MODEL, queries=QUERIES, documents=DOCUMENTS, qrels={"q1": {"d1": 0}})
