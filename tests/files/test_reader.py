"""Texts out of every input format, and what is said of a bad row."""

import gzip
import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gtekit.errors import FileFormatError
from gtekit.files import InputFormat, Keep, Row, input_format, open_rows, output_format

FORMATS: list[InputFormat] = ["txt", "jsonl", "csv", "tsv", "parquet"]


def read(path: Path, *, field: str | None = None, keep: Keep = "text", form: InputFormat | None = None) -> list[Row]:
    with open_rows(path, form or input_format(path), field=field, keep=keep) as rows:
        return list(rows.rows)


def texts(path: Path, **options: Any) -> list[str]:
    return [row.text for row in read(path, **options)]


def write(tmp_path: Path, name: str, data: str | bytes) -> Path:
    path = tmp_path / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def test_a_line_of_txt_is_a_text_and_an_empty_line_an_empty_one(tmp_path: Path) -> None:
    assert texts(write(tmp_path, "a.txt", "one\n\n  two \nthree")) == ["one", "", "  two ", "three"]


def test_windows_line_ends_and_the_utf8_mark_are_no_part_of_a_text(tmp_path: Path) -> None:
    assert texts(write(tmp_path, "a.txt", b"\xef\xbb\xbfone\r\ntwo\r\n")) == ["one", "two"]


def test_only_a_newline_ends_a_line(tmp_path: Path) -> None:
    line = "a\u2028b\x0bc\x85d\x1ce"
    assert texts(write(tmp_path, "a.txt", line + "\n")) == [line]


def test_an_empty_file_has_no_texts(tmp_path: Path) -> None:
    assert texts(write(tmp_path, "a.txt", "")) == []
    assert texts(write(tmp_path, "a.jsonl", "\n\n")) == []


def test_jsonl_takes_objects_and_strings_and_skips_blank_lines(tmp_path: Path) -> None:
    path = write(tmp_path, "a.jsonl", '{"text": "one", "id": 1}\n\n"two"\n{"text": "na\\u00efve", "id": 3}\n')
    assert [(row.text, row.number) for row in read(path)] == [("one", 1), ("two", 3), ("naïve", 4)]


def test_csv_fields_hold_delimiters_quotes_and_newlines(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", 'id,text\n1,"a, ""b""\nc"\n\n2,d\n')
    assert [(row.text, row.number) for row in read(path)] == [('a, "b"\nc', 2), ("d", 5)]


def test_csv_fields_may_be_long(tmp_path: Path) -> None:
    long = "word " * 100_000
    assert texts(write(tmp_path, "a.csv", f"text\n{long}\n")) == [long]


def test_tsv_is_csv_with_tabs(tmp_path: Path) -> None:
    assert texts(write(tmp_path, "a.tsv", "id\ttext\n1\ta, b\n")) == ["a, b"]


def test_parquet_gives_its_only_string_column_whatever_its_kind(tmp_path: Path) -> None:
    for kind in (pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())):
        table = pa.table({"id": [1, 2], "body": pa.array(["one", "two"]).cast(kind)})
        pq.write_table(table, tmp_path / "a.parquet")
        assert texts(tmp_path / "a.parquet") == ["one", "two"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('{"text": "t", "sentence": "s", "other": "o"}', "t"),
        ('{"other": "o", "sentence": "s"}', "s"),
        ('{"id": 7, "body": "b"}', "b"),
    ],
)
def test_the_field_is_text_or_sentence_or_the_only_one_of_strings(tmp_path: Path, line: str, expected: str) -> None:
    assert texts(write(tmp_path, "a.jsonl", line)) == [expected]


@pytest.mark.parametrize(
    ("name", "data", "fields"),
    [("a.csv", "a first sentence\nanother\n", "a first sentence"), ("a.jsonl", '{"id": 7, "body": "b"}', "id, body")],
)
def test_a_field_that_was_guessed_is_named(tmp_path: Path, name: str, data: str, fields: str) -> None:
    path = write(tmp_path, name, data)
    guessed = fields.split(", ")[-1]
    for field, is_guess in ((None, True), (guessed, False)):
        with open_rows(path, input_format(path), field=field) as rows:
            expected = f"{path}: the texts are those of field {guessed!r}; the fields are: {fields}."
            assert rows.guess == (expected if is_guess else "")


