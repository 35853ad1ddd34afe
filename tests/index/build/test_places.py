"""A document is known by its place, whatever folder a build runs in and however its path is spelled."""

import os
from pathlib import Path

import pytest

import gtekit
import gtekit.index
from gtekit.errors import ArgumentError, VectorIndexError
from gtekit.index.build import BuildOptions, build_index
from gtekit.index.build.entries import read_entries
from gtekit.index.build.places import place_of
from tests.index.build.conftest import Build, counts


def documents() -> set[str]:
    with gtekit.index.open("my.index") as index:
        return set(read_entries(index))


def test_the_same_relative_path_elsewhere_is_another_document(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, minilm: gtekit.Embedder
) -> None:
    options = BuildOptions(backend="exact")
    for project in ("a", "b"):
        (tmp_path / project / "docs").mkdir(parents=True)
        (tmp_path / project / "docs/x.txt").write_text(f"The text of project {project}.")
        (tmp_path / project / f"docs/{project}.txt").write_text(f"Only in project {project}.")
        monkeypatch.chdir(tmp_path / project)
        report = build_index(["docs"], "../my.index", minilm, options)
        assert counts(report) == (2, 0, 0, 0)
    other = place_of(str(tmp_path / "b/docs/x.txt"))
    monkeypatch.chdir(tmp_path)
    assert documents() == {"docs/x.txt", "docs/a.txt", "docs/b.txt", other}
    (tmp_path / "b/docs/x.txt").write_text("Another text of project b.")
    monkeypatch.chdir(tmp_path / "b")
    report = build_index(["docs"], "../my.index", minilm, options)
    assert (counts(report), report.of_other_paths, report.documents) == ((0, 1, 0, 1), 2, 4)
    (tmp_path / "b/docs/x.txt").unlink()
    assert build_index(["docs"], "../my.index", minilm, options).deleted == 1
    monkeypatch.chdir(tmp_path)
    assert documents() == {"docs/x.txt", "docs/a.txt", "docs/b.txt"}


def test_another_spelling_of_a_path_is_the_same_document(build: Build, docs: Path) -> None:
    build()
    assert counts(build(str(docs))) == (0, 0, 0, 3)
    (docs / "bread.md").unlink()
    assert counts(build(str(docs))) == (0, 0, 1, 2)
    assert documents() == {"docs/sort.txt", "docs/rows.jsonl#cn"}


def test_a_file_that_was_moved_is_not_embedded_again(build: Build, docs: Path) -> None:
    build()
    (docs / "sub").mkdir()
    (docs / "sort.txt").rename(docs / "sub/quick.txt")
    report = build()
    assert counts(report) == (1, 0, 1, 2)
    assert (report.passages_embedded, report.passages_reused) == (0, 1)
    assert "docs/sub/quick.txt" in documents()


def test_a_name_that_is_no_text_can_be_built(build: Build, docs: Path) -> None:
    Path(os.fsdecode(b"docs/caf\xe9.txt")).write_text("coffee")
    assert counts(build()) == (4, 0, 0, 0)
    assert counts(build()) == (0, 0, 0, 4)


def test_a_path_that_is_gone_is_taken_out_when_that_is_meant(build: Build, docs: Path) -> None:
    Path("notes").mkdir()
    Path("notes/a.txt").write_text("A note.")
    build("docs", "notes")
    Path("notes/a.txt").unlink()
    Path("notes").rmdir()
    with pytest.raises(VectorIndexError, match=r"notes: is not there now.*1 document of it.*--prune"):
        build("docs", "notes")
    with pytest.raises(ArgumentError, match="ntoes: is not there"):
        build("docs", "ntoes", prune=True)  # a slip must not empty the index
    report = build("docs", "notes", prune=True)
    assert (report.missing, report.deleted, report.unchanged) == (["notes"], 1, 3)


def test_another_backend_than_that_of_the_index_is_refused(build: Build, docs: Path, minilm: gtekit.Embedder) -> None:
    build()
    with pytest.raises(VectorIndexError, match="of the backend 'exact', and 'lance' was asked for"):
        build_index(["docs"], "my.index", minilm, BuildOptions(backend="lance"))
    assert counts(build_index(["docs"], "my.index", minilm)) == (0, 0, 0, 3)


def test_another_index_among_the_files_is_passed_over(build: Build, docs: Path, minilm: gtekit.Embedder) -> None:
    for backend in ("exact", "lance"):
        gtekit.index.create(docs / f"{backend}.index", minilm, backend=backend).upsert(["a"], ["text"])
    report = build()
    assert (report.files, report.passed_over) == (3, {"index": 2})
