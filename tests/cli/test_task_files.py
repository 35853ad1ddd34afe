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

from gtekit.cli.task_files import check_output, write_records
from gtekit.errors import FileFormatError

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