@pytest.mark.parametrize(("char", "shown"), [(";", "';'"), ("\t", "tab"), ("|", r"'\|'")])
def test_another_delimiter_is_noticed_and_can_be_said(tmp_path: Path, char: str, shown: str) -> None:
    path = write(tmp_path, "a.csv", f"id{char}text\n1{char}a, b\n")
    with pytest.raises(FileFormatError, match=rf"line 1: is one field, .*Say --delimiter {shown}"):
        read(path)
    with open_rows(path, "csv", delimiter=char) as rows:
        assert [row.text for row in rows.rows] == ["a, b"]
    with pytest.raises(FileFormatError, match="--delimiter is for csv and tsv"), open_rows(path, "txt", delimiter=";"):
        pass
    for wrong in ("", ";;", '"'):
        with pytest.raises(FileFormatError, match="must be one character"), open_rows(path, "csv", delimiter=wrong):
            pass


def test_another_field_can_be_chosen(tmp_path: Path) -> None:
    assert texts(write(tmp_path, "a.jsonl", '{"text": "t", "title": "T"}'), field="title") == ["T"]


@pytest.mark.parametrize(
    ("name", "data"), [("a.jsonl", '{"a": "x", "b": "y"}'), ("a.csv", "a,b\nx,y\n"), ("a.parquet", None)]
)
def test_a_choice_that_is_not_clear_lists_the_fields(tmp_path: Path, name: str, data: str | None) -> None:
    path = tmp_path / name
    if data is None:
        pq.write_table(pa.table({"a": ["x"], "b": ["y"]}), path)
    else:
        path.write_text(data)
    with pytest.raises(FileFormatError, match=r"several fields hold text.*a, b.*--field"):
        read(path)
    with pytest.raises(FileFormatError, match=r"no field 'c'; its fields are: a, b"):
        read(path, field="c")


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.jsonl", '{"text": "x"}\n{"text": \n', r"a\.jsonl, line 2: not valid JSON \(Expecting value: column 10\)\."),
        ("a.jsonl", '{"text": "x"}\n\n[1]\n', r"a\.jsonl, line 3: holds a list; each"),
        ("a.jsonl", '{"text": "x"}\n{"body": "y"}\n', r"line 2: no field 'text'; this row has: body"),
        ("a.jsonl", '{"text": "x"}\n{"text": null}\n', r"line 2: field 'text' holds null, not a string"),
        ("a.jsonl", '{"text": "x"}\n{"text": 7}\n', r"line 2: field 'text' holds a number, not a string"),
        ("a.jsonl", '{"text": 5}\n', r"a\.jsonl, line 1: field 'text' holds a number, not a string"),
        ("a.jsonl", '{"text": true, "body": "b"}\n', r"a\.jsonl, line 1: field 'text' holds true, not a string"),
        ("a.jsonl", '{"text": {"en": "a"}}\n', r"line 1: field 'text' holds an object, not a string"),
        ("a.jsonl", '{"text": "x"}\n{"text": "a\\ud800b"}\n', r"line 2: .*half of a surrogate pair at character 1"),
        ("a.jsonl", '{"text": "x"}\n{"text": "y", "n": NaN}\n', r"line 2: .*NaN is no JSON number"),
        ("a.jsonl", '{"text": "x"}\n' + "[" * 100_000, r"line 2: not valid JSON"),
        ("a.txt", b"one\ntw\xffo\n", r"a\.txt, line 2: byte 3 \(0xff\) is not UTF-8"),
        ("a.txt", b"one\ntwo\nth\0ree\n", r"a\.txt, line 3: a NUL character at character 3"),
        ("a.csv", b"text\nok\n\xe4\n", r"a\.csv, line 3: byte 1 \(0xe4\) is not UTF-8"),
        ("a.csv", "text,id\na,1\nb\n", r"line 3: has 1 field, the first line names 2 \(text, id\)"),
        ("a.csv", 'text,id\n"a,1\nb,2\n', r"line 2: not valid csv"),
        ("a.csv", "text,text\na,b\n", r"line 1: a field name is there twice"),
        ("a.csv", "", r"a\.csv: is empty"),
        ("a.txt", "text".encode("utf-16"), r"a\.txt: this is UTF-16"),
        ("a.txt", gzip.compress(b"text"), r"a\.txt: this is gzip.*gunzip -c"),
        ("a.parquet", b"PAR1 and then nonsense", r"a\.parquet: no parquet file"),
    ],
)
def test_a_bad_row_is_named_by_file_and_line(tmp_path: Path, name: str, data: str | bytes, message: str) -> None:
    with pytest.raises(FileFormatError, match=message):
        read(write(tmp_path, name, data))


