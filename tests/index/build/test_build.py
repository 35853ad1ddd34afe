"""Builds: what is embedded, what is not, what leaves, what stays."""

import os
import time
from pathlib import Path

import numpy as np
import pytest

import gtekit
import gtekit.index
from gtekit.errors import ArgumentError, SpaceError, VectorIndexError
from gtekit.index.build import BuildOptions, build_index
from tests.index.build.conftest import Build, counts

LONG = [f"Sentence number {number} of a long text says one thing." for number in range(120)]


def rows(location: str = "my.index") -> dict[str, tuple[str, object]]:
    with gtekit.index.open(location) as index:
        return {
            row: (text or "", metadata.get("build"))
            for records in index.scan()
            for row, text, metadata in zip(records.ids, records.texts or (), records.metadata or (), strict=True)
        }


def settle(folder: Path) -> None:
    """Make files old: the time of one just written is not trusted."""
    for path in folder.rglob("*"):
        os.utime(path, (time.time() - 100,) * 2)


def test_a_first_build_embeds_everything(build: Build, minilm: gtekit.Embedder) -> None:
    report = build()
    assert counts(report) == (3, 0, 0, 0)
    assert (report.files, report.documents, report.passages, report.passages_embedded) == (3, 3, 3, 3)
    with gtekit.index.open("my.index", minilm) as index:
        (hit,) = index.search("algorithms for ordering", top_k=1)
        assert hit.text == "Quicksort picks a pivot and sorts both sides."
        assert hit.metadata["document"] == hit.metadata["source"] == "docs/sort.txt"
        (row,) = index.search("China", top_k=1, where="year = 1949")
        assert row.id == "docs/rows.jsonl#cn#p0"
        (bread,) = index.search("bakery", top_k=1)
        assert bread.metadata["title"] == "Bread"
        assert np.allclose(index.get([hit.id]).vectors, minilm.encode_document([hit.text]), atol=1e-3)
        assert index.verify() == []


def test_a_second_build_embeds_nothing(build: Build, docs: Path) -> None:
    build()
    before = rows()
    for report in (build(), build(reread=True)):
        assert counts(report) == (0, 0, 0, 3)
        assert (report.passages_embedded, report.tokens_embedded, report.passages) == (0, 0, 3)
    assert rows() == before


def test_a_settled_file_is_not_read_again_unless_asked(build: Build, docs: Path) -> None:
    settle(docs)
    build()
    status = (docs / "sort.txt").stat()
    (docs / "sort.txt").write_text("Quicksort picks a pivot and sorts both SIDES.")
    os.utime(docs / "sort.txt", ns=(status.st_atime_ns, status.st_mtime_ns))
    assert counts(build()) == (0, 0, 0, 3)
    assert counts(build(reread=True)) == (0, 1, 0, 2)


def test_a_file_that_was_just_written_is_read_again(build: Build, docs: Path) -> None:
    build()
    status = (docs / "sort.txt").stat()
    (docs / "sort.txt").write_text("Quicksort picks a pivot and sorts both SIDES.")
    os.utime(docs / "sort.txt", ns=(status.st_atime_ns, status.st_mtime_ns))
    assert counts(build()) == (0, 1, 0, 2)


def test_only_what_has_changed_is_embedded(build: Build, docs: Path) -> None:
    build()
    (docs / "new.txt").write_text("A new one.")
    (docs / "bread.md").unlink()
    (docs / "sort.txt").write_text("Mergesort merges.")
    os.utime(docs / "rows.jsonl")  # another time, the same content
    report = build()
    assert counts(report) == (1, 1, 1, 1)
    assert (report.passages_embedded, report.passages_deleted, report.passages) == (2, 1, 3)
    assert {text for text, _ in rows().values()} == {"A new one.", "Mergesort merges.", "Beijing is the capital."}


