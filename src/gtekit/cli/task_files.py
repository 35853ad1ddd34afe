"""Texts in from a file or standard input, results out as JSON lines or CSV: what the commands of the tasks share."""

import argparse
import csv
import math
import os
import sys
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

from gtekit.cli.options import FILE_HELP, add_input_options
from gtekit.errors import ArgumentError, FileFormatError, GtekitWarning
from gtekit.files import (
    Keep,
    Row,
    check_writable,
    input_format,
    json_text,
    json_value,
    open_rows,
    replace_when_complete,
)
from gtekit.notices import warn_caller

RECORD_FORMATS = (".jsonl", ".ndjson", ".csv", ".tsv")
INPUTS = ("file", "labels", "classifier", "calibration", "queries")  # options that may name a file to read
LEAVE_OUT = "Rename it, or leave it out with --keep."


def add_text_file(parser: argparse.ArgumentParser) -> None:
    """Add the file of texts, or standard input, and how it is read."""
    parser.add_argument("file", nargs="?", default="-", metavar="FILE", help=f"{FILE_HELP} (-)")
    add_input_options(parser.add_argument_group("the file"))


def add_output(parser: "argparse.ArgumentParser | argparse._ArgumentGroup") -> None:
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


def row_place(arguments: argparse.Namespace, row: Row) -> str:
    """Say where a row of `read_rows` stands: candidates.csv, line 3."""
    path = None if arguments.file == "-" else Path(arguments.file)
    kind = "row" if input_format(path, arguments.format) == "parquet" else "line"
    return f"{path or 'standard input'}, {kind} {row.number}"


def check_own_fields(where: str, fields: Container[str], own: Sequence[str], *, advice: str = LEAVE_OUT) -> None:
    """Make sure that results added to a row write over none of its fields.

    Args:
        where: The file and line of the row.
        fields: What the row has.
        own: The names of the results.
        advice: What to do.

    Raises:
        FileFormatError: If the row has a field of such a name.
    """
    for name in own:
        if name in fields:
            raise FileFormatError(f"{where}: the field {name!r} has the name of a result. {advice}")


def check_output(arguments: argparse.Namespace, *others: str) -> None:
    """Make sure of the output before any work is done: its format, and all that `check_targets` looks at.

    Raises:
        FileFormatError: If the name ends in nothing that is written here, or no file can be made there.
    """
    if arguments.output is not None and arguments.output != "-":
        check_record_name(Path(arguments.output), "the output")
    check_targets(arguments, "output", *others)


def check_record_name(path: Path, what: str) -> None:
    """Make sure that the name of a file says how its records are written.

    Raises:
        FileFormatError: If it does not.
    """
    if path.suffix.lower() not in RECORD_FORMATS:
        dash = ", or - for standard output" if what == "the output" else ""
        raise FileFormatError(f"{path}: name {what} .jsonl, .csv or .tsv{dash}.")


def check_targets(arguments: argparse.Namespace, *names: str) -> None:
    """Make sure that files can be written: in their folders, over no folder, no input, and not over each other.

    Args:
        arguments: Of the command; options that were not given, or are -, are passed over.
        names: Of the options that name files to write, as attributes.

    Raises:
        FileFormatError: If one can't be.
    """
    taken: dict[Path, str] = {}
    for name in names:
        target = getattr(arguments, name)
        if target is None or str(target) == "-":
            continue
        path = Path(target)
        option = f"{'-o' if name == 'output' else f'--{name}'} {path}"
        if source := next((source for source in INPUTS if _is_same(path, getattr(arguments, source, None))), None):
            of = "" if source == "file" else f" of --{source}"
            raise FileFormatError(f"{option}: is the input{of}. Name another file.")
        if other := taken.get(path.resolve()):
            raise FileFormatError(f"{option}: is the file of {other} as well. Name another file.")
        taken[path.resolve()] = option.split()[0]
        check_writable(path)


def refuse_json_with_rows(arguments: argparse.Namespace) -> None:
    """Refuse --json where rows go to standard output.

    Raises:
        ArgumentError: If both are asked for.
    """
    if arguments.json and arguments.output == "-":
        raise ArgumentError(
            "-o - and --json both print to standard output, where rows are JSON lines already; name a file, "
            "-o OUT.jsonl, or leave out --json."
        )


def write_records(arguments: argparse.Namespace, records: Iterable[Mapping[str, Any]]) -> int:
    """Write results where --output says, one a line: a file appears when it is complete. Gives their number."""
    if arguments.output == "-":
        return _write_lines(sys.stdout, records)
    return write_record_file(Path(arguments.output), records)


def write_record_file(path: Path, records: Iterable[Mapping[str, Any]]) -> int:
    """Write results to a file of RECORD_FORMATS, which appears when it is complete. Gives their number."""
    with _complete_text(path) as stream:
        if path.suffix.lower() in (".csv", ".tsv"):
            return _write_csv(stream, records, delimiter="\t" if path.suffix.lower() == ".tsv" else ",")
        return _write_lines(stream, records)


def _is_same(path: Path, source: str | Path | None) -> bool:
    if str(source) == "-":
        with suppress(OSError, ValueError):  # there is no such output yet, or standard input is no file
            return os.path.samestat(os.fstat(sys.stdin.fileno()), path.stat())
        return False
    if source is None or not (os.path.exists(source) and path.exists()):  # noqa: PTH110 - takes any text
        return False
    return os.path.samefile(path, source)  # noqa: PTH121


@contextmanager
def _complete_text(path: Path) -> Iterator[TextIO]:
    with replace_when_complete(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        yield stream


def _write_lines(stream: TextIO, records: Iterable[Mapping[str, Any]]) -> int:
    count = 0
    for record in records:
        stream.write(json_text(record) + "\n")
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
        return json_text(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None  # as null in JSON
    return value if value is None or isinstance(value, str | int | float) else json_value(value)
