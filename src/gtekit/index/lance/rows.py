"""Rows as Arrow tables: the schema of an index, records in, records and hits out."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, TypeAlias

import numpy as np

from gtekit.arrays import Array
from gtekit.errors import ArgumentError, VectorIndexError
from gtekit.index.interface import Records, Space, Value

Arrow: TypeAlias = Any  # pyarrow has no types

FORMAT = 1
ABOUT = b"gtekit"  # what the schema's metadata keep: format, space, exact_below
# Without a key, two writers that put the same new id in at the same time leave it there twice: of 1,500 ids that three
# processes wrote at once, 550 rows were too many (LanceDB 0.40). With it the later commit is made again.
PRIMARY_KEY = {"lance-schema:unenforced-primary-key": "true"}
VECTOR_TYPES = ("float16", "float32")
OWN = ("id", "text", "vector")


def arrow_types() -> dict[str, Arrow]:
    """Give the Arrow type of each type of metadata."""
    import pyarrow as pa

    return {"string": pa.string(), "int": pa.int64(), "float": pa.float64(), "bool": pa.bool_()}


def make_schema(space: Space, vector_dtype: str, exact_below: int) -> Arrow:
    """Give the schema of an empty index.

    Raises:
        ArgumentError: If vectors can't be kept in that type.
    """
    import pyarrow as pa

    if vector_dtype not in VECTOR_TYPES:
        raise ArgumentError(f"vector_dtype={vector_dtype!r} is not possible; choose from: {', '.join(VECTOR_TYPES)}.")
    number = pa.float16() if vector_dtype == "float16" else pa.float32()
    fields = [
        pa.field("id", pa.string(), nullable=False, metadata=PRIMARY_KEY),
        pa.field("text", pa.string()),
        pa.field("vector", pa.list_(number, space.dimension), nullable=False),
    ]
    about = {"format": FORMAT, "space": asdict(space), "exact_below": exact_below}
    return pa.schema(fields, metadata={ABOUT: json.dumps(about)})


def read_about(schema: Arrow, location: str) -> tuple[Space, int]:
    """Read the space of an index and below how many rows it answers exactly.

    Raises:
        VectorIndexError: If this is a table of somebody else, or of a later format.
    """
    try:
        about = json.loads((schema.metadata or {})[ABOUT])
        if about["format"] > FORMAT:
            raise VectorIndexError(
                f"{location}: of format {about['format']}, and this gtekit reads up to {FORMAT}. Install a newer one."
            )
        return Space(**about["space"]), int(about["exact_below"])
    except (KeyError, TypeError, ValueError):
        raise VectorIndexError(
            f"{location}: a LanceDB table that gtekit has not made: which model its vectors come from is not noted. "
            "Read it with lancedb, and build an index from its rows."
        ) from None


def columns_of(schema: Arrow) -> dict[str, str]:
    """Give names and types of the metadata."""
    names = {kind: name for name, kind in arrow_types().items()}
    return {field.name: names[field.type] for field in schema if field.name not in OWN}


def to_table(records: Records, metadata: Sequence[Mapping[str, Value]], schema: Arrow) -> Arrow:
    """Give records as a table of all columns that the index has."""
    import pyarrow as pa

    kind = schema.field("vector").type
    values = np.ascontiguousarray(records.vectors, np.float16 if kind.value_type == pa.float16() else np.float32)
    arrays = {
        "id": pa.array(records.ids, pa.string()),
        "text": pa.array(records.texts, pa.string())
        if records.texts is not None
        else pa.nulls(len(values), pa.string()),
        "vector": pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), type=kind),
    }
    for name in columns_of(schema):
        arrays[name] = pa.array([row.get(name) for row in metadata], schema.field(name).type)
    return pa.table([arrays[name] for name in schema.names], schema=schema)


def vectors_of(table: Arrow) -> Array:
    """Give the vectors of a table or batch, shape (N, D), in the type that they are kept in."""
    column = table.column("vector")
    dimension = column.type.list_size
    chunks = column.chunks if hasattr(column, "chunks") else [column]
    if not chunks:
        return np.empty((0, dimension), column.type.value_type.to_pandas_dtype())
    return np.concatenate([chunk.flatten().to_numpy(zero_copy_only=False).reshape(-1, dimension) for chunk in chunks])


def metadata_of(table: Arrow) -> list[dict[str, Value]]:
    """Give the metadata of each row, without names that it has no value for."""
    names = [name for name in table.schema.names if name not in OWN and not name.startswith("_")]
    columns = [table.column(name).to_pylist() for name in names]
    return [
        {name: value for name, value in zip(names, values, strict=True) if value is not None}
        for values in (zip(*columns, strict=True) if columns else [()] * len(table.column("id")))
    ]


def to_records(table: Arrow) -> Records:
    """Give a table or batch as records, vectors as float32."""
    texts = table.column("text").to_pylist()
    metadata = metadata_of(table)
    return Records(
        table.column("id").to_pylist(),
        np.asarray(vectors_of(table), np.float32),
        texts if any(text is not None for text in texts) else None,
        metadata if any(metadata) else None,
    )
