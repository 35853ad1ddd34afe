"""One version of an index: what a search sees, whatever is written meanwhile."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from threading import Lock
from typing import Any

import numpy as np

from gtekit.arrays import Array, Floats, Ints
from gtekit.cosines import within_one
from gtekit.index.filters import parse
from gtekit.index.interface import Hit, Records
from gtekit.index.lance.rows import Arrow, columns_of, metadata_of, to_records, vectors_of
from gtekit.index.lance.sql import where_sql
from gtekit.index.lance.store import Table
from gtekit.nearest import nearest

ROW_ID = "_rowid"  # LanceDB's own; fixed within a version
SCAN_ROWS = 8192
IDS_AT_ONCE = 10_000  # in one filter of SQL: 100,000 took 0.6 s
SOME_QUERIES = 64  # answered in one pass over the disk: bounds the products of a block


class Snapshot:
    """A table at a version that does not change any more. Safe to use from several threads."""

    def __init__(self, table: Table) -> None:
        """Take a table that was checked out at a version."""
        self.table = table
        self.version: int = table.version
        self.schema: Arrow = table.schema
        self._loading = Lock()
        self._matrix: tuple[Array, Array] | None = None

    @cached_property
    def columns(self) -> Mapping[str, str]:
        """Names and types of the metadata."""
        return columns_of(self.schema)

    @cached_property
    def rows(self) -> int:
        """How many there are."""
        return int(self.table.count_rows())

    @cached_property
    def has_text(self) -> bool:
        """Whether any row has a text."""
        return len(self.table.search().where("text IS NOT NULL").limit(1).select(["id"]).to_arrow()) > 0

    @cached_property
    def indices(self) -> Sequence[Any]:
        """The indices of this version, as LanceDB describes them."""
        return list(self.table.list_indices())

    def sql(self, where: str | None) -> str | None:
        """Give a filter in LanceDB's SQL."""
        return None if where is None else where_sql(parse(where, self.columns).predicate)

    def count(self, sql: str | None) -> int:
        """Count the rows that a filter lets through."""
        return self.rows if sql is None else int(self.table.count_rows(sql))

    def find_exactly(self, queries: Floats, top_k: int, sql: str | None, *, in_memory: bool) -> list[list[Hit]]:
        """Find the largest cosines by looking at every row.

        Args:
            queries: Shape (Q, D).
            top_k: How many for each query.
            sql: A filter; None: all rows.
            in_memory: Whether all vectors are kept in memory from the first search on; else they are read in blocks.
        """
        if in_memory:
            vectors, row_ids = self._all_vectors()
            scores, numbers = nearest(queries, vectors, top_k, allowed=self._allowed(row_ids, sql))
            return self.fetch(within_one(scores), row_ids[numbers])
        found = []
        for first in range(0, len(queries), SOME_QUERIES):
            scores, row_ids = self._find_in_blocks(queries[first : first + SOME_QUERIES], top_k, sql)
            found += self.fetch(within_one(scores), row_ids)
        return found

    def fetch(self, scores: Floats, row_ids: Array) -> list[list[Hit]]:
        """Give the rows that were found as hits; scores and row ids have the shape (Q, K)."""
        wanted = np.unique(row_ids)
        if not len(wanted):
            return [[] for _ in scores]
        names = [name for name in self.schema.names if name != "vector"]
        # gives rows in an order of its own, each once
        table = self.table.take_row_ids(wanted.tolist()).select(names).with_row_id().to_arrow()
        rows = zip(table.column("id").to_pylist(), table.column("text").to_pylist(), metadata_of(table), strict=True)
        by_id = dict(zip(table.column(ROW_ID).to_pylist(), rows, strict=True))
        return [
            [_hit(by_id[row_id], score) for score, row_id in zip(some, numbers, strict=True)]
            for some, numbers in zip(scores.tolist(), row_ids.tolist(), strict=True)
        ]

    def get(self, ids: Sequence[str]) -> Records:
        """Give rows by id, in the order asked for."""
        tables = []
        for first in range(0, len(ids), IDS_AT_ONCE):
            sql = ids_sql(ids[first : first + IDS_AT_ONCE])
            tables.append(self.table.search().where(sql).select(self.schema.names).to_arrow())
        import pyarrow as pa

        found = pa.concat_tables(tables) if tables else self.schema.empty_table()
        places = {name: row for row, name in enumerate(found.column("id").to_pylist())}
        return to_records(found.take(pa.array([places[name] for name in ids if name in places], pa.int64())))

    def scan(self, sql: str | None, batch_rows: int) -> Iterator[Records]:
        """Give all rows, a batch at a time."""
        for batch in self._batches(sql, self.schema.names, batch_rows):
            yield to_records(batch)

    def sample(self, count: int, seed: int) -> Floats:
        """Give the vectors of some rows, drawn by a seed, shape (count, D)."""
        chosen = np.random.default_rng(seed).choice(self.rows, size=min(count, self.rows), replace=False)
        table = self.table.take_offsets(np.sort(chosen).tolist()).select(["vector"]).to_arrow()
        return np.asarray(vectors_of(table), np.float32)

    def _batches(self, sql: str | None, names: Sequence[str], batch_rows: int = SCAN_ROWS) -> Iterator[Arrow]:
        query = self.table.search().select(list(names)).with_row_id(True)
        if sql is not None:
            query = query.where(sql)
        for batch in query.to_batches(batch_size=batch_rows):
            if len(batch):
                yield batch

    def _all_vectors(self) -> tuple[Array, Array]:
        with self._loading:
            if self._matrix is None:
                kind = self.schema.field("vector").type
                vectors = np.empty((self.rows, kind.list_size), kind.value_type.to_pandas_dtype())
                row_ids = np.empty(self.rows, np.uint64)
                filled = 0
                for batch in self._batches(None, ["vector"]):
                    vectors[filled : filled + len(batch)] = vectors_of(batch)
                    row_ids[filled : filled + len(batch)] = batch.column(ROW_ID).to_numpy()
                    filled += len(batch)
                self._matrix = vectors[:filled], row_ids[:filled]
            return self._matrix

    def _allowed(self, row_ids: Array, sql: str | None) -> Array | None:
        if sql is None:
            return None
        found = self.table.search().where(sql).with_row_id(True).select([ROW_ID]).to_arrow()
        return np.isin(row_ids, found.column(ROW_ID).to_numpy())

    def _find_in_blocks(self, queries: Floats, top_k: int, sql: str | None) -> tuple[Floats, Array]:
        scores = np.empty((len(queries), 0), np.float32)
        row_ids = np.empty((len(queries), 0), np.uint64)
        for batch in self._batches(sql, ["vector"]):
            near, numbers = nearest(queries, vectors_of(batch), top_k)
            scores, order = _largest(np.hstack([scores, near]), top_k)
            together = np.hstack([row_ids, batch.column(ROW_ID).to_numpy()[numbers]])
            row_ids = np.take_along_axis(together, order, axis=1)
        return scores, row_ids


def ids_sql(ids: Sequence[str]) -> str:
    """Give the filter of rows with one of these ids."""
    literals = ", ".join("'" + name.replace("'", "''") + "'" for name in ids)
    return f"id IN ({literals})"


def _largest(scores: Floats, top_k: int) -> tuple[Floats, Ints]:
    order = np.argsort(-scores, axis=1, kind="stable")[:, :top_k]
    return np.take_along_axis(scores, order, axis=1), order


def _hit(row: tuple[str, str | None, dict[str, Any]], score: float) -> Hit:
    name, text, metadata = row
    return Hit(name, score, text, metadata, vector_score=score)
