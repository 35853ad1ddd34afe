"""Rows of JSON lines, CSV and Parquet to documents: one a row, with the other fields as metadata."""

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO, cast

from gtekit.documents.document import Document, Failure, Value
from gtekit.documents.source import Source
from gtekit.errors import FileFormatError
from gtekit.files import InputFormat, Row, open_rows
from gtekit.files.lines import UTF8_MARK, decode_line
from gtekit.files.parquet import NO_UTF8, read_parquet
from gtekit.files.rows import check_text, choose_field, name_kind

ID_FIELDS = ("id", "_id")  # where none is named
TITLE_FIELDS = ("title",)
MOST_INTEGER = 2**63 - 1
LARGEST_EXACT = 2**53  # up to here a float holds every whole number


@dataclass(frozen=True, slots=True)
class TableOptions:
    """How the rows of tables are read."""

    field: str | None = None  # which holds the texts; None: text, sentence, or the only one of strings
    id_field: str | None = None  # which holds what rows are known by; None: id, _id, or the number of the row
    delimiter: str | None = None  # of csv and tsv; None: a comma, a tab
    max_row_bytes: int = 64_000_000  # of a line of JSON


def read_table(path: Path, source: Source, options: TableOptions) -> Iterator[Document | Failure]:
    """Give a document for each row. A bad row of JSON or parquet is a failure of its own; csv ends at one.

    Args:
        path: Of the unpacked content.
        source: What the rows are named after.
        options: Which fields.
    """
    ids: set[str] = set()
    readers = {"jsonl": _json_rows, "parquet": _parquet_rows}
    for row in readers.get(source.kind, _csv_rows)(path, source, options):
        if isinstance(row, Failure):
            yield row
            continue
        document = _document(row, source, options)
        if document.id in ids:
            reason = f"row {row.number}: its id is there twice ({document.id}); the first one is kept"
            yield Failure(source.id, reason, is_one_row=True)
            continue
        ids.add(document.id)
        yield document


def _csv_rows(path: Path, source: Source, options: TableOptions) -> Iterator[Row | Failure]:
    form = cast(InputFormat, source.kind)
    try:
        with open_rows(path, form, field=options.field, keep="all", delimiter=options.delimiter) as rows:
            for row in rows.rows:
                yield _without_text(row, rows.field)
    except FileFormatError as error:
        yield _rest_failed(path, source, error)


def _parquet_rows(path: Path, source: Source, options: TableOptions) -> Iterator[Row | Failure]:
    try:
        with path.open("rb") as stream:
            table = read_parquet(stream, str(path), options.field, "all")
            for number, record in table.records:
                where = f"row {number}"
                try:
                    if record is None:
                        raise FileFormatError(f"{where}: {NO_UTF8}")
                    text = check_text(record[table.field], where, table.field)
                    yield _without_text(Row(text, record, number), table.field)
                except FileFormatError as error:
                    yield Failure(source.id, str(error), is_one_row=True)
    except FileFormatError as error:
        yield _rest_failed(path, source, error)


def _rest_failed(path: Path, source: Source, error: FileFormatError) -> Failure:
    reason = str(error).replace(f"{path}", "", 1).lstrip(":, ")
    return Failure(source.id, f"{reason} Rows after it were not read.")


def _without_text(row: Row, field: str) -> Row:
    return Row(row.text, {name: value for name, value in row.kept.items() if name != field}, row.number)


def _json_rows(path: Path, source: Source, options: TableOptions) -> Iterator[Row | Failure]:
    field = options.field
    with path.open("rb") as stream:
        for number, line in _lines(stream, options.max_row_bytes):
            where = f"line {number}"
            try:
                if line is None:
                    raise FileFormatError(f"{where}: is longer than {options.max_row_bytes / 1e6:,.0f} MB")
                if not line.strip():
                    continue
                row = _parse(line, where)
                if field is None:
                    field = choose_field(where, list(row), [n for n, v in row.items() if isinstance(v, str)], None)
                if field not in row:
                    raise FileFormatError(f"{where}: no field {field!r}; it has: {', '.join(row) or 'nothing'}")
                text = check_text(row[field], where, field)
                fields = {name: _as_number(value) for name, value in row.items() if name != field}
                yield Row(text, fields, number)
            except FileFormatError as error:
                yield Failure(source.id, str(error), is_one_row=True)


def _lines(stream: BinaryIO, limit: int) -> Iterator[tuple[int, bytes | None]]:
    """Give numbered lines; None for one that is too long, which is passed over without being held."""
    number = 0
    while line := stream.readline(limit + 1):
        number += 1
        if len(line) > limit and not line.endswith(b"\n"):
            while (rest := stream.readline(limit)) and not rest.endswith(b"\n"):
                pass
            yield number, None
        else:
            yield number, line.removeprefix(UTF8_MARK) if number == 1 else line


def _parse(line: bytes, where: str) -> dict[str, Any]:
    try:
        value = json.loads(decode_line(line, where))
    except json.JSONDecodeError as error:
        raise FileFormatError(f"{where}: not valid JSON ({error.msg}: column {error.colno})") from None
    except RecursionError:
        raise FileFormatError(f"{where}: too deeply nested") from None
    except ValueError as error:  # a number of more digits than Python reads
        raise FileFormatError(f"{where}: not valid JSON ({error})") from None
    if isinstance(value, str):
        return {"text": value}
    if not isinstance(value, dict):
        raise FileFormatError(f"{where}: holds {name_kind(value)}; each line is one JSON object, or one JSON string")
    return value


def _document(row: Row, source: Source, options: TableOptions) -> Document:
    fields = row.kept
    names = (options.id_field,) if options.id_field else ID_FIELDS
    known_by = next((fields[name] for name in names if _is_id(fields.get(name))), None)
    title = next((_valid(fields[name]) for name in TITLE_FIELDS if isinstance(fields.get(name), str)), "").strip()
    body = row.text.replace("\0", " ")
    text = f"{title}\n\n{body}" if title else body
    metadata = {name: as_value(value) for name, value in fields.items() if name not in (*names, *TITLE_FIELDS)}
    digest = hashlib.sha256(json.dumps([title, text, metadata], sort_keys=True).encode("utf-8", "backslashreplace"))
    return Document(
        id=f"{source.id}#{f'row-{row.number}' if known_by is None else _valid(_id_text(known_by))}",
        source=source.id,
        text=text,
        title=title,
        metadata=metadata,
        content_hash=digest.hexdigest(),
    )


def _as_number(value: object) -> object:
    """A number of JSON as a float, for 10 may be followed by 12.5 in the same field; what no float holds as it stands.

    Of parquet the schema says which numbers are whole.
    """
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LARGEST_EXACT:
        return float(value)
    return value


def _is_id(value: object) -> bool:
    return isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value))


def _id_text(value: object) -> str:
    """A row is known by the same number however it is written: 7 and 7.0."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def as_value(value: object) -> Value:
    """Give what a field holds as one of the types of metadata: lists and objects as JSON, times as text."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return None
    if isinstance(value, str):
        return _valid(value)
    if isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if -MOST_INTEGER - 1 <= value <= MOST_INTEGER else str(value)
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, list | tuple | Mapping):
        return _valid(json.dumps(value, ensure_ascii=False, default=str))
    return _valid(str(value))


def _valid(text: str) -> str:
    """A text that can be kept: JSON can spell a NUL, and halves of surrogate pairs, which are no characters."""
    return text.encode("utf-8", "replace").decode().replace("\0", " ")
