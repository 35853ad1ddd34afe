"""The backend over LanceDB: exact answers while they are cheap, an approximate index above, words, versions, S3."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC
from pathlib import Path
from threading import Lock
from typing import Any, Self

from gtekit.arrays import Floats
from gtekit.errors import ArgumentError, VectorIndexError
from gtekit.index.columns import fit_columns
from gtekit.index.interface import EXACT_BELOW, Hit, Recall, Records, Space, Stats, Version
from gtekit.index.lance import approximate, words
from gtekit.index.lance.damage import find_damage, find_damaged_history
from gtekit.index.lance.disk import DiskSync
from gtekit.index.lance.failures import Result, until_committed
from gtekit.index.lance.notes import damaged_notes, read_note, read_recall, write_note
from gtekit.index.lance.rows import arrow_types, columns_of, make_schema, read_about, to_table
from gtekit.index.lance.snapshot import Snapshot, ids_sql
from gtekit.index.lance.store import Store, Table
from gtekit.index.lance.upkeep import optimize
from gtekit.index.names import no_tag

FEW_ROWS = 10_000  # that a filter lets through: all are looked at, which is exact and as fast as a graph with a filter


class LanceBackend:
    """Rows in a LanceDB table. Any number of processes may read and write at the same time.

    Below `exact_below` rows all vectors are held in memory from the first search on, and again after each write. Above,
    a graph over bytes finds candidates once `optimize` has built it; until then rows are read in blocks.
    """

    def __init__(self, store: Store, exact_below: int | None = None, version: int | str | None = None) -> None:
        """Open the table of a store.

        Args:
            store: Where it lies.
            exact_below: Rows; None: as it was created.
            version: A former state, to read only; None: the newest, whatever it is at the time.

        Raises:
            VectorIndexError: If there is none, or it is damaged.
        """
        self._store = store
        self._is_former = version is not None
        self._is_closed = False
        self._lock = Lock()  # of what a search sees
        self._writing = Lock()
        with store.errors("while opening the index"):
            self._reader: Table = store.open_table(version)
            self._space, created_with = read_about(self._reader.schema, store.location)
            self._seen = Snapshot(store.open_table(self._reader.version))
            self._writer: Table | None = None
        self._exact_below = created_with if exact_below is None else exact_below

    @classmethod
    def create(
        cls,
        location: str | Path,
        space: Space,
        *,
        storage_options: Mapping[str, str] | None = None,
        vector_dtype: str = "float16",
        exact_below: int = EXACT_BELOW,
    ) -> Self:
        """Make an index in a folder that is empty or not there yet, or under s3://bucket/prefix.

        Raises:
            VectorIndexError: If there is one already.
            MissingExtraError: If lancedb is not installed.
        """
        store = Store(str(location), storage_options or {})
        words.build(store.create_table(make_schema(space, vector_dtype, exact_below)))
        DiskSync(store.folder, is_new=True).sync()
        return cls(store)

    @classmethod
    def open(
        cls,
        location: str | Path,
        *,
        storage_options: Mapping[str, str] | None = None,
        exact_below: int | None = None,
    ) -> Self:
        """Open an index, to read and to write.

        Raises:
            VectorIndexError: If there is none, it is damaged, or another program has made it.
            MissingExtraError: If lancedb is not installed.
        """
        return cls(Store(str(location), storage_options or {}), exact_below)

    @property
    def space(self) -> Space:
        """Whose vectors these are."""
        return self._space

    @property
    def columns(self) -> Mapping[str, str]:
        """Names and types (string, int, float, bool) of the metadata."""
        with self._store.errors("while reading the columns"):
            return self._snapshot().columns

    def upsert(self, records: Records) -> None:
        """Put rows in; those whose id is there are replaced. All of a call or nothing."""

        def put(table: Table) -> None:
            words.build(table)
            known = columns_of(table.schema)
            columns, metadata = fit_columns(known, records.ids, records.metadata)
            if missing := [name for name in columns if name not in known]:
                _add_columns(table, {name: columns[name] for name in missing})
            rows = to_table(records, metadata, table.schema)
            table.merge_insert("id").when_matched_update_all().when_not_matched_insert_all().execute(rows)

        if len(records.ids):
            self._write("while writing rows", put)

    def delete(self, ids: Sequence[str] | None = None, where: str | None = None) -> int:
        """Take rows out, by id or by filter; gives how many there were."""

        def take_out(table: Table) -> int:
            sql = self._sql_of(table, where) if ids is None else ids_sql(ids)
            return int(table.delete(sql).num_deleted_rows)

        return self._write("while deleting rows", take_out) if ids is None or len(ids) else 0

    def search_vectors(self, queries: Floats, top_k: int, where: str | None = None) -> list[list[Hit]]:
        """Find the largest cosines for each of the queries, shape (Q, D)."""
        with self._store.errors("while searching vectors"):
            seen = self._snapshot()
            sql = seen.sql(where)
            if not seen.rows or not len(queries):
                return [[] for _ in queries]
            in_memory = seen.rows < self._exact_below
            if in_memory or self._is_exact(seen, top_k, sql):
                return seen.find_exactly(queries, top_k, sql, in_memory=in_memory)
            settings = approximate.settings_of(self._recall(seen), seen.rows)
            return approximate.find(seen, queries, top_k, sql, settings)

    def search_text(self, query: str, top_k: int, where: str | None = None) -> list[Hit]:
        """Find the best rows by BM25.

        Raises:
            ArgumentError: If no row has a text.
        """
        with self._store.errors("while searching words"):
            seen = self._snapshot()
            sql = seen.sql(where)
            if not seen.rows:
                return []
            if not seen.has_text:
                raise ArgumentError(
                    f"{self._store.location}: no row has a text, so there are no words to search. Put the rows in with "
                    "their texts, or search by vector."
                )
            return words.find(seen, query, top_k, sql)

    def get(self, ids: Sequence[str]) -> Records:
        """Give rows by id, in the order asked for, vectors as float32; ids that are not there are left out."""
        with self._store.errors("while reading rows"):
            return self._snapshot().get(ids)

    def scan(self, where: str | None = None, batch_rows: int = 8192) -> Iterator[Records]:
        """Give all rows, a batch at a time, vectors as float32."""
        with self._store.errors("while reading rows"):
            seen = self._snapshot()
            yield from seen.scan(seen.sql(where), batch_rows)

    def count(self, where: str | None = None) -> int:
        """Count rows."""
        with self._store.errors("while counting rows"):
            seen = self._snapshot()
            return seen.count(seen.sql(where))

    def optimize(self) -> None:
        """Compact, drop old versions, build the index of words, and that of vectors where there are rows enough."""
        self._check_writable()
        with self._store.errors("while optimizing"):
            disk = DiskSync(self._store.folder)
            optimize(self._store, self._exact_below)
            disk.sync()

    def versions(self) -> list[Version]:
        """Give the states that can be gone back to, oldest first."""
        with self._store.errors("while reading the versions"):
            table = self._store.open_table()
            tags = self._tags(table)
            return [
                Version(
                    entry["version"],
                    entry["timestamp"].astimezone(UTC),
                    tuple(sorted(name for name, number in tags.items() if number == entry["version"])),
                )
                for entry in sorted(table.list_versions(), key=lambda entry: int(entry["version"]))
            ]

    def tag(self, name: str) -> None:
        """Give the present state a name, which keeps it from being cleaned up. A name that is there moves here."""

        def name_it(table: Table) -> None:
            (table.tags.update if name in self._tags(table) else table.tags.create)(name, table.version)

        self._write("while tagging", name_it)

    def untag(self, name: str) -> None:
        """Take a name away."""

        def take_away(table: Table) -> None:
            tags = self._tags(table)
            if name not in tags:
                raise VectorIndexError(no_tag(self._store.location, name, tags))
            table.tags.delete(name)

        self._write("while removing a tag", take_away)

    def checkout(self, version: int | str) -> "LanceBackend":
        """Open a former state, by number or tag, to read only.

        Raises:
            VectorIndexError: If there is none.
        """
        known = self._known_tags()
        numbers = [state.number for state in self.versions()]
        if version not in (known if isinstance(version, str) else numbers):
            raise VectorIndexError(
                f"{self._store.location}: no version {version!r}. There are {numbers[0]} to {numbers[-1]}, and the "
                f"tags {', '.join(sorted(known)) or '(none)'}; old ones without a tag are dropped by optimize."
            )
        return LanceBackend(self._store, self._exact_below, version)

    def read_note(self, name: str) -> Mapping[str, Any] | None:
        """Read a small JSON object that is kept beside the rows."""
        with self._store.errors("while reading a note"):
            return read_note(self._snapshot().schema, name)

    def write_note(self, name: str, note: Mapping[str, Any]) -> None:
        """Keep a small JSON object beside the rows."""
        self._write("while writing a note", lambda table: write_note(table, name, note))

    def stats(self) -> Stats:
        """Say what the index is made of."""
        with self._store.errors("while reading what the index is made of"):
            seen = self._snapshot()
            graph = approximate.graph_of(seen.indices)
            recall = self._recall(seen)
            is_exact = graph is None or seen.rows < self._exact_below
            return Stats(
                backend="lance",
                location=self._store.location,
                space=self._space,
                rows=seen.rows,
                version=seen.version,
                size_bytes=self._size_bytes(seen),
                search="exact" if is_exact else approximate.settings_of(recall, seen.rows).describe(),
                unindexed_rows=graph.num_unindexed_rows if graph else 0,
                has_text=seen.has_text,
                recall=recall,
                columns=seen.columns,
            )

    def verify(self) -> list[str]:
        """Say which files, of this state and of tagged ones, are missing or were cut short; read tags and notes.

        On S3 no files are looked at, and each tagged state is opened.
        """
        problems = [] if self._store.folder is None else list(find_damaged_history(self._store.folder))
        problems += self._problems_of(self)
        try:
            for name, number in sorted(self._known_tags().items()):
                found = self._problems_of_tag(name, number)
                if found and self._known_tags().get(name) == number:  # else it was moved or removed meanwhile
                    problems += [f"tag {name!r}: {problem}" for problem in found]
        except VectorIndexError as error:
            problems.append(str(error))
        return list(dict.fromkeys(problems))

    def _known_tags(self) -> dict[str, int]:
        with self._store.errors("while reading the tags"):
            return self._tags(self._store.open_table())

    def _problems_of_tag(self, name: str, number: int) -> list[str]:
        folder = self._store.folder
        if folder is not None and (problems := list(find_damage(folder, number))):
            return problems  # as files, where there are some: LanceDB's messages do not name them all
        try:
            with closing(LanceBackend(self._store, self._exact_below, name)) as former:
                return self._problems_of(former)
        except VectorIndexError as error:
            return [str(error)]

    def _problems_of(self, backend: "LanceBackend") -> list[str]:
        """What is wrong with the files and notes of one state."""
        try:
            with self._store.errors("while looking for damage"):
                seen = backend._snapshot()
                problems = damaged_notes(seen.schema)
                if self._store.folder is not None:
                    indices = [index.index_uuid for index in seen.indices]
                    problems += find_damage(self._store.folder, seen.version, indices)
                return problems
        except VectorIndexError as error:
            return [str(error)]

    def close(self) -> None:
        """Let go of files and memory."""
        with self._lock, self._writing:
            self._is_closed = True
            self._writer = None
            del self._reader, self._seen

    def _snapshot(self) -> Snapshot:
        """What there is now: another process may have written. One small request where nothing has changed."""
        with self._lock:
            self._check_open()
            if not self._is_former:
                self._reader.checkout_latest()
                if self._reader.version != self._seen.version:
                    self._seen = Snapshot(self._store.open_table(self._reader.version))
            return self._seen

    def _write(self, doing: str, action: Callable[[Table], Result]) -> Result:
        self._check_writable()

        def on_latest() -> Result:
            table.checkout_latest()
            return action(table)

        with self._store.errors(doing), self._writing:
            self._check_open()
            if self._writer is None:
                self._writer = self._store.open_table()
                self._disk = DiskSync(self._store.folder)
            table = self._writer
            result = until_committed(self._store.location, doing, on_latest)
            self._disk.sync()
            return result

    def _is_exact(self, seen: Snapshot, top_k: int, sql: str | None) -> bool:
        is_built = approximate.graph_of(seen.indices) is not None
        return not is_built or top_k > approximate.MOST_FOUND or (sql is not None and seen.count(sql) <= FEW_ROWS)

    def _recall(self, seen: Snapshot) -> Recall | None:
        graph = approximate.graph_of(seen.indices)
        return None if graph is None else read_recall(seen.schema, graph.index_uuid)

    def _sql_of(self, table: Table, where: str | None) -> str:
        sql = Snapshot(table).sql(where)
        assert sql is not None
        return sql

    def _tags(self, table: Table) -> dict[str, int]:
        return {name: entry["version"] for name, entry in table.tags.list().items()}

    def _size_bytes(self, seen: Snapshot) -> int:
        if self._store.folder is None:
            return int(seen.table.stats()["total_bytes"])  # of this version alone
        return sum(map(_file_bytes, self._store.folder.rglob("*")))

    def _check_open(self) -> None:
        if self._is_closed:
            raise VectorIndexError(f"{self._store.location}: this index was closed. Open it again.")

    def _check_writable(self) -> None:
        if self._is_former:
            raise VectorIndexError(
                f"{self._store.location}: this is a former state, to read only. Open the index itself to write."
            )


def _add_columns(table: Table, columns: Mapping[str, str]) -> None:
    """Add empty columns: a commit of its own that changes no row."""
    import pyarrow as pa

    table.add_columns([pa.field(name, arrow_types()[kind]) for name, kind in columns.items()])


def _file_bytes(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except FileNotFoundError:  # another process has just dropped it
        return 0
