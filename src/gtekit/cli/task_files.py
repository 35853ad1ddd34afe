"""Texts in from a file or standard input, results out as JSON lines or CSV: what the commands of the tasks share."""

import argparse
import csv
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from gtekit.cli.options import FILE_HELP, add_input_options
from gtekit.errors import FileFormatError, GtekitWarning
from gtekit.files import Keep, Row, check_writable, input_format, json_value, open_rows, replace_when_complete
from gtekit.notices import warn_caller

RECORD_FORMATS = (".jsonl", ".ndjson", ".csv", ".tsv")


def add_text_file(parser: argparse.ArgumentParser) -> None:
    """Add the file of texts, or standard input, and how it is read."""
    parser.add_argument("file", nargs="?", default="-", metavar="FILE", help=f"{FILE_HELP} (-)")
    add_input_options(parser.add_argument_group("the file"))


def add_output(parser: argparse.ArgumentParser) -> None:
    """Add where the results go. What cannot be written is known before a model is loaded: see `check_output`."""
    parser.add_argument(
        "-o", "--output", default="-", metavar="OUT", help=".jsonl or .csv; - prints to standard output (%(default)s)"
    )


def read_rows(arguments: argparse.Namespace, *, keep: Keep = "none") -> list[Row]:
    """Read all texts of the file that `add_text_file` names.

    Raises:
        FileFormatError: If it is not there, a row is bad, or there is no text at all.
    """
    path = None if arguments.file == "-" else Path(arguments.file)
    with open_rows(
        path,
        input_format(path, arguments.format),
        field=arguments.field,
        keep=keep,
        delimiter=arguments.delimiter,
        is_named=path is not None or arguments.format is not None,
    ) as rows:
        if rows.guess:
            warn_caller(rows.guess, GtekitWarning)
        found = list(rows.rows)
    if not found:
        raise FileFormatError(f"{path or 'standard input'}: holds no texts. One text a line, or name another file.")
    return found


def check_output(arguments: argparse.Namespace) -> None:
    """Make sure of the format and the folder of the output before any work is done.

    Raises:
        FileFormatError: If the name ends in nothing that is written here, or the folder is closed.
    """
    if arguments.output == "-":
        return
    path = Path(arguments.output)
    if path.suffix.lower() not in RECORD_FORMATS:
        raise FileFormatError(f"{path}: name the output .jsonl, .csv or .tsv, or - for standard output.")
    check_writable(path)


def write_records(arguments: argparse.Namespace, records: Iterable[Mapping[str, Any]]) -> int:
    """Write results where --output says, one a line: a file appears when it is complete. Gives their number."""
    if arguments.output == "-":
        return _write_lines(sys.stdout, records)
    path = Path(arguments.output)
    with _complete_text(path) as stream:
        if path.suffix.lower() in (".csv", ".tsv"):
            return _write_csv(stream, records, delimiter="\t" if path.suffix.lower() == ".tsv" else ",")
        return _write_lines(stream, records)


@contextmanager
def _complete_text(path: Path) -> Iterator[TextIO]:
    with replace_when_complete(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        yield stream


def _write_lines(stream: TextIO, records: Iterable[Mapping[str, Any]]) -> int:
    count = 0
    for record in records:
        stream.write(json.dumps(record, ensure_ascii=False, default=json_value) + "\n")
        count += 1
    return count


def _write_csv(stream: TextIO, records: Iterable[Mapping[str, Any]], *, delimiter: str) -> int:
    writer = None
    count = 0
    for record in records:
        if writer is None:
            writer = csv.DictWriter(stream, list(record), delimiter=delimiter, lineterminator="\n")
            writer.writeheader()
        if more := [name for name in record if name not in writer.fieldnames]:
            raise FileFormatError(
                f"result {count + 1} has fields that the first has not ({', '.join(more)}), and the output is a table. "
                f"Name it .jsonl."
            )
        writer.writerow({name: _cell(value) for name, value in record.items()})
        count += 1
    return count


def _cell(value: object) -> object:
    """Numbers and strings as they are; lists and objects as JSON, which any reader of the file can take apart."""
    if isinstance(value, dict | list | tuple):
        return json.dumps(value, ensure_ascii=False, default=json_value)
    return value if value is None or isinstance(value, str | int | float) else json_value(value)
