"""Chunks end at sentences or words, overlap as asked, and leave nothing out."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gtekit.chunking import chunk_texts, plan_chunks, pool_chunks
from gtekit.config import TokenizerFiles
from gtekit.errors import ArgumentError
from gtekit.tokenizer import Tokenizer, load_tokenizer

SENTENCES = "The old river turns here. Nobody knows why! Do you? The bank paid for the bridge. It fell. " * 4


@pytest.fixture(scope="module")
def tokenizer(tiny_checkpoint: Path) -> Tokenizer:
    files = TokenizerFiles(tokenizer_json=tiny_checkpoint / "tokenizer.json", vocab_txt=None)
    return load_tokenizer(files, max_tokens=64, vocab_size=2_048)


def pieces(tokenizer: Tokenizer, text: str, max_tokens: int, overlap_tokens: int | None = None) -> list[str]:
    batch = chunk_texts(tokenizer, [(0, text)], prompt="", max_tokens=max_tokens, overlap_tokens=overlap_tokens)
    return [text[start:end] for start, end in batch.offsets]


def test_a_text_that_fits_is_one_piece_from_end_to_end(tokenizer: Tokenizer) -> None:
    for text in ("", "  ", "a", "  two words "):
        batch = chunk_texts(tokenizer, [(5, text)], prompt="", max_tokens=64)
        assert batch.offsets.tolist() == [[0, len(text)]]
        assert batch.text_index.tolist() == [5]
        np.testing.assert_array_equal(batch.token_ids, tokenizer.encode([text]).token_ids)


def test_pieces_end_where_sentences_do(tokenizer: Tokenizer) -> None:
    found = pieces(tokenizer, SENTENCES, 40, overlap_tokens=0)
    assert len(found) > 2
    assert all(piece[-1] in ".!?" for piece in found)
    assert " ".join(found) == SENTENCES.strip()


def test_without_sentences_pieces_end_between_words(tokenizer: Tokenizer) -> None:
    text = "the water of the city " * 30
    found = pieces(tokenizer, text, 20, overlap_tokens=0)
    assert " ".join(found) == text.strip()


def test_lines_and_other_scripts_end_sentences_too(tokenizer: Tokenizer) -> None:
    text = "第一句话在这里。第二句话也在这里。" * 4
    assert all(piece.endswith("。") for piece in pieces(tokenizer, text, 20, overlap_tokens=0))
    lines = "one two three four five six\n" * 6
    assert all(piece.startswith("one") for piece in pieces(tokenizer, lines, 32, overlap_tokens=0))


def test_one_endless_word_is_cut_where_a_piece_is_full(tokenizer: Tokenizer) -> None:
    word = "x1" * 40  # below 100 characters, many tokens
    count = len(tokenizer.encode_with_offsets(word).token_ids)
    batch = chunk_texts(tokenizer, [(0, word)], prompt="", max_tokens=10, overlap_tokens=0)
    assert np.diff(batch.cu_seqlens)[:-1].tolist() == [10] * ((count - 1) // 8)
    assert "".join(word[start:end] for start, end in batch.offsets) == word


def test_pieces_overlap_by_as_much_as_asked(tokenizer: Tokenizer) -> None:
    text = "the water of the city " * 30
    batch = chunk_texts(tokenizer, [(0, text)], prompt="", max_tokens=22, overlap_tokens=5)
    neighbours = zip(batch.offsets[:-1], batch.offsets[1:], strict=True)
    words = [len(text[start:end].split()) for (_, end), (start, _) in neighbours]
    assert words == [5] * len(words)


def test_a_prompt_goes_before_every_piece_and_takes_its_room(tokenizer: Tokenizer) -> None:
    prompt = "query: "
    prompt_ids = tokenizer.encode_with_offsets(prompt).token_ids.tolist()
    batch = chunk_texts(tokenizer, [(0, SENTENCES)], prompt=prompt, max_tokens=30)
    for ids in np.split(batch.token_ids, batch.cu_seqlens[1:-1]):
        assert ids[1 : 1 + len(prompt_ids)].tolist() == prompt_ids
        assert len(ids) <= 30
    with pytest.raises(ArgumentError, match="leaves no room in 5"):
        chunk_texts(tokenizer, [(0, "a")], prompt="the water of the city", max_tokens=5)


def test_an_overlap_beyond_half_a_piece_is_refused(tokenizer: Tokenizer) -> None:
    with pytest.raises(ArgumentError, match="overlap_tokens=9 is not possible; choose a whole number, 0 to 4"):
        chunk_texts(tokenizer, [(0, "a")], prompt="", max_tokens=10, overlap_tokens=9)


@settings(max_examples=200, deadline=None)
@given(
    text=st.text("ab .!?\n北é\u0301,x1", max_size=300) | st.text(max_size=100),
    max_tokens=st.integers(3, 30),
    share=st.floats(0, 1),
)
def test_pieces_cover_every_token_of_any_text(tokenizer: Tokenizer, text: str, max_tokens: int, share: float) -> None:
    tokens = tokenizer.encode_with_offsets(text)
    capacity = max_tokens - 2
    spans = list(plan_chunks(text, tokens, capacity=capacity, overlap_tokens=int(share * (capacity // 2))))
    count = len(tokens.token_ids)
    assert spans[0][0] == 0
    assert spans[-1][1] == count
    for begin, end in spans:
        assert 0 < end - begin <= capacity or count == 0
    for (begin, end), (next_begin, next_end) in pairwise(spans):
        assert begin < next_begin <= end < next_end
        if not tokens.is_word_start[end]:  # cut within a word only where no word ends
            assert not tokens.is_word_start[begin + max(capacity // 2, capacity * 3 // 4) + 1 : end + 1].any()


@settings(max_examples=100, deadline=None)
@given(text=st.text("ab .!?\n北é,x1", max_size=300))
def test_a_piece_has_the_token_ids_of_its_characters(tokenizer: Tokenizer, text: str) -> None:
    batch = chunk_texts(tokenizer, [(0, text)], prompt="", max_tokens=24)
    tokens = tokenizer.encode_with_offsets(text)
    firsts = set(tokens.starts[tokens.is_word_start].tolist()) | {0}
    lasts = {int(tokens.ends[row - 1]) for row in np.flatnonzero(tokens.is_word_start) if row}
    for (start, end), ids in zip(
        batch.offsets.tolist(), np.split(batch.token_ids, batch.cu_seqlens[1:-1]), strict=True
    ):
        if start in firsts and end in lasts | {len(text)}:
            assert tokenizer.encode([text[start:end]]).token_ids.tolist() == ids.tolist()


def test_pooling_weighs_pieces_by_their_tokens() -> None:
    embeddings = np.array([[1, 0], [0, 1], [4, 4], [2, 0], [0, 2]], np.float32)
    pooled = pool_chunks(embeddings, np.array([3, 1, 5, 1, 1]), np.array([0, 0, 2, 7, 7]))
    assert pooled.tolist() == [[0.75, 0.25], [4, 4], [1, 1]]


@settings(max_examples=100, deadline=None)
@given(texts=st.lists(st.text("ab .!?\n北é,x1", max_size=200), max_size=4), max_tokens=st.integers(5, 24))
def test_a_batch_is_the_ranges_of_its_texts(tokenizer: Tokenizer, texts: list[str], max_tokens: int) -> None:
    seen: list[int] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gtekit.chunking.MOST_PARTS", 7)  # joined often
        batch = chunk_texts(tokenizer, enumerate(texts), prompt="b", max_tokens=max_tokens, on_piece=seen.append)
    prompt = tokenizer.encode_with_offsets("b").token_ids.tolist()
    expected = []
    for index, text in enumerate(texts):
        tokens = tokenizer.encode_with_offsets(text)
        capacity = max_tokens - 2 - len(prompt)
        spans = list(plan_chunks(text, tokens, capacity=capacity, overlap_tokens=capacity // 8))
        for begin, end in spans:
            place = [int(tokens.starts[begin:end].min()), int(tokens.ends[begin:end].max())] if len(spans) > 1 else None
            ids = [tokenizer.cls_id, *prompt, *tokens.token_ids[begin:end].tolist(), tokenizer.sep_id]
            expected.append((index, place or [0, len(text)], ids))
    rows = np.split(batch.token_ids, batch.cu_seqlens[1:-1]) if expected else []
    found = zip(batch.text_index.tolist(), batch.offsets.tolist(), (ids.tolist() for ids in rows), strict=True)
    assert list(found) == expected
    assert seen == list(range(1, len(expected) + 1))
