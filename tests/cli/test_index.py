"""gtekit index: build, info, optimize, verify, export, versions, tag."""

import json
import sys
from pathlib import Path
from typing import get_args

import pyarrow.parquet as pq
import pytest

import gtekit
import gtekit.index
from gtekit.cli.index_build import BACKENDS
from gtekit.cli.search import MODES
from gtekit.index.interface import Mode
from gtekit.index.opening import BackendName
from tests.cli.conftest import Run

MODEL = ("-m", "all-MiniLM-L6-v2")


@pytest.fixture
def docs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "sort.txt").write_text("Quicksort picks a pivot.")
    (folder / "bread.md").write_text("# Bread\n\nIt needs yeast.")
    return folder


def build(run: Run, *arguments: str | Path) -> tuple[int, str, str]:
    return run("index", "build", "docs", "-o", "my.index", "--backend", "exact", *arguments)


def test_help_offers_what_the_library_has() -> None:
    assert get_args(BackendName) == BACKENDS
    assert get_args(Mode) == MODES


def test_a_build_says_what_it_did_and_the_next_one_knows_the_model(
    run: Run, docs: Path, minilm: gtekit.Embedder
) -> None:
    code, output, _ = build(run, *MODEL)
    assert code == 0
    assert output.startswith(
        "2 documents in my.index: 2 added, 0 changed, 0 deleted, 0 unchanged, 0 failed\n2 passages"
    )
    (docs / "bread.md").unlink()
    code, output, _ = build(run, "--json")
    report = json.loads(output)
    assert code == 0
    assert report["model"] == minilm.name
    assert (report["added"], report["deleted"], report["unchanged"], report["passages_embedded"]) == (0, 1, 1, 0)


def test_what_could_not_be_read_is_told_with_its_reason(run: Run, docs: Path, minilm: gtekit.Embedder) -> None:
    (docs / "bad.pdf").write_bytes(b"no pdf")
    (docs / "latin.txt").write_bytes(b"caf\xe9")
    (docs / "x.png").write_bytes(b"png")
    code, output, errors = build(run, *MODEL)
    assert code == 0
    assert "1 failed" in output
    assert "  docs/bad.pdf: damaged PDF" in errors
    assert "gtekit: 1 file not UTF-8, read as cp1252, such as docs/latin.txt." in errors
    assert "gtekit: 1 file of other kinds passed over (.png 1)." in errors
    assert json.loads(build(run, "--json")[1])["failures"][0]["source"] == "docs/bad.pdf"


def test_what_is_wrong_is_known_before_a_model_is_loaded(run: Run, docs: Path) -> None:
    missing = ("-m", "no/such-model", "--local-files-only")
    code, _, errors = run("index", "build", "nowhere", "-o", "my.index", *missing)
    assert (code, "nowhere: is not there" in errors) == (2, True)
    (docs / "file").write_text("x")
    code, _, errors = run("index", "build", "docs", "-o", "docs", *missing)
    assert (code, "docs" in errors) == (2, True)
    assert build(run, *missing)[0] == 3
    assert run("index", "info", "nowhere")[0] == 2
    assert run("index", "build", "docs")[0] == 2
    assert run("index")[0] == 2
    code, _, errors = build(run, *MODEL, "--passage-tokens", "5000")
    assert (code, "--passage-tokens 5000" in errors) == (2, True)


def test_another_model_is_refused(run: Run, docs: Path, minilm: gtekit.Embedder, tiny_checkpoint: Path) -> None:
    build(run, *MODEL)
    code, _, errors = build(run, "-m", tiny_checkpoint)
    assert (code, minilm.name in errors) == (2, True)


def test_fields_and_passages_can_be_chosen(run: Run, docs: Path, minilm: gtekit.Embedder) -> None:
    Path("rows.csv").write_text("key;body;year\nk1;A text.;1999\n")
    options = [
        "--field",
        "body",
        "--id-field",
        "key",
        "--delimiter",
        ";",
        "--passage-tokens",
        "32",
        "--overlap-tokens",
        "0",
    ]
    code, _, _ = run("index", "build", "rows.csv", "-o", "my.index", "--backend", "exact", *options, *MODEL)
    found = json.loads(run("index", "info", "my.index", "--json", "--documents")[1])
    assert code == 0
    assert found["passages"] == {"passage_tokens": 32, "overlap_tokens": 0}
    assert [entry["id"] for entry in found["documents"]] == ["rows.csv#k1"]
    assert found["columns"]["year"] == "string"


def test_info_says_what_an_index_is_made_of(run: Run, docs: Path, minilm: gtekit.Embedder) -> None:
    build(run, *MODEL)
    code, output, _ = run("index", "info", "my.index")
    assert code == 0
    assert f"model     {minilm.name}, 384 dimensions" in output
    assert "rows      2 of 2 documents" in output
    table = run("index", "info", "my.index", "--documents")[1].splitlines()
    assert table == ["passages  document", "       1  docs/bread.md", "       1  docs/sort.txt"]


def test_verify_tells_a_sound_index_from_a_damaged_one(run: Run, docs: Path, minilm: gtekit.Embedder) -> None:
    build(run, *MODEL)
    assert run("index", "verify", "my.index")[:2] == (0, "my.index: 2 rows, all is well\n")
    assert json.loads(run("index", "verify", "my.index", "--json")[1]) == {
        "index": "my.index",
        "rows": 2,
        "problems": [],
    }
    largest = max(
        (path for path in Path("my.index").rglob("*") if path.is_file()), key=lambda path: path.stat().st_size
    )
    data = bytearray(largest.read_bytes())
    data[-20] ^= 0xFF
    largest.write_bytes(data)
    code, output, errors = run("index", "verify", "my.index")
    assert (code in (1, 2), bool(output or errors)) == (True, True)


