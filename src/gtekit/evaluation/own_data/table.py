"""Records of named fields out of csv, tsv and JSON lines, plain or gzip, out of parquet, or out of Python values."""

import csv
import gzip
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal, TypeAlias, cast

from gtekit.errors import ArgumentError, FileFormatError, GtekitError
from gtekit.files.csv_records import CountedLines, next_record
from gtekit.files.lines import GZIP_MARK, read_lines
from gtekit.files.parquet import READ_ROWS, import_pyarrow
from gtekit.files.rows import name_kind

RowSource: TypeAlias = Path | str | Iterable[Sequence[object] | Mapping[str, object]]  # str: the path of a file
TableFormat = Literal["csv", "tsv", "jsonl", "parquet"]

JSON_SUFFIXES = (".jsonl", ".ndjson")
SUFFIXES: Mapping[str, TableFormat] = {
    ".csv": "csv",
    ".tsv": "tsv",
    **dict.fromkeys(JSON_SUFFIXES, "jsonl"),
    ".parquet": "parquet",
}
OTHER_DELIMITERS = {";": "';'", "\t": "a tab", "|": "'|'", ",": "a comma"}
CSV_FIELD_BYTES = 2**31 - 1  # the csv module refuses fields over 128 KiB unless told otherwise
SHOWN_CHARS = 40  # of a name in a message: a file without a heading has texts there


@dataclass(frozen=True, slots=True)
class Record:
    """One row: where it stands, and its values by field."""

    source: str  # the file, or the name of the argument
    place: str  # line 2, index 0
    values: Mapping[str, Any]
    is_file: bool = True

    def error(self, message: str) -> GtekitError:
        """Make the error that says where this row is."""
        return (FileFormatError if self.is_file else ArgumentError)(f"{self.source}, {self.place}: {message}")

    def text(self, field: str) -> str:
        """Give a field that holds a text.

        Raises:
            FileFormatError: If it holds anything else (of Python values: ArgumentError).
        """
        value = self.value(field)
        if not isinstance(value, str):
            raise self.error(f"{field!r} holds {name_kind(value)}, not a text. Fix or leave out this row.")
        try:
            value.encode("utf-8")
        except UnicodeEncodeError as error:
            raise self.error(
                f"{field!r} has half of a surrogate pair at character {error.start} ({value[error.start]!a}), which "
                f"is not valid text. Fix or leave out this row."
            ) from None
        return value

    def value(self, field: str) -> object:
        """Give a field.

        Raises:
            FileFormatError: If this row has none of that name (of Python values: ArgumentError).
        """
        if field not in self.values:
            raise self.error(f"no field {field!r}; this row has: {show_names(self.values)}. Fix or leave out this row.")
        found: object = self.values[field]
        return found


def read_records(
    source: RowSource, argument: str, standard: Sequence[str], *, delimiter: str | None = None
) -> Iterator[Record]:
    """Read rows one by one.

    Args:
        source: A file (.csv and .tsv with a heading, .jsonl; .gz of these; .parquet), or rows as Python values:
            sequences in the order of `standard`, or mappings.
        argument: What the caller calls the source, for messages.
        standard: The names of the fields of a row without names.
        delimiter: Between the columns of a .csv or .tsv file; None: a comma, a tab.

    Raises:
        FileFormatError: If the file is not there, of another format, empty or damaged, with the line.
        ArgumentError: If Python values are of another shape, with the index.
    """
    records = (
        _file_records(Path(source), delimiter) if isinstance(source, str | Path) else _rows(source, argument, standard)
    )
    first = next(records, None)
    if first is None:
        if isinstance(source, str | Path):
            raise FileFormatError(f"{source}: has no rows. Is it the right file?")
        raise ArgumentError(f"{argument} is empty: there is nothing to measure.")
    yield first
    yield from records


def read_file_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line numbers from 1 and lines of a file, plain or gzip, whatever its name.

    Raises:
        FileFormatError: If the file can't be read, is damaged, or holds what is not UTF-8.
    """
    try:
        with path.open("rb") as file:
            if file.peek(2)[:2] == GZIP_MARK:
                with gzip.GzipFile(fileobj=file) as unpacked:
                    yield from read_lines(cast(BinaryIO, unpacked), str(path))
            else:
                yield from read_lines(file, str(path))
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise FileFormatError(f"{path}: is a damaged gzip file ({error}). Make or download it again.") from None
    except OSError as error:
        raise FileFormatError(f"{path}: can't be read ({error.strerror}). Is the path right?") from None


def parse_object(line: str, where: str) -> dict[str, Any]:
    """Give the JSON object of one line.

    Raises:
        FileFormatError: If the line holds anything else.
    """
    try:
        value = json.loads(line, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:  # its own text counts lines, from the one line that it saw
        raise _not_json(where, f"{error.msg}: column {error.colno}") from None
    except (ValueError, RecursionError) as error:
        raise _not_json(where, "too deeply nested" if isinstance(error, RecursionError) else str(error)) from None
    if not isinstance(value, dict):
        raise FileFormatError(f"{where}: holds {name_kind(value)}; each line is one JSON object.")
    return value


def name_suffix(path: Path) -> str:
    """Give the end of a file's name in small letters, without .gz."""
    return Path(path.name.lower().removesuffix(".gz")).suffix