def test_rows_of_a_table_are_compared_one_by_one(build: Build, docs: Path) -> None:
    (docs / "rows.jsonl").write_text("".join(f'{{"id": {n}, "text": "row {n}", "n": {n}}}\n' for n in range(20)))
    build()
    lines = (docs / "rows.jsonl").read_text().splitlines()
    lines[3] = '{"id": 3, "text": "row 3", "n": 33}'  # another field, the same text
    lines[4] = '{"id": 4, "text": "another", "n": 4}'
    (docs / "rows.jsonl").write_text("\n".join([*lines[:10], *lines[11:], '{"id": 20, "text": "more", "n": 20}']))
    report = build()
    assert counts(report) == (1, 2, 1, 19)
    assert (report.passages_embedded, report.passages_reused) == (2, 1)


def test_passages_of_a_changed_document_that_were_there_keep_their_vectors(build: Build, docs: Path) -> None:
    (docs / "long.txt").write_text("\n\n".join(LONG))
    before = build(passage_tokens=64)
    (docs / "long.txt").write_text("\n\n".join([*LONG[:-1], "A last one that is new."]))
    report = build()
    assert before.passages_embedded > 20
    assert report.passages_reused > 20
    assert report.passages_embedded == 1


def test_a_document_that_became_shorter_leaves_no_passages_behind(build: Build, docs: Path) -> None:
    (docs / "long.txt").write_text(" ".join(LONG))
    many = build(passage_tokens=64).passages
    (docs / "long.txt").write_text(" ".join(LONG[:5]))
    report = build()
    assert report.passages == len(rows()) < many - 10
    assert report.passages + report.passages_deleted == many


