"""Documents to passages: all of the text, nothing too long, places that are true."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gtekit
from gtekit.documents import Document, Part, PassageOptions, cut_passages
from gtekit.documents.passages import passage_id, unwrap
from gtekit.errors import ArgumentError

WORDS = st.lists(st.sampled_from(["word", "naïve", "x.", "End.", "\n", "\n\n", "你好", "antidisestablishmentarianism"]))


def document(text: str, *parts: Part) -> Document:
    return Document(id="docs/a.txt", source="docs/a.txt", text=text, parts=parts)


def test_a_short_document_is_one_passage(minilm: gtekit.Embedder) -> None:
    (passage,) = cut_passages(document("  One sentence.\n"), minilm.tokenizer)
    assert (passage.text, passage.start, passage.end) == ("One sentence.", 2, 15)
    assert (passage.id, passage.number, passage.document_id) == ("docs/a.txt#p0", 0, "docs/a.txt")


def test_white_space_has_no_passages(minilm: gtekit.Embedder) -> None:
    assert list(cut_passages(document(" \n\t "), minilm.tokenizer)) == []


def test_passages_end_with_sentences_and_overlap(minilm: gtekit.Embedder) -> None:
    text = " ".join(f"Sentence number {number} says something of its own." for number in range(100))
    passages = list(
        cut_passages(document(text), minilm.tokenizer, PassageOptions(passage_tokens=64, overlap_tokens=16))
    )
    assert len(passages) > 10
    assert all(passage.text.startswith("Sentence") and passage.text.endswith("own.") for passage in passages)
    assert all(one.start < two.start <= one.end + 1 for one, two in pairwise(passages))
    apart = PassageOptions(passage_tokens=64, overlap_tokens=0)
    ends = list(cut_passages(document(text), minilm.tokenizer, apart))
    assert all(one.end <= two.start for one, two in pairwise(ends))


@settings(max_examples=50, deadline=None)
@given(WORDS, st.integers(24, 60), st.sampled_from(["", "passage: "]))
def test_every_word_is_in_a_passage_and_none_is_too_long(
    minilm: gtekit.Embedder, words: list[str], tokens: int, prompt: str
) -> None:
    text = " ".join(words)
    options = PassageOptions(passage_tokens=tokens)
    passages = list(cut_passages(document(text), minilm.tokenizer, options, prompt=prompt))
    covered = set()
    for passage in passages:
        assert passage.text == text[passage.start : passage.end] == passage.text.strip()
        covered |= set(range(passage.start, passage.end))
    assert all(text[place].isspace() for place in set(range(len(text))) - covered)
    assert all(count <= tokens for count in minilm.count_tokens([prompt + passage.text for passage in passages]))


def test_passages_know_the_page_and_the_section_they_begin_in(minilm: gtekit.Embedder) -> None:
    first, second = "First page. " * 30, "Second page. " * 30
    parts = [Part(0, page=1, section="A"), Part(len(first), page=2, section="A > B")]
    options = PassageOptions(passage_tokens=32, overlap_tokens=0)
    for passage in cut_passages(document(first + second, *parts), minilm.tokenizer, options):
        expected = (1, "A") if passage.start < len(first) else (2, "A > B")
        assert (passage.page, passage.section) == expected


def test_a_book_is_cut_part_by_part_and_nothing_is_lost(
    minilm: gtekit.Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gtekit.documents.passages.PART_CHARACTERS", 500)
    text = " ".join(f"word{number}" for number in range(400))
    passages = list(cut_passages(document(text), minilm.tokenizer, PassageOptions(passage_tokens=64)))
    assert {word for passage in passages for word in passage.text.split()} == set(text.split())
    endless = list(cut_passages(document("x" * 2000), minilm.tokenizer, PassageOptions(passage_tokens=64)))
    assert max(passage.end for passage in endless) == 2000


def test_ids_fit_an_index_however_long_the_path() -> None:
    assert passage_id("a" * 480, 7) == "a" * 480 + "#p7"
    assert passage_id("é" * 300, 7) == passage_id("é" * 300, 7) != passage_id("é" * 301, 7)
    assert len(passage_id("é" * 300, 10**6).encode()) < 512


@given(st.text(st.sampled_from("ab.!\n A1")))
def test_unwrapping_moves_nothing(text: str) -> None:
    unwrapped = unwrap(text)
    assert len(unwrapped) == len(text)
    assert all(one == two or (one, two) == ("\n", " ") for one, two in zip(text, unwrapped, strict=True))


def test_an_overlap_of_more_than_half_is_refused(minilm: gtekit.Embedder) -> None:
    with pytest.raises(ArgumentError, match="overlap_tokens"):
        list(cut_passages(document("word"), minilm.tokenizer, PassageOptions(passage_tokens=32, overlap_tokens=20)))
