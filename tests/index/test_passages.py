"""Search among passages: where they come from, and their best sentence."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gtekit
import gtekit.index
from gtekit.documents import read_documents
from gtekit.index.build import BuildOptions, build_index
from gtekit.index.passages import best_sentences, search_passages
from tests.documents.files import source_of, write_pdf

COOK = "The kitchen was cold. Sourdough bread needs wild yeast and patience. Nobody spoke."
SORT = "It was late. Quicksort picks a pivot and sorts both\nsides of it. Then the lights went out."


def test_the_best_sentence_is_the_one_that_answers(minilm: gtekit.Embedder) -> None:
    bread, sort, nothing = best_sentences(minilm, "how is bread made", [COOK, SORT, " "])
    assert bread is not None
    assert bread.text == COOK[bread.start : bread.end] == "Sourdough bread needs wild yeast and patience."
    assert sort is not None
    assert sort.score < bread.score
    assert nothing is None
    (wrapped,) = best_sentences(minilm, "sorting algorithm", [SORT])
    assert wrapped is not None
    assert wrapped.text == "Quicksort picks a pivot and sorts both\nsides of it."


def test_a_heading_is_no_answer_unless_there_is_nothing_else(minilm: gtekit.Embedder) -> None:
    found = best_sentences(minilm, "bread", ["# Bread\n\nIt needs yeast.", "# Bread"])
    assert [sentence and sentence.text for sentence in found] == ["It needs yeast.", "# Bread"]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.text(st.sampled_from("ab. \n!"), max_size=30), max_size=4))
def test_each_text_has_its_own_sentence_or_none(minilm: gtekit.Embedder, texts: list[str]) -> None:
    found = best_sentences(minilm, "a", texts)
    assert len(found) == len(texts)
    for text, sentence in zip(texts, found, strict=True):
        assert (sentence is None) == (not text.strip())
        if sentence:
            assert sentence.text == text[sentence.start : sentence.end] == sentence.text.strip()


def test_hits_say_file_page_section_and_place(
    minilm: gtekit.Embedder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.md").write_text(f"# Book\n\n{'Filler words stand here. ' * 40}\n\n## Baking\n\n{COOK}\n")
    write_pdf(Path("b.pdf"), ["Nothing here.", "Beijing is the capital of China."], title="Cities")
    Path("c.jsonl").write_text('{"id": 1, "text": "Quicksort picks a pivot.", "year": 1961}\n')
    options = BuildOptions(backend="exact", passage_tokens=48, overlap_tokens=0)
    build_index(["a.md", "b.pdf", "c.jsonl"], "my.index", minilm, options)
    with gtekit.index.open("my.index", minilm) as index:
        (bread,) = search_passages(index, "sourdough", minilm, top_k=1)
        (city,) = search_passages(index, "capital of China", minilm, top_k=1)
        (sort,) = search_passages(index, "sorting", minilm, top_k=1, where="year > 1900", best_sentence=False)
    assert (bread.document, bread.title) == ("a.md", "Book")
    (document,) = read_documents(source_of(Path("a.md")))
    assert document.text[bread.start : bread.end] == bread.text  # type: ignore[union-attr]
    assert (city.source, city.title, city.best and city.best.text) == (
        "b.pdf",
        "Cities",
        "Beijing is the capital of China.",
    )
    assert (sort.document, sort.source, sort.best, sort.metadata) == ("c.jsonl#1", "c.jsonl", None, {"year": 1961})


def test_rows_that_no_build_has_made_are_found_as_well(minilm: gtekit.Embedder) -> None:
    with gtekit.index.in_memory(minilm) as index:
        index.upsert(["x"], ["Bread."], metadata=[{"page": "one"}])
        (hit,) = search_passages(index, "bread", minilm)
        assert (hit.document, hit.source, hit.page, hit.start, hit.text) == ("x", "x", None, 0, "Bread.")
        assert search_passages(index, "bread", minilm, where="id = 'y'") == []