def test_the_rows_before_a_bad_one_are_given_out(tmp_path: Path) -> None:
    path = write(tmp_path, "a.jsonl", '"one"\n"two"\nthree\n')
    with open_rows(path, "jsonl") as rows:
        assert [next(rows.rows).text, next(rows.rows).text] == ["one", "two"]
        with pytest.raises(FileFormatError, match="line 3"):
            next(rows.rows)


def test_a_null_and_a_number_in_parquet_are_named_by_their_row(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": ["x", None], "id": [1, 2]}), path)
    with pytest.raises(FileFormatError, match=r"row 2: field 'text' holds null"):
        read(path)
    with pytest.raises(FileFormatError, match=r"field 'id' holds int64, not strings. Fields that do: text"):
        read(path, field="id")


def test_a_parquet_file_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": ["x"] * 1000}), path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(FileFormatError, match=r"a\.parquet"):
        read(path)


@pytest.mark.parametrize("form", FORMATS)
def test_kept_fields_are_the_same_in_every_format(tmp_path: Path, form: InputFormat) -> None:
    path = tmp_path / f"a.{form}"
    rows = [{"text": "one", "id": "1"}, {"text": "two", "id": "2"}]
    if form == "txt":
        path.write_text("one\ntwo\n")
        rows = [{"text": "one"}, {"text": "two"}]
    elif form == "jsonl":
        path.write_text("\n".join(map(json.dumps, rows)))
    elif form == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    else:
        mark = "\t" if form == "tsv" else ","
        path.write_text("\n".join(mark.join(row) for row in [["text", "id"], *map(dict.values, rows)]))
    assert [dict(row.kept) for row in read(path, keep="all")] == rows
    assert [dict(row.kept) for row in read(path, keep="text")] == [{"text": "one"}, {"text": "two"}]
    assert [dict(row.kept) for row in read(path, keep="none")] == [{}, {}]
    with pytest.raises(FileFormatError, match="no field 'x' to keep"):
        read(path, keep=["x"])


def test_the_number_of_rows_is_known_beforehand(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": ["x"] * 7}), tmp_path / "a.parquet")
    write(tmp_path, "a.txt", "x\n" * 6 + "x")
    write(tmp_path, "a.csv", "text\n" + "x\n" * 7)
    for name in ("a.parquet", "a.txt", "a.csv"):
        with open_rows(tmp_path / name, input_format(tmp_path / name)) as rows:
            assert rows.estimate == 7


@pytest.mark.parametrize("form", ["txt", "parquet"])
def test_standard_input_is_read(form: InputFormat, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pq.write_table(pa.table({"text": ["one", "two"]}), tmp_path / "a.parquet")
    data = b"one\ntwo\n" if form == "txt" else (tmp_path / "a.parquet").read_bytes()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
    with open_rows(None, form) as rows:
        assert [row.text for row in rows.rows] == ["one", "two"]


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(FileFormatError, match=r"/nowhere/a\.txt: can't be read \(No such file"):
        read(Path("/nowhere/a.txt"))


def test_formats_are_told_by_the_name_or_the_caller() -> None:
    assert input_format(Path("a.NDJSON")) == "jsonl"
    assert input_format(Path("a.unknown"), "csv") == "csv"
    assert (input_format(None), output_format(None)) == ("txt", "jsonl")
    assert output_format(Path("a.npy")) == "npy"
    with pytest.raises(FileFormatError, match=r"a\.docx: .*\.txt, \.jsonl, \.csv, \.tsv, \.parquet.*--format"):
        input_format(Path("a.docx"))
    with pytest.raises(FileFormatError, match=r"unknown format 'xml'; --output-format takes npy, jsonl, parquet"):
        output_format(None, "xml")
