"""Paths to files: what is found, what it is called, what is left out."""

import os
from pathlib import Path

import pytest

from gtekit.documents import find_documents
from gtekit.errors import ArgumentError


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"text of {name}")


def ids(*paths: str | Path) -> list[str]:
    return [source.id for source in find_documents(paths).sources]


def test_a_folder_gives_its_files_in_the_order_of_names(here: Path) -> None:
    write(here, "docs/b.txt", "docs/a.md", "docs/sub/deep/c.html", "docs/README", "docs/table.csv", "docs/old.txt.gz")
    expected = ["README", "a.md", "b.txt", "old.txt.gz", "table.csv", "sub/deep/c.html"]
    assert ids("docs") == [f"docs/{name}" for name in expected]


def test_the_same_folder_has_the_same_ids_however_it_is_spelled(here: Path) -> None:
    write(here, "docs/a.txt")
    assert ids("docs") == ids("docs/") == ids("./docs") == ids("docs/../docs") == ids(".") == ["docs/a.txt"]
    assert ids(here / "docs") == [f"{here}/docs/a.txt"]


def test_what_is_hidden_and_what_is_of_another_kind_is_left_out(here: Path) -> None:
    write(here, "docs/.git/config.txt", "docs/.hidden.txt", "docs/a.txt", "docs/x.png", "docs/y.png", "docs/z.tar.gz")
    found = find_documents(["docs"])
    assert [source.id for source in found.sources] == ["docs/a.txt"]
    assert found.passed_over == {".png": 2, ".gz": 1}


def test_a_file_that_is_named_itself_is_taken_whatever_it_is_called(here: Path) -> None:
    write(here, "program.py", ".hidden.txt")
    assert ids("program.py", ".hidden.txt") == ["program.py", ".hidden.txt"]


def test_links_that_go_round_end_and_each_file_is_taken_once(here: Path) -> None:
    write(here, "docs/sub/a.txt", "elsewhere/b.txt")
    (here / "docs/sub/up").symlink_to(here / "docs")
    (here / "docs/out").symlink_to(here / "elsewhere")
    (here / "docs/again.txt").symlink_to(here / "docs/sub/a.txt")
    (here / "docs/self.txt").symlink_to(here / "docs/self.txt")
    found = find_documents(["docs", "docs/sub/a.txt", "elsewhere"])
    assert [source.id for source in found.sources] == ["docs/again.txt", "docs/out/b.txt"]
    assert [failure.source for failure in found.failures] == ["docs/self.txt"]


def test_patterns_reach_into_folders_and_leave_out_hidden_files(here: Path) -> None:
    write(here, "a.txt", "b.md", ".c.txt", "sub/d.txt", "sub/deep/e.txt")
    assert ids("*.txt") == ["a.txt"]
    assert ids("**/*.txt") == ["a.txt", "sub/d.txt", "sub/deep/e.txt"]
    assert ids(str(here / "su?")) == [f"{here}/sub/d.txt", f"{here}/sub/deep/e.txt"]


def test_a_name_with_brackets_is_a_name_where_there_is_such_a_file(here: Path) -> None:
    write(here, "[draft] a.txt")
    assert ids("[draft] a.txt") == ["[draft] a.txt"]


def test_a_path_that_is_not_there_and_a_pattern_without_match_are_refused(here: Path) -> None:
    with pytest.raises(ArgumentError, match=r"missing\.txt: is not there"):
        find_documents(["missing.txt"])
    with pytest.raises(ArgumentError, match=r"\*\.pdf: matches nothing"):
        find_documents(["*.pdf"])
    with pytest.raises(ArgumentError, match="no paths"):
        find_documents([])


def test_a_folder_called_like_a_file_is_a_folder(here: Path) -> None:
    write(here, "x.pdf/a.txt")
    assert ids("x.pdf") == ids(".") == ["x.pdf/a.txt"]


def test_what_is_to_be_left_out_is_not_taken(here: Path) -> None:
    write(here, "docs/a.txt", "docs/my.index/rows.jsonl")
    assert [source.id for source in find_documents(["docs"], leave_out=["docs/my.index"]).sources] == ["docs/a.txt"]


def test_a_name_that_is_no_text_still_has_an_id(here: Path) -> None:
    Path(os.fsdecode(b"caf\xe9.txt")).write_text("coffee")
    assert ids(".") == ["caf\\xe9.txt"]


def test_a_closed_folder_is_a_failure_and_stops_nothing(here: Path) -> None:
    here.chmod(0o755)
    write(here, "docs/a.txt", "docs/closed/b.txt")
    for folder in (here, *here.parents[:2]):
        folder.chmod(0o755)
    (here / "docs/closed").chmod(0)
    is_root = os.geteuid() == 0  # whom nothing is closed to
    if is_root:
        os.seteuid(65534)
    try:
        found = find_documents(["docs"])
    finally:
        if is_root:
            os.seteuid(0)
        (here / "docs/closed").chmod(0o755)
    assert [source.id for source in found.sources] == ["docs/a.txt"]
    assert [(failure.source, "denied" in failure.reason) for failure in found.failures] == [("docs/closed", True)]


def test_folders_that_are_an_index_are_passed_over(here: Path) -> None:
    write(here, "docs/a.txt", "docs/one/gtekit-index.json", "docs/one/x.txt", "docs/two/rows.lance/_versions/x.txt")
    found = find_documents(["docs", "docs/one"])
    assert [source.id for source in found.sources] == ["docs/a.txt"]
    assert found.passed_over == {"index": 2}


def test_what_is_missing_is_listed_where_that_is_allowed(here: Path) -> None:
    write(here, "docs/a.txt")
    found = find_documents(["docs", "nowhere", "*.pdf"], may_miss=True)
    assert ([source.id for source in found.sources], found.missing) == (["docs/a.txt"], ["nowhere", "*.pdf"])


def test_the_place_of_a_file_is_absolute_without_steps_back(here: Path) -> None:
    write(here, "docs/a.txt", "other/b.txt")
    os.chdir(here / "other")
    (source,) = find_documents(["../docs"]).sources
    assert (source.id, source.location) == ("../docs/a.txt", str(here / "docs/a.txt"))
