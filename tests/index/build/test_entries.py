"""What an index knows of its documents, and how it mends what a killed build has left."""

from pathlib import Path

import gtekit
import gtekit.index
from gtekit.index.build.entries import Entry, read_entries, repair
from tests.index.build.conftest import Build, counts


def test_entries_are_read_back_as_they_were_written(build: Build) -> None:
    build()
    with gtekit.index.open("my.index") as index:
        entries = read_entries(index)
    assert set(entries) == {"docs/sort.txt", "docs/bread.md", "docs/rows.jsonl#cn"}
    row = entries["docs/rows.jsonl#cn"]
    assert (row.source, row.root, row.passages) == ("docs/rows.jsonl", str(Path("docs").absolute()), 1)
    assert row.location == str(Path("docs/rows.jsonl").absolute())
    assert row.passage_ids() == ["docs/rows.jsonl#cn#p0"]


def test_an_index_of_other_rows_has_no_entries_and_is_left_alone(minilm: gtekit.Embedder) -> None:
    with gtekit.index.in_memory(minilm) as index:
        index.upsert(["a"], ["text"], metadata=[{"year": 1}])
        entries = read_entries(index)
        assert (entries, repair(index, entries), index.count()) == ({}, 0, 1)


def test_passages_without_their_document_and_documents_without_passages_go(
    build: Build, minilm: gtekit.Embedder
) -> None:
    build()
    with gtekit.index.open("my.index", minilm) as index:
        index.upsert(["stray#p1"], ["stray"], metadata=[{"document": "stray", "number": 1}])
        index.upsert(["mine"], ["mine"], metadata=[{"year": 5}])
        index.delete(["docs/bread.md#p0"])
    report = build()
    assert report.repaired == 1
    assert counts(report) == (1, 0, 0, 2)
    with gtekit.index.open("my.index") as index:
        assert index.get(["stray#p1", "mine", "docs/bread.md#p0"]).ids == ["mine", "docs/bread.md#p0"]
    assert build().repaired == 0


def test_a_document_that_misses_a_passage_is_made_anew(build: Build, docs: Path) -> None:
    (docs / "long.txt").write_text(" ".join(f"Sentence number {number} of a text." for number in range(100)))
    whole = build(passage_tokens=64).passages
    with gtekit.index.open("my.index") as index:
        index.delete(["docs/long.txt#p2"])
    report = build()
    assert (report.repaired, report.added, report.passages) == (1, 1, whole)


def test_ids_are_named_from_a_number_on() -> None:
    entry = Entry("a", "a", "a", "/a", "", "", "", 4)
    assert entry.passage_ids(2) == ["a#p2", "a#p3"]
    assert entry.passage_ids(9) == []