def test_rows_are_exported_with_their_vectors(run: Run, docs: Path, minilm: gtekit.Embedder) -> None:
    build(run, *MODEL)
    assert run("index", "export", "my.index", "out.parquet")[0] == 0
    assert pq.read_table("out.parquet").num_rows == 2
    code, output, _ = run("index", "export", "my.index", "out.jsonl", "--where", "source LIKE '%.md'", "--json")
    assert (code, json.loads(output)) == (0, {"output": "out.jsonl", "rows": 1})
    row = json.loads(Path("out.jsonl").read_text())
    assert (row["document"], len(row["vector"])) == ("docs/bread.md", 384)
    assert run("index", "export", "my.index", "out.xlsx")[0] == 2


def test_versions_can_be_listed_and_tagged(run: Run, docs: Path, minilm: gtekit.Embedder) -> None:
    build(run, *MODEL)
    code, output, _ = run("index", "tag", "my.index", "first", "--json")
    number = json.loads(output)["version"]
    assert (code, json.loads(output)["tag"]) == (0, "first")
    (docs / "sort.txt").write_text("Mergesort merges.")
    build(run)
    listed = json.loads(run("index", "versions", "my.index", "--json")[1])
    assert [entry["number"] for entry in listed if entry["tags"] == ["first"]] == [number]
    assert "first" in run("index", "versions", "my.index")[1]
    with gtekit.index.open("my.index") as index:
        assert "Quicksort picks a pivot." in (index.checkout("first").get(["docs/sort.txt#p0"]).texts or ())


def test_optimize_says_how_an_index_is_searched(run: Run, docs: Path, minilm: gtekit.Embedder) -> None:
    build(run, *MODEL, "--no-optimize")
    code, output, _ = run("index", "optimize", "my.index")
    assert (code, output) == (0, "my.index: 2 rows, search: exact\n")
    assert json.loads(run("index", "--json", "optimize", "my.index")[1])["rows"] == 2


def test_nothing_to_read_is_told(run: Run, docs: Path) -> None:
    Path("empty").mkdir()
    Path("empty/x.png").write_text("x")
    missing = ("-m", "no/such-model", "--local-files-only")
    code, _, errors = run("index", "build", "empty", "-o", "my.index", *missing)
    assert (code, "empty: nothing to read was found; 1 file of other kinds passed over (.png 1)." in errors) == (
        2,
        True,
    )
    assert not Path("my.index").exists()


def test_nothing_to_read_beside_an_index_that_is_there_is_a_warning(
    run: Run, docs: Path, minilm: gtekit.Embedder
) -> None:
    build(run, *MODEL)
    Path("empty").mkdir()
    code, _, errors = run("index", "build", "empty", "-o", "my.index")
    assert (code, "warning: empty: nothing to read was found." in errors) == (0, True)


def test_files_that_all_fail_end_with_1(run: Run, docs: Path, minilm: gtekit.Embedder) -> None:
    Path("bad.pdf").write_bytes(b"no pdf")
    assert run("index", "build", "bad.pdf", "-o", "bad.index", "--backend", "exact", *MODEL)[0] == 1


def test_another_backend_is_refused_before_a_model_is_loaded(run: Run, docs: Path, minilm: gtekit.Embedder) -> None:
    build(run, *MODEL)
    missing = ("-m", "no/such-model", "--local-files-only")
    code, _, errors = run("index", "build", "docs", "-o", "my.index", "--backend", "lance", *missing)
    assert (code, "is an index of the backend 'exact'" in errors) == (2, True)


def test_a_missing_reader_is_told_before_a_model_is_loaded(
    run: Run, docs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (docs / "paper.pdf").write_bytes(b"%PDF-")
    monkeypatch.setitem(sys.modules, "pypdfium2", None)
    code, _, errors = build(run, "-m", "no/such-model", "--local-files-only")
    assert (code, "docs/paper.pdf: reading pdf needs pypdfium2" in errors) == (4, True)
    assert "pip install 'gtekit[index]'" in errors


def test_the_folder_of_a_model_is_found_from_elsewhere(
    run: Run, docs: Path, monkeypatch: pytest.MonkeyPatch, tiny_checkpoint: Path
) -> None:
    Path("model").symlink_to(tiny_checkpoint)
    assert build(run, "-m", "model", "--no-language-warning")[0] == 0
    monkeypatch.chdir(docs)
    assert run("index", "build", ".", "-o", "../my.index", "--no-language-warning")[0] == 0
    assert json.loads(run("index", "info", "../my.index", "--json")[1])["document_count"] == 2


def test_a_build_that_ends_early_says_that_it_goes_on(
    run: Run, docs: Path, monkeypatch: pytest.MonkeyPatch, minilm: gtekit.Embedder
) -> None:
    def stop(*arguments: object, **keywords: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(gtekit.Embedder, "encode_document", stop)
    code, _, errors = build(run, *MODEL)
    assert (code, "the same command goes on" in errors) == (130, True)


def test_values_of_another_type_are_told_with_their_column(run: Run, docs: Path, minilm: gtekit.Embedder) -> None:
    (docs / "rows.jsonl").write_text('{"text": "a", "n": 1}\n{"text": "b", "n": "many"}\n')
    code, _, errors = build(run, *MODEL)
    assert (code, "1 value of field 'n' of another type than those before, kept in n_text." in errors) == (0, True)
