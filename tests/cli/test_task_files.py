"""What the commands of the tasks share: results as JSON lines and tables, complete or not at all."""

import argparse
import csv
import json
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gtekit.cli.options import read_keep
from gtekit.cli.printing import print_json
from gtekit.cli.task_files import check_output, check_targets, write_records
from gtekit.errors import ArgumentError, FileFormatError

RECORDS: list[dict[str, Any]] = [
    {"text": 'a "quoted", text\n', "score": 0.5, "day": date(2024, 1, 2), "tags": ["x", "é"]},
    {"text": "", "score": 1, "day": None, "tags": []},
]


def to(path: Path | str) -> argparse.Namespace:
    return argparse.Namespace(output=str(path))


def test_json_lines_keep_every_value(tmp_path: Path) -> None:
    assert write_records(to(tmp_path / "out.jsonl"), RECORDS) == 2
    lines = (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [{**RECORDS[0], "day": "2024-01-02"}, RECORDS[1]]


@pytest.mark.parametrize(("name", "delimiter"), [("out.csv", ","), ("out.TSV", "\t")])
def test_tables_have_a_heading_and_lists_as_json(tmp_path: Path, name: str, delimiter: str) -> None:
    write_records(to(tmp_path / name), RECORDS)
    with (tmp_path / name).open(encoding="utf-8", newline="") as file:
        heading, first, second = csv.reader(file, delimiter=delimiter)
    assert heading == ["text", "score", "day", "tags"]
    assert first == ['a "quoted", text\n', "0.5", "2024-01-02", '["x", "é"]']
    assert second == ["", "1", "", "[]"]


def test_decimals_keep_their_digits_and_bytes_are_refused(tmp_path: Path) -> None:
    write_records(to(tmp_path / "out.csv"), [{"price": Decimal("1.10")}])
    assert (tmp_path / "out.csv").read_text() == "price\n1.10\n"
    with pytest.raises(FileFormatError, match="bytes"):
        write_records(to(tmp_path / "other.csv"), [{"raw": b"\0"}])
    assert not (tmp_path / "other.csv").exists()


def test_a_later_field_that_a_table_has_no_column_for_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match=r"result 2 has fields that the first has not \(b\)"):
        write_records(to(tmp_path / "out.csv"), [{"a": 1}, {"a": 1, "b": 2}])
    assert not (tmp_path / "out.csv").exists()


def test_nothing_is_left_of_results_that_break_off(tmp_path: Path) -> None:
    def broken() -> Iterator[Mapping[str, Any]]:
        yield {"a": 1}
        raise KeyboardInterrupt

    (tmp_path / "out.jsonl").write_text("before")
    with pytest.raises(KeyboardInterrupt):
        write_records(to(tmp_path / "out.jsonl"), broken())
    assert (tmp_path / "out.jsonl").read_text() == "before"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(("name", "message"), [("out.txt", "name the output .jsonl"), ("no/out.csv", "No such file")])
def test_an_output_that_cannot_be_written_is_known_before(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(FileFormatError, match=message):
        check_output(to(tmp_path / name))


def test_numbers_that_are_none_become_null_and_an_empty_cell(tmp_path: Path) -> None:
    nan, infinity = float("nan"), float("inf")
    record = {"a": nan, "list": [1.5, (infinity, date(2024, 1, 2))], "object": {"x": {"y": -infinity}}, "text": "NaN"}
    write_records(to(tmp_path / "out.jsonl"), [record])
    (line,) = (tmp_path / "out.jsonl").read_text().splitlines()
    assert json.loads(line, parse_constant=lambda name: pytest.fail(name)) == {
        "a": None,
        "list": [1.5, [None, "2024-01-02"]],
        "object": {"x": {"y": None}},
        "text": "NaN",
    }
    write_records(to(tmp_path / "out.csv"), [record])
    with (tmp_path / "out.csv").open(newline="") as file:
        assert list(csv.reader(file))[1][:2] == ["", '[1.5, [null, "2024-01-02"]]']


def test_json_on_standard_output_has_no_nan_either(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"results": [{"score": float("nan"), "path": Path("a")}]})
    assert json.loads(capsys.readouterr().out) == {"results": [{"score": None, "path": "a"}]}


@pytest.mark.parametrize(
    ("text", "keep"),
    [("all", "all"), (" none ", "none"), ("text", "text"), ("a, b,", ["a", "b"]), ("text,a", ["text", "a"])],
)
def test_every_command_reads_keep_in_one_way(text: str, keep: str | list[str]) -> None:
    assert read_keep(text) == keep
    with pytest.raises(ArgumentError, match="names no field"):
        read_keep(" , ")


def test_an_output_is_no_folder_no_input_and_no_other_output(tmp_path: Path) -> None:
    source, folder = tmp_path / "in.jsonl", tmp_path / "d.jsonl"
    source.write_text("{}")
    folder.mkdir()
    (tmp_path / "link.jsonl").symlink_to(source)

    def check(**options: Path) -> None:
        check_targets(argparse.Namespace(file=str(source), labels="a,b", **options), *options)

    check(output=tmp_path / "out.jsonl", groups=tmp_path / "other.jsonl")
    with pytest.raises(FileFormatError, match=r"d\.jsonl: is a folder"):
        check(html=folder)
    with pytest.raises(FileFormatError, match=r"-o .*link\.jsonl: is the input\. Name another"):
        check(output=tmp_path / "link.jsonl")
    with pytest.raises(FileFormatError, match=r"--groups .*: is the file of -o as well"):
        check(output=tmp_path / "out.jsonl", groups=tmp_path / "." / "out.jsonl")


def test_a_file_on_standard_input_is_no_output_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "in.jsonl").write_text("{}")
    with (tmp_path / "in.jsonl").open() as stream:
        monkeypatch.setattr("sys.stdin", stream)
        check_output(argparse.Namespace(file="-", output=str(tmp_path / "out.jsonl")))
        with pytest.raises(FileFormatError, match="is the input"):
            check_output(argparse.Namespace(file="-", output=str(tmp_path / "in.jsonl")))
