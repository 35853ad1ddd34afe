"""Texts out of txt, jsonl, csv, tsv and parquet, one row at a time."""

import csv
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias, cast

from gtekit.errors import FileFormatError
from gtekit.files.csv_records import CountedLines, next_record
from gtekit.files.formats import InputFormat
from gtekit.files.lines import read_lines
from gtekit.files.parquet import read_parquet
from gtekit.files.rows import DEFAULT_FIELDS, Keep, Row, check_text, choose_field, choose_kept, name_kind

COUNT_CHUNK_BYTES = 1 << 20
Count: TypeAlias = Callable[[], int | None]  # of rows; None where nobody can know
OTHER_DELIMITERS = ";\t|"
CSV_FIELD_BYTES = 2**31 - 1  # the csv module refuses fields over 128 KiB unless told otherwise


@dataclass(frozen=True, slots=True)
class Rows:
    """An open input: what its text field is called, about how many rows there are, and the rows themselves."""

    field: str
    kept: tuple[str, ...] | None  # None: every field, whichever each row has
    count: Count  # reads the whole file where that is needed
    schema: Any  # pyarrow schema of the kept fields where the input has one, else None
    rows: Iterator[Row]
    guess: str = ""  # which field was taken without being asked for or called as texts are; "" where none was

    @property
    def estimate(self) -> int | None:
        """About how many rows there are, for a progress bar; None where nobody can know."""
        return self.count()

    def check_first(self) -> None:
        """Read the first row, which is then gone, to see whether it holds a text."""
        next(self.rows, None)


@contextmanager
def open_rows(
    path: Path | None,
    form: InputFormat,
    *,
    field: str | None = None,
    keep: Keep = "text",
    delimiter: str | None = None,
    is_named: bool = True,
) -> Iterator[Rows]:
    """Open a file of texts.

    Args:
        path: The file; None reads standard input.
        form: What the bytes are.
        field: Which field holds the texts; None takes `text`, `sentence`, or the only one that holds strings.
        keep: Which fields travel along.
        delimiter: Between the fields of csv and tsv; None: a comma, a tab.
        is_named: Whether the caller or the name of the file says the format. False: txt that begins with a JSON object
            is refused.

    Raises:
        FileFormatError: If the file is not there or not of this format. A bad row raises when it is reached,
            with the name of the file and the line.
    """
    name = "standard input" if path is None else str(path)
    if delimiter is not None and form not in ("csv", "tsv"):
        raise FileFormatError(f"{name}: --delimiter is for csv and tsv, and this is {form}. Leave it out.")
    with _open_bytes(path, seekable=form == "parquet") as stream:
        count = partial(_count_lines, path)
        if form == "txt":
            yield Rows("text", None, count, None, _txt_rows(stream, name, field, keep, is_named))
        elif form == "jsonl":
            yield _open_jsonl(stream, name, field, keep, count)
        elif form == "parquet":
            table = read_parquet(stream, name, field, keep)
            rows = Rows(table.field, table.kept, lambda: table.count, table.schema, table.rows)
            yield _with_guess(rows, name, table.fields, field)
        else:
            limit = csv.field_size_limit(CSV_FIELD_BYTES)
            try:
                yield _open_csv(stream, name, field, keep, count, _Delimiter.of(form, delimiter))
            finally:
                csv.field_size_limit(limit)


@contextmanager
def _open_bytes(path: Path | None, *, seekable: bool) -> Iterator[BinaryIO]:
    if path is not None:
        try:
            stream = path.open("rb")
        except OSError as error:
            raise FileFormatError(f"{path}: can't be read ({error.strerror}). Is the path right?") from None
        with stream:
            yield stream
    elif not seekable:
        yield sys.stdin.buffer
    else:  # a parquet file is read from its end
        with tempfile.TemporaryFile() as copy:
            while chunk := sys.stdin.buffer.read(COUNT_CHUNK_BYTES):
                copy.write(chunk)
            copy.seek(0)
            yield cast(BinaryIO, copy)


def _count_lines(path: Path | None) -> int | None:
    if path is None or not path.is_file():  # a pipe can be read only once
        return None
    count, last = 0, b"\n"
    with path.open("rb") as stream:
        while chunk := stream.read(COUNT_CHUNK_BYTES):
            count += chunk.count(b"\n")
            last = chunk[-1:]
    return count + (last != b"\n")


def _txt_rows(stream: BinaryIO, name: str, field: str | None, keep: Keep, is_named: bool) -> Iterator[Row]:
    choose_field(name, ["text"], ["text"], field)
    kept = choose_kept(name, ["text"], "text", keep)
    for number, text in read_lines(stream, name):
        if number == 1 and not is_named and _is_object(text):
            raise FileFormatError(
                f"{name}: the first line is a JSON object, and without --format each line is embedded as it stands, "
                f"braces and all. Say --format jsonl, or --format txt if that is meant."
            )
        yield Row(text, {"text": text} if kept else {}, number)


