"""Reranking: the order and the bits of `gtekit.tasks.rank`, whatever stands beside a document."""

import asyncio
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gtekit
import gtekit.tasks
from gtekit.serving.encoding import EncodeJob
from gtekit.serving.messages import Account
from gtekit.serving.metrics import Metrics
from gtekit.serving.problems import Kind, Problem
from gtekit.serving.rerank import INLINE_ROWS, Ranking, RankJob, rank_documents, ranking_headers
from gtekit.serving.scheduler import Scheduler
from gtekit.serving.served_models import ServedModel
from gtekit.serving.settings import ServerSettings

QUERY = "Which animals purr?"
DOCUMENTS = [
    "Bread is baked in an oven.",
    "A cat purrs when it is content.",
    "Dogs bark at strangers.",
    "Cats.",
    "a cat purrs when it is content",  # the tokens of another but for its full stop
    "?!",
]
LONG = "A cat purrs when it is content. " * 60  # 602 tokens; the model reads 256


async def ranked(model: gtekit.Embedder, job: RankJob, account: Account | None = None) -> Ranking:
    scheduler = Scheduler(model, ServerSettings(), Metrics())
    try:
        return await asyncio.wait_for(
            rank_documents(ServedModel("minilm", model, scheduler), job, account or Account()), 60
        )
    finally:
        await asyncio.to_thread(scheduler.close)


def rank(model: gtekit.Embedder, documents: Sequence[str], query: str = QUERY, **options: Any) -> Ranking:
    return asyncio.run(ranked(model, RankJob(query=query, documents=documents, **options)))


@settings(deadline=None, max_examples=25)
@given(documents=st.lists(st.sampled_from(DOCUMENTS), min_size=1, max_size=12), query=st.sampled_from([QUERY, "bread"]))
def test_the_ranking_is_that_of_the_library_ties_and_bits_included(
    minilm: gtekit.Embedder, documents: list[str], query: str
) -> None:
    ranking = rank(minilm, documents, query)
    expected = gtekit.tasks.rank(minilm, query, documents)
    assert ranking.indices == [entry.index for entry in expected]
    assert ranking.scores == [entry.score for entry in expected]
    keys = [(-score, index) for score, index in zip(ranking.scores, ranking.indices, strict=True)]
    assert keys == sorted(keys)


@settings(deadline=None, max_examples=15)
@given(order=st.permutations(range(len(DOCUMENTS))))
def test_a_score_does_not_depend_on_the_place_of_its_document(minilm: gtekit.Embedder, order: list[int]) -> None:
    straight = rank(minilm, DOCUMENTS).scores_in_order()
    shuffled = rank(minilm, [DOCUMENTS[place] for place in order]).scores_in_order()
    assert [straight[place] for place in order] == shuffled


def test_scores_in_order_belong_to_the_documents(minilm: gtekit.Embedder) -> None:
    cosines = minilm.similarity(minilm.encode([QUERY]), minilm.encode(DOCUMENTS))[0]
    np.testing.assert_allclose(rank(minilm, DOCUMENTS).scores_in_order(), cosines, atol=1e-6)


def test_a_text_is_its_own_best_match_and_no_score_is_above_one(minilm: gtekit.Embedder) -> None:
    for text in DOCUMENTS:
        ranking = rank(minilm, DOCUMENTS, query=text)
        assert DOCUMENTS[ranking.indices[0]] == text
        assert ranking.scores[0] == pytest.approx(1.0, abs=1e-6)
        assert ranking.scores[0] <= 1.0


