"""Rows as documents: their texts, ids and metadata; a bad one stops as little as it can."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gtekit.documents import Document, Failure, ReadOptions
from gtekit.documents.extract.table import TableOptions, as_value
from tests.documents.files import read_all, read_one, write_gzip


def documents(path: Path, options: TableOptions | None = None) -> list[Document]:
    found = read_all(path, ReadOptions(table=options or TableOptions()))
    assert all(isinstance(entry, Document) for entry in found), found
    return [entry for entry in found if isinstance(entry, Document)]


def write_lines(path: Path, *rows: object) -> Path:
    path.write_text("".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows))
    return path


def test_each_row_is_a_document_with_its_other_fields(tmp_path: Path) -> None:
    path = write_lines(
        tmp_path / "a.jsonl",
        {"_id": "x", "title": "Quick", "text": "sort", "year": 1961, "tags": ["a", "b"], "none": None},
        {"text": "bread", "year": 2.5, "ok": True},
    )
    first, second = documents(path)
    assert (first.id, first.title, first.text) == (f"{path}#x", "Quick", "Quick\n\nsort")
    assert first.metadata == {"year": 1961, "tags": '["a", "b"]', "none": None}
    assert (second.id, second.source, second.metadata) == (f"{path}#row-2", str(path), {"year": 2.5, "ok": True})


def test_csv_tsv_parquet_and_packed_rows_are_read_alike(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('id,text,lang\n7,"one, two",en\n')
    (tmp_path / "a.tsv").write_text("id\ttext\tlang\n7\tone, two\ten\n")
    (tmp_path / "b.csv").write_text("id;text;lang\n7;one, two;en\n")
    write_gzip(tmp_path / "a.jsonl.gz", b'{"id": "7", "text": "one, two", "lang": "en"}\n')
    write_gzip(tmp_path / "a.csv.gz", b'id,text,lang\n7,"one, two",en\n')
    pq.write_table(pa.table({"id": ["7"], "text": ["one, two"], "lang": ["en"]}), tmp_path / "a.parquet")
    for name in ("a.csv", "a.tsv", "a.jsonl.gz", "a.csv.gz", "a.parquet"):
        (document,) = documents(tmp_path / name)
        assert (document.id, document.text, document.metadata) == (f"{tmp_path / name}#7", "one, two", {"lang": "en"})
    assert documents(tmp_path / "b.csv", TableOptions(delimiter=";"))[0].text == "one, two"


def test_fields_can_be_named(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", {"body": "the text", "key": "k1", "text": "no", "id": 3})
    (document,) = documents(path, TableOptions(field="body", id_field="key"))
    assert (document.id, document.text) == (f"{path}#k1", "the text")
    assert document.metadata == {"text": "no", "id": 3}


def test_a_bad_line_of_json_is_told_and_the_others_are_read(tmp_path: Path) -> None:
    path = write_lines(
        tmp_path / "a.jsonl",
        {"text": "one"},
        "{broken",
        "[1]",
        {"other": "x"},
        {"text": 5},
        "",
        '"a string"',
        "[" * 9999,
    )
    found = read_all(path)
    assert [entry.text for entry in found if isinstance(entry, Document)] == ["one", "a string"]
    reasons = [entry.reason for entry in found if isinstance(entry, Failure)]
    assert [reason.partition(":")[0] for reason in reasons] == ["line 2", "line 3", "line 4", "line 5", "line 8"]


def test_bytes_that_are_no_utf8_spoil_their_line_alone(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b'\xef\xbb\xbf{"text": "one"}\n{"text": "\xff"}\n{"text": "two"}\n')
    found = read_all(tmp_path / "a.jsonl")
    assert [isinstance(entry, Failure) for entry in found] == [False, True, False]


def test_csv_ends_at_a_bad_record_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,n\none,1\ntwo\nthree,3\n")
    first, failure = read_all(tmp_path / "a.csv")
    assert isinstance(first, Document)
    assert isinstance(failure, Failure)
    assert failure.reason.startswith("line 3: has 1 field")
    assert failure.reason.endswith("Rows after it were not read.")


def test_an_id_that_is_there_twice_is_told(tmp_path: Path) -> None:
    first, second = read_all(write_lines(tmp_path / "a.jsonl", {"id": 1, "text": "a"}, {"id": 1, "text": "b"}))
    assert isinstance(first, Document)
    assert isinstance(second, Failure)
    assert "there twice" in second.reason


def test_a_file_that_is_no_parquet_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1 no more")
    (failure,) = read_all(tmp_path / "a.parquet")
    assert isinstance(failure, Failure)
    assert failure.reason.startswith("no parquet file")


def test_the_hash_of_a_row_follows_its_text_and_its_fields(tmp_path: Path) -> None:
    rows = [{"text": "a", "n": 1}, {"n": 1, "text": "a"}, {"text": "a", "n": 2}, {"text": "b", "n": 1}]
    hashes = [document.content_hash for document in documents(write_lines(tmp_path / "a.jsonl", *rows))]
    assert hashes[0] == hashes[1]
    assert len(set(hashes)) == 3


def test_what_json_can_spell_and_text_cannot_hold_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "a\\u0000b", "title": "x\\ud800", "id": "\\ud800", "n": "\\udc00"}\n')
    document = read_one(path)
    assert document.text == "x?\n\na b"
    assert document.metadata == {"n": "?"}
    document.id.encode()


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (float("nan"), None),
        (float("inf"), None),
        (2**70, str(2**70)),
        (True, True),
        (date(2020, 1, 2), "2020-01-02"),
        (Decimal("1.5"), 1.5),
        (Decimal("NaN"), None),
        ({"a": [1]}, '{"a": [1]}'),
    ],
)
def test_values_become_what_metadata_can_hold(value: object, kept: object) -> None:
    assert as_value(value) == kept


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=5))
def test_any_value_of_json_can_be_kept(value: object) -> None:
    kept = as_value(value)
    assert kept is None or type(kept) in (str, int, float, bool)


def test_numbers_of_json_are_floats_and_those_of_parquet_what_its_schema_says(tmp_path: Path) -> None:
    found = documents(write_lines(tmp_path / "a.jsonl", {"text": "a", "n": 10, "big": 2**60}, {"text": "b", "n": 12.5}))
    assert [type(document.metadata["n"]) for document in found] == [float, float]
    assert found[0].metadata["big"] == 2**60
    pq.write_table(pa.table({"text": ["a"], "n": [10], "x": [1.0]}), tmp_path / "a.parquet")
    (document,) = documents(tmp_path / "a.parquet")
    assert [type(document.metadata[name]) for name in ("n", "x")] == [int, float]


def test_a_row_without_id_is_never_one_with_that_id(tmp_path: Path) -> None:
    rows = [{"text": "a"}, {"id": 1, "text": "b"}, {"id": 2.0, "text": "c"}, {"id": 2.5, "text": "d"}]
    found = documents(write_lines(tmp_path / "a.jsonl", *rows))
    assert [document.id.rpartition("#")[2] for document in found] == ["row-1", "1", "2", "2.5"]


def test_a_bad_row_of_parquet_costs_that_row_alone(tmp_path: Path) -> None:
    values = pa.array([b"one", None, b"\xff\xfe", b"four"], pa.binary())
    strings = pa.StringArray.from_buffers(4, values.buffers()[1], values.buffers()[2], values.buffers()[0], 1)
    pq.write_table(pa.table({"text": strings}), tmp_path / "a.parquet")
    found = read_all(tmp_path / "a.parquet")
    assert [entry.text for entry in found if isinstance(entry, Document)] == ["one", "four"]
    failures = [entry for entry in found if isinstance(entry, Failure)]
    assert all(failure.is_one_row for failure in failures)
    assert [failure.reason.partition(",")[0] for failure in failures] == [
        "row 2: field 'text' holds null",
        "row 3: its strings are not UTF-8",
    ]


def test_a_damaged_parquet_is_a_failure_wherever_the_damage_is(tmp_path: Path) -> None:
    rows = {"text": [f"text {number} of a table" for number in range(500)], "n": list(range(500))}
    pq.write_table(pa.table(rows), tmp_path / "whole.parquet")
    whole = (tmp_path / "whole.parquet").read_bytes()
    for place in range(0, len(whole), 97):
        damaged = bytearray(whole)
        damaged[place] ^= 0x5A
        (tmp_path / "a.parquet").write_bytes(damaged)
        for entry in read_all(tmp_path / "a.parquet"):  # raises nothing
            assert isinstance(entry, Document | Failure)
