"""Texts of a job as rows for the engine."""

from threading import Event
from typing import Any

import numpy as np
import pytest

import gtekit
from gtekit.serving.encoding import EncodeJob, Pieces, Truncation
from gtekit.serving.problems import Kind, Problem
from gtekit.serving.tokenizing import PART_BYTES, TEXT_BYTES, TokenizedJob, tokenize_job, working_bytes
from gtekit.tokenizer import PIECE_CHARS, StoppedError

LONG = "the quick brown fox jumps over the lazy dog. " * 60


def tokenized(model: gtekit.Embedder, texts: list[str], truncation: Truncation, **job: object) -> TokenizedJob:
    return tokenize_job(model, EncodeJob(texts=texts, truncation=truncation, **job), Event(), 100)  # type: ignore[arg-type]


def row(rows: TokenizedJob, index: int) -> list[int]:
    ends = rows.whole.cu_seqlens
    return [int(token) for token in rows.whole.token_ids[ends[index] : ends[index + 1]]]


def test_texts_that_fit_are_what_the_tokenizer_gives(minilm: gtekit.Embedder) -> None:
    rows = tokenized(minilm, ["a b", "quick sort"], "error")
    assert rows.pieces is None
    assert rows.truncated == []
    assert (rows.whole.token_ids == minilm.tokenizer.encode(["a b", "quick sort"]).token_ids).all()


def test_a_text_too_long_is_refused_by_its_place_and_the_name_of_its_list(minilm: gtekit.Embedder) -> None:
    with pytest.raises(Problem, match=r"documents\[1\] has 602 tokens, the limit is 256 \(and 1 more") as caught:
        tokenized(minilm, ["short", LONG, LONG], "error", text_name="documents")
    assert caught.value.kind is Kind.TOO_LONG
    assert caught.value.param == "documents"


@pytest.mark.parametrize("limit", [3, 10, 255, 256])
def test_a_cut_keeps_the_special_tokens_and_the_asked_end(minilm: gtekit.Embedder, limit: int) -> None:
    all_ids = [int(token) for token in minilm.tokenizer.encode_with_offsets(LONG).token_ids]
    cls_id, sep_id = minilm.tokenizer.cls_id, minilm.tokenizer.sep_id
    beginning = tokenized(minilm, ["short", LONG], "end", max_tokens=limit)
    assert row(beginning, 1) == [cls_id, *all_ids[: limit - 2], sep_id]
    ending = tokenized(minilm, ["short", LONG], "start", max_tokens=limit)
    assert row(ending, 1) == [cls_id, *all_ids[-(limit - 2) :], sep_id]
    assert beginning.truncated == ending.truncated == [1]
    assert beginning.lengths.tolist() == ending.lengths.tolist() == [3, 602]


def test_a_limit_above_the_models_is_the_models(minilm: gtekit.Embedder) -> None:
    assert len(row(tokenized(minilm, [LONG], "end", max_tokens=5000), 0)) == 256


def test_long_texts_go_to_pieces_and_the_others_stay_whole(minilm: gtekit.Embedder) -> None:
    rows = tokenized(minilm, [LONG, "short", LONG], "chunk")
    assert rows.pieces is not None
    assert rows.whole_texts.tolist() == [1]
    assert np.unique(rows.pieces.text_index).tolist() == [0, 2]
    assert rows.truncated == []
    assert rows.tokens == len(rows.pieces.token_ids) + 3


def test_only_long_texts_leave_no_whole_rows(minilm: gtekit.Embedder) -> None:
    rows = tokenized(minilm, [LONG], "chunk")
    assert len(rows.whole_texts) == 0
    assert rows.whole.cu_seqlens.tolist() == [0]


def test_the_prompt_counts(minilm: gtekit.Embedder) -> None:
    assert tokenized(minilm, ["fox"], "error", prompt="query: ").lengths.tolist() == [5]


def test_work_that_is_given_up_ends(minilm: gtekit.Embedder) -> None:
    stop = Event()
    stop.set()
    with pytest.raises(StoppedError):
        tokenize_job(minilm, EncodeJob(texts=["a"]), stop, 100)


@pytest.mark.parametrize("job", [{"truncation": "chunk"}, {"pieces": Pieces(overlap_tokens=0)}, {"truncation": "end"}])
def test_work_that_is_given_up_ends_within_a_long_text(minilm: gtekit.Embedder, job: dict[str, Any]) -> None:
    class SetOnceAsked(Event):
        """Is set by its second question: after the first part of a text, or before that."""

        asked = 0

        def is_set(self) -> bool:
            self.asked += 1
            return self.asked > 2

    stop = SetOnceAsked()
    with pytest.raises(StoppedError):
        tokenize_job(minilm, EncodeJob(texts=["中" * (5 * PIECE_CHARS)], **job), stop, 10**6)
    assert stop.asked == 3


def test_memory_goes_by_the_longest_part_of_a_text_and_by_the_longest_text(minilm: gtekit.Embedder) -> None:
    tokenizer = minilm.tokenizer
    endless, words, chinese = "a" * 3 * PIECE_CHARS, "word " * PIECE_CHARS, "中" * 3 * PIECE_CHARS
    assert working_bytes(tokenizer, []) == 0
    assert working_bytes(tokenizer, ["a" * 100] * 5, "p") == 101 * PART_BYTES
    assert working_bytes(tokenizer, [chinese, "b"]) == PIECE_CHARS * PART_BYTES + len(chinese) * TEXT_BYTES
    assert working_bytes(tokenizer, [words]) == (PIECE_CHARS + 4) * PART_BYTES + len(words) * TEXT_BYTES
    assert working_bytes(tokenizer, [endless]) == len(endless) * (PART_BYTES + TEXT_BYTES)
