"""Parquet in and out, over pyarrow, which is an extra and imported only here."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

from gtekit.errors import FileFormatError, MissingExtraError
from gtekit.files.blocks import Vectors
from gtekit.files.rows import Keep, Row, check_text, choose_field, choose_kept

Arrow: TypeAlias = Any  # pyarrow has no types
About: TypeAlias = Callable[[], dict[str, str]]

DAMAGES = (OSError, ValueError, KeyError, IndexError, TypeError)  # pyarrow raises them as well as its own
NO_UTF8 = "its strings are not UTF-8, which parquet says they are"
READ_ROWS = 1024  # at once: bounds the memory, whatever row groups the file has


def import_pyarrow() -> Arrow:
    """Import pyarrow with its parquet part.

    Raises:
        MissingExtraError: If it is not installed, with the line that brings it.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet
    except ImportError:
        raise MissingExtraError("Parquet", "parquet", "pyarrow") from None
    return pa


@dataclass(frozen=True, slots=True)
class ParquetTable:
    """An open parquet file."""

    field: str  # of the texts
    fields: tuple[str, ...]
    kept: tuple[str, ...]
    count: int
    schema: Arrow  # of the kept fields
    rows: Iterator[Row]  # ends at a bad one
    records: Iterator[tuple[int, Mapping[str, Any] | None]]  # the same, not looked at; None: its strings are no UTF-8


def read_parquet(stream: BinaryIO, name: str, field: str | None, keep: Keep) -> ParquetTable:
    """Open a parquet file. Of `rows` and `records` one can be read.

    Raises:
        FileFormatError: If it is none, or damaged; of rows, when they are reached.
    """
    pa = import_pyarrow()
    try:
        file = pa.parquet.ParquetFile(stream)
    except (pa.ArrowException, *DAMAGES) as error:
        raise FileFormatError(f"{name}: no parquet file that pyarrow can read ({error}).") from None
    schema = file.schema_arrow
    text_fields = [column.name for column in schema if _holds_text(pa, column.type)]
    text_field = choose_field(name, schema.names, text_fields, field)
    if text_field not in text_fields:
        raise FileFormatError(
            f"{name}: field {text_field!r} holds {schema.field(text_field).type}, not strings. "
            f"Fields that do: {', '.join(text_fields) or 'none'}. Choose one with --field."
        )
    kept = choose_kept(name, schema.names, text_field, keep)
    columns = list(dict.fromkeys([text_field, *kept]))
    kept_schema = pa.schema([schema.field(column) for column in kept])

    def rows() -> Iterator[Row]:
        for number, record in _records(file, columns, name):
            where = f"{name}, row {number}"
            if record is None:
                raise FileFormatError(f"{where}: {NO_UTF8}. Fix or leave out this row.")
            yield Row(check_text(record[text_field], where, text_field), {key: record[key] for key in kept}, number)

    count = file.metadata.num_rows
    records = _records(file, columns, name)
    return ParquetTable(text_field, tuple(schema.names), kept, count, kept_schema, rows(), records)


def _records(file: Arrow, columns: Sequence[str], name: str) -> Iterator[tuple[int, Mapping[str, Any] | None]]:
    pa = import_pyarrow()
    number = 0
    batches = file.iter_batches(READ_ROWS, columns=columns)
    while True:
        try:
            batch = next(batches, None)
            found = [] if batch is None else _rows_of(batch)
        except (pa.ArrowException, *DAMAGES) as error:
            raise FileFormatError(f"{name}, after row {number}: can't be read ({error}). Is it complete?") from None
        if batch is None:
            return
        for record in found:
            number += 1
            yield number, record


def _rows_of(batch: Arrow) -> list[Mapping[str, Any] | None]:
    try:
        return list(batch.to_pylist())
    except UnicodeDecodeError:
        pass
    rows: list[Mapping[str, Any] | None] = []
    for place in range(batch.num_rows):
        try:
            rows += batch.slice(place, 1).to_pylist()
        except UnicodeDecodeError:
            rows.append(None)
    return rows


def _holds_text(pa: Arrow, kind: Arrow) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    views = getattr(pa.types, "is_string_view", lambda _: False)  # pyarrow 16 and later
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or views(kind))


class ParquetVectorWriter:
    """Writes a row group for each block: the kept fields, `embedding`, and `scale` where vectors have one."""

    def __init__(self, path: Path, schema: Arrow, about: About) -> None:
        self._pa = import_pyarrow()
        self._path = path
        self._kept_schema = schema  # None: taken from the first block
        self._ask_about = about
        self._about: dict[str, str] | None = None
        self._writer: Any = None

    def write(self, rows: Sequence[Row], vectors: Vectors) -> None:
        """Append one block."""
        table = self._table(rows, vectors)
        if self._writer is None:
            self._writer = self._pa.parquet.ParquetWriter(self._path, table.schema)
        self._writer.write_table(table, row_group_size=max(1, len(rows)))

    def finish(self) -> None:
        """Write the end of the file, without which nobody can read it."""
        if self._writer is not None:
            self._writer.close()

    def abandon(self) -> None:
        """Close the file, with its end where there is room for that."""
        with suppress(OSError, self._pa.ArrowException):
            self.finish()

    def _table(self, rows: Sequence[Row], vectors: Vectors) -> Arrow:
        pa = self._pa
        kept = self._kept_table(rows)
        columns = dict(zip(kept.schema.names, kept.columns, strict=True))
        flat = pa.array(vectors.values.reshape(-1))
        columns["embedding"] = pa.FixedSizeListArray.from_arrays(flat, vectors.values.shape[1])
        if vectors.scales is not None:
            columns["scale"] = pa.array(vectors.scales)
        if self._about is None:
            self._about = {f"gtekit.{name}": value for name, value in self._ask_about().items()}
        return pa.table(columns).replace_schema_metadata(self._about)

    def _kept_table(self, rows: Sequence[Row]) -> Arrow:
        pa = self._pa
        if self._kept_schema is None:
            names = dict.fromkeys(name for row in rows for name in row.kept)
            self._kept_schema = pa.schema([(name, self._type_of(name, rows)) for name in names])
        columns = [self._array(rows, column.name, column.type) for column in self._kept_schema]
        return pa.table(columns, schema=self._kept_schema)

    def _type_of(self, name: str, rows: Sequence[Row]) -> Arrow:
        column = self._array(rows, name, None)
        return column.type if column.type != self._pa.null() else self._pa.string()

    def _array(self, rows: Sequence[Row], name: str, kind: Arrow) -> Arrow:
        try:
            return self._pa.array([row.kept.get(name) for row in rows], kind)
        except (self._pa.ArrowException, TypeError, OverflowError) as error:
            raise FileFormatError(
                f"rows {rows[0].number} to {rows[-1].number}: the values of field {name!r} do not share one parquet "
                f"type with each other and the rows before ({error}). Leave it out with --keep, or write .jsonl."
            ) from None