def test_a_document_of_many_blocks_is_written_with_its_entry_last(
    build: Build, docs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gtekit.index.build.writer.BLOCK_PASSAGES", 4)
    (docs / "long.txt").write_text(" ".join(LONG))
    first = build(passage_tokens=64)
    assert first.passages > 20
    assert sum(entry is not None for _, entry in rows().values()) == 4
    (docs / "long.txt").write_text(" ".join(LONG[20:]))
    second = build()
    assert counts(second) == (0, 1, 0, 3)
    assert second.passages == len(rows())
    assert counts(build()) == (0, 0, 0, 4)


def test_other_settings_are_said_kept_and_cut_everything_anew(build: Build) -> None:
    build()
    report = build(passage_tokens=32)
    assert report.has_other_settings
    assert counts(report) == (0, 3, 0, 0)
    assert report.passages_reused == 3  # the same short texts
    again = build()
    assert (again.passage_tokens, again.overlap_tokens, again.has_other_settings) == (32, 4, False)
    assert counts(again) == (0, 0, 0, 3)


def test_another_model_is_refused_with_the_fix(build: Build, tiny_checkpoint: Path) -> None:
    build()
    with pytest.raises(SpaceError, match="all-MiniLM-L6-v2"):
        build_index(["docs"], "my.index", gtekit.load(tiny_checkpoint))


def test_what_cannot_be_read_stops_nothing_and_what_the_index_has_of_it_stays(build: Build, docs: Path) -> None:
    (docs / "table.csv").write_text("text,n\none,1\ntwo,2\nthree,3\n")
    build()
    (docs / "sort.txt").write_bytes(b"\x00\x01binary")
    (docs / "broken.pdf").write_bytes(b"%PDF-1.4 broken")
    (docs / "table.csv").write_text("text,n\none,1\nbroken\n")
    (docs / "empty.txt").write_text(" \n")
    report = build()
    assert sorted((Path(failure.source).name, failure.reason[:7]) for failure in report.failures) == [
        ("broken.pdf", "damaged"),
        ("empty.txt", "holds n"),
        ("sort.txt", "binary:"),
        ("table.csv", "line 3:"),
    ]
    assert counts(report) == (0, 0, 0, 3)
    assert {text for text, _ in rows().values()} >= {
        "Quicksort picks a pivot and sorts both sides.",
        "one",
        "two",
        "three",
    }


def test_a_bad_line_of_json_costs_that_line_alone(build: Build, docs: Path) -> None:
    lines = [f'{{"id": {number}, "text": "row {number}"}}' for number in range(4)]
    (docs / "rows.jsonl").write_text("\n".join(lines))
    build()
    (docs / "rows.jsonl").write_text("\n".join([lines[0], "{broken", lines[3]]))  # 1 is broken, 2 is gone
    report = build()
    assert (counts(report), len(report.failures)) == ((0, 0, 2, 4), 1)


def test_a_document_that_holds_no_text_any_more_leaves(build: Build, docs: Path) -> None:
    build()
    (docs / "sort.txt").write_text("")
    report = build()
    assert (report.deleted, [failure.reason for failure in report.failures]) == (1, ["holds no text"])
    assert "docs/sort.txt#p0" not in rows()


def test_documents_of_other_paths_stay_until_they_are_pruned(build: Build, docs: Path) -> None:
    Path("notes").mkdir()
    Path("notes/a.txt").write_text("A note.")
    build()
    report = build("notes")
    assert (report.of_other_paths, counts(report)) == (3, (1, 0, 0, 0))
    assert report.documents == 4
    report = build("notes", prune=True)
    assert (report.of_other_paths, report.deleted, report.documents) == (0, 3, 1)


def test_a_file_that_was_named_itself_leaves_when_it_is_gone(build: Build, docs: Path) -> None:
    build("docs/sort.txt", "docs/bread.md")  # as a shell expands docs/*
    (docs / "bread.md").unlink()
    report = build("docs/sort.txt")
    assert (report.deleted, report.unchanged, report.of_other_paths) == (1, 1, 0)


def test_a_path_that_became_empty_does_not_empty_the_index(build: Build, docs: Path) -> None:
    build()
    for path in docs.iterdir():
        path.unlink()
    with pytest.raises(VectorIndexError, match=r"docs: holds nothing to read now.*3 documents.*--prune"):
        build()
    assert len(rows()) == 3
    assert build(prune=True).deleted == 3


def test_the_index_does_not_read_itself(build: Build, docs: Path) -> None:
    assert build(".").files == build(".").files == 3


def test_fields_of_rows_are_kept_under_names_that_are_free_and_in_one_type(build: Build, docs: Path) -> None:
    (docs / "rows.jsonl").write_text(
        '{"id": 1, "text": "a", "source": "web", "a.b": 1, "n": 1}\n{"id": 2, "text": "b", "n": "many"}\n'
    )
    report = build()
    assert (report.values_as_text, report.dropped_values) == ({"n": 1}, {})
    with gtekit.index.open("my.index") as index:
        assert index.count(where="source_ = 'web' AND a_b = 1 AND n = 1") == 1
        assert index.count(where="document = 'docs/rows.jsonl#2' AND n IS NULL AND n_text = 'many'") == 1


def test_values_that_are_not_possible_are_refused_before_anything_is_made(build: Build, docs: Path) -> None:
    for options in ({"passage_tokens": 100_000}, {"passage_tokens": 2}, {"passage_tokens": 64, "overlap_tokens": 40}):
        with pytest.raises(ArgumentError, match="is not possible"):
            build(**options)
    with pytest.raises(ArgumentError, match="is not there"):
        build("no-such-folder")
    assert not Path("my.index").exists()


def test_an_index_on_disk_has_versions_of_its_documents(docs: Path, minilm: gtekit.Embedder) -> None:
    options = BuildOptions(backend="lance")
    build_index(["docs"], "lance.index", minilm, options)
    with gtekit.index.open("lance.index") as index:
        index.tag("first")
    (docs / "bread.md").unlink()
    (docs / "sort.txt").write_text("Mergesort merges.")
    assert counts(build_index(["docs"], "lance.index", minilm, options)) == (0, 1, 1, 1)
    with gtekit.index.open("lance.index", minilm) as index:
        assert index.count() == 2
        assert index.checkout("first").count() == 3
        assert [hit.metadata["document"] for hit in index.search("merges", mode="text")] == ["docs/sort.txt"]