def _open_jsonl(stream: BinaryIO, name: str, field: str | None, keep: Keep, count: Count) -> Rows:
    objects = (
        (number, _parse(line, f"{name}, line {number}")) for number, line in read_lines(stream, name) if line.strip()
    )
    first = next(objects, None)
    if first is None:
        return Rows(field or "text", (), count, None, iter(()))
    fields = list(first[1])
    text_fields = [field for field, value in first[1].items() if isinstance(value, str)]
    text_field = choose_field(f"{name}, line {first[0]}", fields, text_fields, field)
    kept = None if keep == "all" else choose_kept(f"{name}, line {first[0]}", fields, text_field, keep)

    def rows() -> Iterator[Row]:
        for number, row in chain([first], objects):
            where = f"{name}, line {number}"
            if text_field not in row:
                raise FileFormatError(
                    f"{where}: no field {text_field!r}; this row has: {', '.join(row) or 'nothing'}. Fix or leave out "
                    f"this row, or choose another --field."
                )
            text = check_text(row[text_field], where, text_field)
            yield Row(text, row if kept is None else {field: row.get(field) for field in kept}, number)

    return _with_guess(Rows(text_field, kept, count, None, rows()), name, fields, field)


def _parse(line: str, where: str) -> dict[str, Any]:
    try:
        value = json.loads(line, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:  # its own text counts lines, from the one line that it saw
        raise _not_json(where, f"{error.msg}: column {error.colno}") from None
    except (ValueError, RecursionError) as error:
        raise _not_json(where, "too deeply nested" if isinstance(error, RecursionError) else str(error)) from None
    if isinstance(value, str):
        return {"text": value}
    if not isinstance(value, dict):
        raise FileFormatError(f"{where}: holds {name_kind(value)}; each line is one JSON object, or one JSON string.")
    return value


def _is_object(line: str) -> bool:
    try:
        return line.lstrip().startswith("{") and isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _not_json(where: str, reason: str) -> FileFormatError:
    return FileFormatError(f"{where}: not valid JSON ({reason}). Each line is one JSON object.")


def _refuse_constant(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON number")


@dataclass(frozen=True, slots=True)
class _Delimiter:
    char: str
    is_asked: bool

    @classmethod
    def of(cls, form: InputFormat, asked: str | None) -> "_Delimiter":
        if asked is not None and (len(asked) != 1 or asked in '\r\n"\0'):
            raise FileFormatError(f"--delimiter {asked!r}: must be one character, and no quote or line end.")
        return cls(asked or ("\t" if form == "tsv" else ","), asked is not None)


def _open_csv(stream: BinaryIO, name: str, field: str | None, keep: Keep, count: Count, delimiter: _Delimiter) -> Rows:
    lines = CountedLines(read_lines(stream, name))
    table = csv.reader(lines, delimiter=delimiter.char, strict=True)
    header = next_record(table, f"{name}, line 1")
    if header is None:
        raise FileFormatError(f"{name}: is empty. A csv file begins with a line that names its fields.")
    if len(set(header)) < len(header):
        raise FileFormatError(f"{name}, line 1: a field name is there twice: {', '.join(header)}. Rename one.")
    if not delimiter.is_asked and (field is None or field not in header):
        _refuse_other_delimiters(name, header)
    text_field = choose_field(name, header, header, field)
    kept = choose_kept(name, header, text_field, keep)
    text_column = header.index(text_field)

    def rows() -> Iterator[Row]:
        begin = lines.number + 1  # a record between quotes can have several lines
        while (record := next_record(table, f"{name}, line {begin}")) is not None:
            if record and len(record) != len(header):
                raise FileFormatError(
                    f"{name}, line {begin}: has {len(record)} field{'s' * (len(record) != 1)}, the first line names "
                    f"{len(header)} ({', '.join(header)}). Is a quote or a delimiter missing?"
                )
            if record:  # an empty line separates nothing
                values = dict(zip(header, record, strict=True))
                yield Row(record[text_column], {column: values[column] for column in kept}, begin)
            begin = lines.number + 1

    def count_rows() -> int | None:
        lines_of_file = count()
        return None if lines_of_file is None else max(lines_of_file - 1, 0)

    return _with_guess(Rows(text_field, kept, count_rows, None, rows()), name, header, field)


def _refuse_other_delimiters(name: str, header: list[str]) -> None:
    """A header of one field that has another delimiter in it is hardly a name."""
    found = [char for char in OTHER_DELIMITERS if len(header) == 1 and char in header[0]]
    if found:
        shown = "tab" if found[0] == "\t" else f"'{found[0]}'"
        raise FileFormatError(
            f"{name}, line 1: is one field, {header[0]!r}. Are its fields separated by something else? "
            f"Say --delimiter {shown}, or choose the field as it stands with --field."
        )


def _with_guess(rows: Rows, name: str, fields: Sequence[str], asked: str | None) -> Rows:
    if asked is not None or rows.field in DEFAULT_FIELDS:
        return rows
    return replace(
        rows, guess=f"{name}: the texts are those of field {rows.field!r}; the fields are: {', '.join(fields)}."
    )
