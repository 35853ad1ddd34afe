"""Texts of requests to vectors: the bits of the library, pieces, cuts, states of tokens."""

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gtekit
from gtekit.config import OnTruncation
from gtekit.serving.encoding import Encoded, EncodeJob, Pieces, Truncation
from gtekit.serving.problems import Kind, Problem
from gtekit.serving.scheduler import Scheduler
from tests.serving.held_model import LONG, HeldModel, run

pytestmark = pytest.mark.filterwarnings("ignore::gtekit.LanguageWarning")
TEXTS = ["quick sort", "Beijing", "", "bread with wild yeast", "quick sort", "a" * 500]


@pytest.mark.parametrize("texts", [TEXTS, TEXTS * 40, [LONG, "short", LONG * 3]])
@pytest.mark.parametrize(
    "options",
    [{}, {"normalize": False}, {"dimensions": 50}, {"dimensions": 50, "normalize": False}, {"prompt": "query: "}],
)
def test_vectors_have_the_bits_of_the_library(
    minilm: gtekit.Embedder, texts: list[str], options: dict[str, Any]
) -> None:
    async def body(scheduler: Scheduler) -> None:
        ways: tuple[tuple[Truncation, OnTruncation], ...] = (("end", "ignore"), ("chunk", "chunk"))
        for truncation, on_truncation in ways:
            encoded = await scheduler.encode(EncodeJob(texts=texts, truncation=truncation, **options))
            expected = minilm.encode(texts, on_truncation=on_truncation, **options)
            assert encoded.embeddings.tobytes() == expected.tobytes()
            prompted = [options.get("prompt", "") + text for text in texts]
            assert encoded.lengths.tolist() == minilm.count_tokens(prompted)

    run(minilm, body)


@settings(deadline=None, max_examples=15)
@given(
    st.lists(
        st.lists(st.text(st.characters(codec="utf-8"), max_size=40), min_size=1, max_size=20), min_size=1, max_size=12
    )
)
def test_requests_side_by_side_get_their_own_vectors(minilm: gtekit.Embedder, requests: list[list[str]]) -> None:
    async def body(scheduler: Scheduler) -> list[Encoded]:
        return await asyncio.gather(*(scheduler.encode(EncodeJob(texts=texts)) for texts in requests))

    for texts, encoded in zip(requests, run(minilm, body), strict=True):
        assert encoded.embeddings.tobytes() == minilm.encode(texts).tobytes()


@pytest.mark.parametrize("options", [{}, {"normalize": False}, {"dimensions": 50}])
def test_vectors_of_pieces_have_the_bits_of_the_library(minilm: gtekit.Embedder, options: dict[str, Any]) -> None:
    texts = [LONG, "short", "", LONG * 2]

    async def body(scheduler: Scheduler) -> Encoded:
        return await scheduler.encode(EncodeJob(texts=texts, pieces=Pieces(overlap_tokens=5), **options))

    encoded = run(minilm, body)
    expected = minilm.encode_chunks(texts, overlap_tokens=5, **options)
    assert encoded.embeddings.tobytes() == expected.embeddings.tobytes()
    assert encoded.pieces is not None
    assert encoded.pieces.text_index.tolist() == expected.text_index.tolist()
    assert encoded.pieces.offsets.tolist() == expected.offsets.tolist()


def test_more_pieces_than_allowed_are_refused(minilm: gtekit.Embedder) -> None:
    async def body(scheduler: Scheduler) -> None:
        with pytest.raises(Problem, match="texts would be cut into more than 2 pieces") as caught:
            await scheduler.encode(EncodeJob(texts=[LONG], pieces=Pieces(overlap_tokens=0)))
        assert caught.value.kind is Kind.TOO_LARGE

    run(minilm, body, max_memory_bytes=2 * 4 * 384 * 4)  # a quarter holds two


def test_cut_texts_are_said(minilm: gtekit.Embedder) -> None:
    async def body(scheduler: Scheduler) -> Encoded:
        return await scheduler.encode(EncodeJob(texts=["a", LONG, "b", LONG], truncation="end"))

    encoded = run(minilm, body)
    assert encoded.truncated == [1, 3]
    assert encoded.lengths.tolist() == [3, 602, 3, 602]
    assert encoded.tokens == 3 + 256 + 3 + 256


def test_a_text_too_long_is_refused_before_anything_runs(minilm: gtekit.Embedder) -> None:
    model = HeldModel(minilm)

    async def body(scheduler: Scheduler) -> None:
        with pytest.raises(Problem, match=r"input\[1\] has 602 tokens") as caught:
            await scheduler.encode(EncodeJob(texts=["a", LONG], text_name="input"))
        assert caught.value.kind is Kind.TOO_LONG

    run(model, body)
    assert model.engine.texts == 0


def test_half_a_surrogate_pair_is_the_clients_mistake(minilm: gtekit.Embedder) -> None:
    async def body(scheduler: Scheduler) -> None:
        with pytest.raises(Problem, match=r"input\[1\] has '\\ud800'") as caught:
            await scheduler.encode(EncodeJob(texts=["a", "\ud800"], text_name="input"))
        assert caught.value.kind is Kind.INVALID_VALUE

    run(minilm, body)


def test_token_states_are_those_of_the_library(minilm: gtekit.Embedder) -> None:
    async def body(scheduler: Scheduler) -> None:
        states, encoded = await scheduler.token_states(EncodeJob(texts=["quick sort", LONG], truncation="end"), 300)
        expected = minilm.token_states(["quick sort", LONG], on_truncation="ignore")
        assert [state.tobytes() for state in states] == [state.tobytes() for state in expected]
        assert encoded.truncated == [1]
        with pytest.raises(Problem) as caught:
            await scheduler.token_states(EncodeJob(texts=[LONG]), 602)
        assert caught.value.kind is Kind.TOO_LONG

    run(minilm, body)