def test_more_documents_than_are_compared_at_once_rank_the_same(minilm: gtekit.Embedder) -> None:
    documents = DOCUMENTS * (INLINE_ROWS // len(DOCUMENTS) + 1)
    ranking, few = rank(minilm, documents), rank(minilm, DOCUMENTS)
    assert len(documents) > INLINE_ROWS
    assert ranking.scores_in_order() == few.scores_in_order() * (len(documents) // len(DOCUMENTS))
    best = few.indices[0]
    assert ranking.indices[: len(documents) // len(DOCUMENTS)] == list(range(best, len(documents), len(DOCUMENTS)))


def test_documents_are_cut_and_the_query_is_not(minilm: gtekit.Embedder) -> None:
    ranking = rank(minilm, ["short", LONG], query=QUERY, max_tokens_per_doc=5)
    words = minilm.tokenize([LONG])[0][1:4]
    assert ranking.truncated == [1]
    assert ranking.query.tokens == minilm.count_tokens([QUERY])[0] > 5
    cut = gtekit.tasks.rank(minilm, QUERY, ["short", " ".join(words)])
    assert ranking.indices == [entry.index for entry in cut]
    assert ranking.scores == [entry.score for entry in cut]


def test_a_limit_above_that_of_the_model_is_that_of_the_model(minilm: gtekit.Embedder) -> None:
    assert rank(minilm, [LONG], max_tokens_per_doc=4096).tokens == minilm.max_tokens + minilm.count_tokens([QUERY])[0]


def test_a_long_document_is_refused_by_its_name_and_place(minilm: gtekit.Embedder) -> None:
    with pytest.raises(Problem, match=r"passages\[1\] has 602 tokens, the limit is 256") as caught:
        rank(minilm, ["short", LONG], truncation="error", documents_name="passages")
    assert (caught.value.kind, caught.value.param) == (Kind.TOO_LONG, "passages")
    with pytest.raises(Problem, match=r"question\[0\] has 602 tokens"):
        rank(minilm, ["short"], query=LONG, truncation="error", query_name="question")


def test_headers_say_what_was_cut(minilm: gtekit.Embedder) -> None:
    async def headers(query: str, documents: list[str]) -> dict[str, str]:
        ranking = await ranked(minilm, RankJob(query=query, documents=documents))
        scheduler = Scheduler(minilm, ServerSettings(), Metrics())
        try:
            return dict(ranking_headers(ServedModel("minilm", minilm, scheduler), ranking))
        finally:
            await asyncio.to_thread(scheduler.close)

    nothing, both = asyncio.run(headers(QUERY, DOCUMENTS)), asyncio.run(headers(LONG, ["short", LONG]))
    assert nothing["x-truncated-inputs"] == "0"
    assert "x-truncated-query" not in nothing
    assert (both["x-truncated-inputs"], both["x-truncated-indices"], both["x-truncated-query"]) == ("1", "1", "true")


def test_the_account_gets_the_cost_of_query_and_documents(minilm: gtekit.Embedder) -> None:
    account = Account()
    ranking = asyncio.run(ranked(minilm, RankJob(query=QUERY, documents=DOCUMENTS), account))
    assert account.model == "minilm"
    assert account.texts == 1 + len(DOCUMENTS)
    assert account.tokens == ranking.tokens == sum(minilm.count_tokens([QUERY, *DOCUMENTS]))


def test_where_one_half_fails_the_other_is_given_up(minilm: gtekit.Embedder) -> None:
    async def body() -> None:
        scheduler = Scheduler(minilm, ServerSettings(), Metrics())
        try:
            before = asyncio.all_tasks()
            job = RankJob(query=LONG, documents=DOCUMENTS * 300, truncation="error", lane="bulk")
            with pytest.raises(Problem, match="query"):
                await rank_documents(ServedModel("minilm", minilm, scheduler), job, Account())
            left = asyncio.all_tasks() - before
            if left:
                await asyncio.wait(left)
            assert all(task.cancelled() for task in left)
            assert scheduler.queued_tokens("bulk") == 0
            encoded = await scheduler.encode(EncodeJob(texts=["still there"]))
            np.testing.assert_array_equal(encoded.embeddings, minilm.encode(["still there"]))
        finally:
            await asyncio.to_thread(scheduler.close)

    asyncio.run(asyncio.wait_for(body(), 60))
