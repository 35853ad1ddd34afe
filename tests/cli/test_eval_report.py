"""gtekit eval report: tables here, files there, and nothing else needed."""

import argparse
import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from gtekit.cli import eval_report
from gtekit.errors import ArgumentError, FileFormatError
from tests.evaluation.report.scores import MINILM, full_store

Report = Callable[..., str]


@pytest.fixture
def report(capsys: pytest.CaptureFixture[str]) -> Report:
    """Call the command as it is mounted, and give what it printed."""

    def call(*arguments: str | Path) -> str:
        parser = argparse.ArgumentParser()
        eval_report.add_parser(parser.add_subparsers())
        parsed = parser.parse_args(["report", *map(str, arguments)])
        assert parsed.run(parsed) == 0
        return capsys.readouterr().out

    return call


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return full_store(tmp_path_factory.mktemp("results")).folder


def test_without_a_folder_the_tables_are_printed_and_nothing_is_written(
    report: Report, results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    output = report("--results", results)
    assert "Measured:" in output
    assert f"{MINILM}@int8: default settings" in output
    assert "-o FOLDER writes them" in output
    assert max(map(len, output.splitlines())) <= 120
    assert list(tmp_path.iterdir()) == []


def test_results_are_looked_for_where_eval_puts_them(
    report: Report, results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileFormatError, match=r"eval-results: no such folder. Scores are made by: gtekit eval"):
        report()
    (tmp_path / "eval-results").symlink_to(results)
    assert "Measured:" in report()


def test_with_a_folder_the_files_are_written_and_named(report: Report, results: Path, tmp_path: Path) -> None:
    output = report("--results", results, "-o", tmp_path / "new" / "report")
    assert sorted(path.name for path in (tmp_path / "new" / "report").iterdir()) == [
        "report.csv",
        "report.html",
        "report.json",
        "report.md",
    ]
    assert f"written: {tmp_path / 'new' / 'report' / 'report.md'}, " in output


def test_json_has_what_the_file_has(report: Report, results: Path, tmp_path: Path) -> None:
    value = json.loads(report("--results", results, "--json"))
    assert value.pop("written") == []
    assert value["precisions"][0]["first"] == f"{MINILM}@int8"
    report("--results", results, "-o", tmp_path)
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8")) == value


def test_models_can_be_chosen(report: Report, results: Path, tmp_path: Path) -> None:
    output = report("--results", results, "--models", f"{MINILM}@float32, gte-small", "-o", tmp_path)
    assert f"{MINILM}@int8" not in output
    with (tmp_path / "report.csv").open(newline="", encoding="utf-8") as file:
        labels = {row["label"] for row in csv.DictReader(file)}
    assert labels == {f"{MINILM}@float32", "gte-small@float32", "gte-small@float32+published"}
    with pytest.raises(ArgumentError, match="no scores of 'gte-base' are here"):
        report("--results", results, "--models", "gte-base")
    with pytest.raises(ArgumentError, match="names no model"):
        report("--results", results, "--models", ",")


def test_the_published_table_needs_no_results(report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    output = report("--published")
    assert "gte-small" in output
    assert "61.36" in output
    assert "Measured" not in output
    value = json.loads(report("--published", "--json"))
    assert [row["average"]["mean"] for row in value["page"] if row["name"] == "gte-small"] == [61.36]
    assert {row["origin"] for row in value["page"]} == {"card", "task scores"}


@pytest.mark.parametrize("arguments", [("-o", "somewhere"), ("--models", "gte-small")])
def test_the_published_table_takes_no_options_of_the_measured_one(report: Report, arguments: tuple[str, ...]) -> None:
    with pytest.raises(ArgumentError, match="--published shows what others published"):
        report("--published", *arguments)


def test_a_place_that_can_not_be_written_is_known_first(report: Report, tmp_path: Path) -> None:
    (tmp_path / "a file").write_text("")
    for place in (tmp_path / "a file", tmp_path / "a file" / "report"):
        with pytest.raises(FileFormatError, match="a file"):
            report("--results", tmp_path / "none", "-o", place)


def test_a_damaged_score_is_named(report: Report, tmp_path: Path) -> None:
    folder = tmp_path / "model" / "variant"
    folder.mkdir(parents=True)
    (folder / "STS12.json").write_text("{}")
    with pytest.raises(FileFormatError, match=r"STS12\.json: is no score"):
        report("--results", tmp_path)
