"""All rows out: as Arrow, to a Parquet file or to lines of JSON."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from gtekit.arrays import Floats
from gtekit.errors import FileFormatError, MissingExtraError
from gtekit.files import check_writable, replace_when_complete
from gtekit.index.interface import Backend, Records

Arrow: TypeAlias = Any  # pyarrow has no types


def to_arrow(backend: Backend, where: str | None) -> Arrow:
    """Give all rows as a pyarrow.RecordBatchReader."""
    pa = _import_pyarrow()
    columns = dict(backend.columns)
    schema = _schema(pa, columns, backend.space.dimension)
    batches = (_batch(pa, schema, columns, records) for records in backend.scan(where))
    return pa.RecordBatchReader.from_batches(schema, batches)


def export(backend: Backend, path: Path, where: str | None) -> int:
    """Write all rows to a file; gives how many."""
    writers = {".parquet": _write_parquet, ".jsonl": _write_jsonl}
    if path.suffix.lower() not in writers:
        raise FileFormatError(f"{path}: the end of the name does not say the format. Name it .parquet or .jsonl.")
    if path.is_dir():
        raise FileFormatError(f"{path}: is a folder. Name a file.")
    check_writable(path)
    with replace_when_complete(path) as temporary:
        return writers[path.suffix.lower()](backend, temporary, where)


def _write_parquet(backend: Backend, path: Path, where: str | None) -> int:
    pa = _import_pyarrow()
    reader = to_arrow(backend, where)
    space = backend.space
    about = {"gtekit.model": space.model, "gtekit.fingerprint": space.fingerprint}
    rows = 0
    with pa.parquet.ParquetWriter(path, reader.schema.with_metadata(about)) as writer:
        for batch in reader:
            writer.write_batch(batch.replace_schema_metadata(about))
            rows += batch.num_rows
    return rows


def _write_jsonl(backend: Backend, path: Path, where: str | None) -> int:
    rows = 0
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for row in _rows(backend.scan(where)):
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            rows += 1
    return rows


def _rows(batches: Iterator[Records]) -> Iterator[dict[str, Any]]:
    for records in batches:
        vectors = np.asarray(records.vectors, np.float32)
        for number, row_id in enumerate(records.ids):
            text = records.texts[number] if records.texts is not None else None
            metadata = dict(records.metadata[number]) if records.metadata is not None else {}
            yield {"id": row_id, "text": text, **metadata, "vector": _short(vectors[number])}


def _short(vector: Floats) -> list[float]:
    """The shortest decimals that give each float32 back."""
    return [float(str(number)) for number in vector]


def _schema(pa: Arrow, columns: dict[str, str], dimension: int) -> Arrow:
    types = {"string": pa.string(), "int": pa.int64(), "float": pa.float64(), "bool": pa.bool_()}
    return pa.schema(
        [
            pa.field("id", pa.string(), nullable=False),
            pa.field("text", pa.string()),
            pa.field("vector", pa.list_(pa.float32(), dimension), nullable=False),
            *(pa.field(name, types[kind]) for name, kind in columns.items()),
        ]
    )


def _batch(pa: Arrow, schema: Arrow, columns: dict[str, str], records: Records) -> Arrow:
    count = len(records.ids)
    texts = records.texts if records.texts is not None else [None] * count
    metadata = records.metadata if records.metadata is not None else [{}] * count
    flat = pa.array(np.asarray(records.vectors, np.float32).reshape(-1))
    arrays = [
        pa.array(records.ids, pa.string()),
        pa.array(texts, pa.string()),
        pa.FixedSizeListArray.from_arrays(flat, type=schema.field("vector").type),
        *(pa.array([row.get(name) for row in metadata], schema.field(name).type) for name in columns),
    ]
    return pa.record_batch(arrays, schema=schema)


def _import_pyarrow() -> Arrow:
    try:
        import pyarrow as pa
        import pyarrow.parquet
    except ImportError:
        raise MissingExtraError("Arrow and Parquet", "parquet", "pyarrow") from None
    return pa