def show_names(names: Iterable[str]) -> str:
    """List the names of fields for a message."""
    shown = [name if len(name) <= SHOWN_CHARS else f"{name[:SHOWN_CHARS]}..." for name in map(str, names)]
    return ", ".join(map(repr, shown[:12])) + (", ..." if len(shown) > 12 else "") if shown else "nothing"


def _file_records(path: Path, delimiter: str | None) -> Iterator[Record]:
    if path.is_dir():
        raise FileFormatError(f"{path}: is a folder. Name one file; a folder is for retrieval.")
    form = SUFFIXES.get(name_suffix(path))
    if form is None:
        raise FileFormatError(
            f"{path}: the end of the name does not say the format. Name the file {', '.join(SUFFIXES)}, or one of "
            f"these with .gz."
        )
    if delimiter is not None and form not in ("csv", "tsv"):
        raise FileFormatError(f"{path}: --delimiter is for csv and tsv, and this is {form}. Leave it out.")
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '\r\n"\0'):
        raise FileFormatError(f"--delimiter {delimiter!r}: must be one character, and no quote or line end.")
    if form == "parquet":
        yield from _parquet_records(path)
    elif form == "jsonl":
        for number, line in read_file_lines(path):
            if line.strip():
                yield Record(str(path), f"line {number}", parse_object(line, f"{path}, line {number}"))
    else:
        limit = csv.field_size_limit(CSV_FIELD_BYTES)
        try:
            yield from _csv_records(path, delimiter or ("\t" if form == "tsv" else ","))
        finally:
            csv.field_size_limit(limit)


def _parquet_records(path: Path) -> Iterator[Record]:
    pa = import_pyarrow()
    try:
        with pa.parquet.ParquetFile(path) as file:
            rows = (row for batch in file.iter_batches(READ_ROWS) for row in batch.to_pylist())
            for number, row in enumerate(rows, start=1):
                yield Record(str(path), f"row {number}", row)
    except FileNotFoundError:
        raise FileFormatError(f"{path}: can't be read (No such file or directory). Is the path right?") from None
    except (pa.ArrowException, OSError) as error:
        raise FileFormatError(f"{path}: no parquet file that pyarrow can read ({error}).") from None


def _csv_records(path: Path, delimiter: str) -> Iterator[Record]:
    lines = CountedLines(read_file_lines(path))
    table = csv.reader(lines, delimiter=delimiter, strict=True)
    heading = [name.strip() for name in next_record(table, f"{path}, line 1") or ()]
    if not heading:
        raise FileFormatError(f"{path}: is empty, or begins with an empty line. Its first line names the columns.")
    if len(heading) == 1:
        raise _one_column(path, heading[0], delimiter)
    if len(set(heading)) < len(heading):
        raise FileFormatError(f"{path}, line 1: a column name is there twice: {show_names(heading)}. Rename one.")
    begin = lines.number + 1  # a record between quotes can have several lines
    while (row := next_record(table, f"{path}, line {begin}")) is not None:
        if row and len(row) != len(heading):
            raise FileFormatError(
                f"{path}, line {begin}: has {len(row)} field{'s' * (len(row) != 1)}, the first line names "
                f"{len(heading)} ({show_names(heading)}). Is a quote or a delimiter missing?"
            )
        if row:  # an empty line separates nothing
            yield Record(str(path), f"line {begin}", dict(zip(heading, row, strict=True)))
        begin = lines.number + 1


def _one_column(path: Path, name: str, delimiter: str) -> FileFormatError:
    found = [shown for char, shown in OTHER_DELIMITERS.items() if char in name and char != delimiter]
    fix = f"Its columns seem to be separated by {found[0]}. " if found else ""
    return FileFormatError(
        f"{path}, line 1: has one column, {show_names([name])}. {fix}A .csv file has commas between its columns and a "
        f".tsv file tabs; save or name it so, or say --delimiter."
    )


def _rows(rows: object, argument: str, standard: Sequence[str]) -> Iterator[Record]:
    if isinstance(rows, bytes | Mapping) or not isinstance(rows, Iterable):
        raise ArgumentError(
            f"{argument} is a {type(rows).__name__}, expected the path of a file, or a list of rows: "
            f"[({', '.join(standard)}), ...]."
        )
    for index, row in enumerate(rows):
        if isinstance(row, Mapping):
            yield Record(argument, f"index {index}", row, is_file=False)
        elif isinstance(row, Sequence) and not isinstance(row, str | bytes) and len(row) == len(standard):
            yield Record(argument, f"index {index}", dict(zip(standard, row, strict=True)), is_file=False)
        else:
            raise ArgumentError(
                f"{argument}, index {index}: is {row!r:.60}, expected a row of {len(standard)}: "
                f"({', '.join(standard)})."
            )


def _refuse_constant(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON number")


def _not_json(where: str, reason: str) -> FileFormatError:
    return FileFormatError(f"{where}: not valid JSON ({reason}). Each line is one JSON object.")
