"""The front door: an index of vectors that stay, searched by text, by vector or both."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeAlias

import numpy as np

from gtekit.arrays import Array
from gtekit.errors import ArgumentError, VectorIndexError
from gtekit.index.columns import fit_columns
from gtekit.index.export import export, to_arrow
from gtekit.index.filters import parse
from gtekit.index.interface import Backend, Hit, Mode, Records, Space, Stats, Value, Version
from gtekit.index.names import check_note, check_note_name, check_tag, check_version
from gtekit.index.rows import check_ids, check_row_texts, check_rows, unit_vectors
from gtekit.index.search import Queries, SearchOptions, search
from gtekit.index.spaces import Model, check_fingerprint, line_with_model
from gtekit.index.verify import verify
from gtekit.inputs import check_count, check_texts

Arrow: TypeAlias = Any  # pyarrow has no types


class Index:
    """Rows of id, vector, text and metadata, and the search among them. Made by `create`, `open` and `in_memory`.

    What a write has acknowledged by returning outlives the process, however it ends, unless the index is in memory.
    Safe to call from several threads at once. Other processes may read meanwhile: they see each write whole.
    """

    def __init__(self, backend: Backend, location: str, model: Model | None, *, is_read_only: bool = False) -> None:
        self.location = location
        self.model = model  # of queries and texts; None: vectors only
        self.is_read_only = is_read_only
        self._opened: Backend | None = backend

    def __repr__(self) -> str:
        if self._opened is None:
            return f"<Index {self.location}: closed>"
        return f"<Index {self.location}: {self.count():,} rows of {self.space.model}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __len__(self) -> int:
        return self.count()

    def __bool__(self) -> bool:
        return True  # an empty index is one, too

    @property
    def space(self) -> Space:
        """The model that built it, and what decides whether a vector fits."""
        return self._backend.space

    @property
    def columns(self) -> Mapping[str, str]:
        """Names and types (string, int, float, bool) of the metadata."""
        return self._backend.columns

    def upsert(
        self,
        ids: Sequence[str],
        texts: Sequence[str | None] | None = None,
        vectors: Array | Sequence[Sequence[float]] | None = None,
        metadata: Sequence[Mapping[str, Value]] | None = None,
        *,
        fingerprint: str | None = None,
    ) -> None:
        """Put rows in; those whose id is there are replaced. All rows of a call or none.

        Args:
            ids: One a row, each a str of 1 to 512 bytes, no two alike.
            texts: Kept, and searched by words where the backend can. Embedded with the model's document prompt unless
                `vectors` are given; None among them then means a row without text.
            vectors: Shape (N, D), of the model of this index; they are normalized here.
            metadata: One dict a row, of str, int, float, bool or None. The first value of a name decides its type.
            fingerprint: Of the model that made `vectors`; without it only their length can be checked.

        Raises:
            ArgumentError: If something is missing, has another length, occurs twice, or can't be stored; with its
                position or id.
            SpaceError: If `vectors` are of another model.
            VectorIndexError: If this index is read-only or closed, or another process is writing.
        """
        backend = self._writable()
        if fingerprint is not None:
            check_fingerprint(self.space, fingerprint, self.location)
        checked = check_ids(ids)
        check_rows(checked, texts=texts, vectors=vectors, metadata=metadata)
        _, fitted = fit_columns(backend.columns, checked, metadata)  # before the model works: it may take hours
        kept = None if texts is None else check_row_texts(texts, may_miss=vectors is not None)
        if not checked:
            return
        if vectors is None:
            vectors = self._model("texts").encode_document(check_texts([text or "" for text in kept or ()]))
        rows = unit_vectors(vectors, self.space, self.location)
        backend.upsert(Records(checked, rows, kept, fitted if metadata is not None else None))

    def delete(self, ids: Sequence[str] | None = None, where: str | None = None) -> int:
        """Take rows out, by id or by filter; gives how many there were. An id that is not there is passed over.

        Raises:
            ArgumentError: If neither or both are given, or the filter can't be read.
            VectorIndexError: If this index is read-only or closed, or another process is writing.
        """
        backend = self._writable()
        if (ids is None) == (where is None):
            raise ArgumentError("delete takes ids or where, one of them. All rows: where='id IS NOT NULL'.")
        if ids is None:
            return backend.delete(where=where)
        checked = check_ids(ids, may_repeat=True)
        return backend.delete(ids=list(dict.fromkeys(checked))) if checked else 0

    def search(
        self,
        query: str | Array | Sequence[float],
        *,
        top_k: int = 10,
        mode: Mode = "vector",
        where: str | None = None,
        text_weight: float = 0.5,
        diversity: float = 0.0,
    ) -> list[Hit]:
        """Find the best rows, best first.

        Args:
            query: A text, which is embedded with the model's query prompt; or a vector, shape (D,).
            top_k: How many; there are fewer where fewer rows fit.
            mode: "vector" by meaning (cosine), "text" by words (BM25), "hybrid" by both.
            where: A filter over `id` and the metadata, such as "year >= 2020 AND lang IN ('en', 'de')".
            text_weight: What words count in hybrid, 0 to 1.
            diversity: Above 0, what is like a better hit makes room for something else (MMR); up to 1.

        Raises:
            ArgumentError: If a value is not possible, the filter can't be read, a text is given without a model, or the
                backend can't search words.
            SpaceError: If the vector has another length.
            VectorIndexError: If this index is closed or damaged.
        """
        return self.search_many(
            _one_row(query), top_k=top_k, mode=mode, where=where, text_weight=text_weight, diversity=diversity
        )[0]

    def search_many(
        self,
        queries: Sequence[str] | Array,
        *,
        top_k: int = 10,
        mode: Mode = "vector",
        where: str | None = None,
        text_weight: float = 0.5,
        diversity: float = 0.0,
    ) -> list[list[Hit]]:
        """Find the best rows for each of many queries, faster than one by one: as `search`.

        Args:
            queries: Texts, or vectors of shape (Q, D).
            top_k: As for `search`, and so are those that follow.
            mode: The same.
            where: The same.
            text_weight: The same.
            diversity: The same.
        """
        backend = self._backend
        options = SearchOptions(top_k=top_k, mode=mode, where=where, text_weight=text_weight, diversity=diversity)
        options.check()
        if not hasattr(queries, "__len__"):
            raise ArgumentError(f"queries is a {type(queries).__name__}, expected a list of str, or vectors (Q, D).")
        if len(queries) == 0:
            return []
        return search(backend, self._queries(queries, mode), options)

    def get(self, ids: Sequence[str]) -> Records:
        """Give rows by id, in the order asked for, vectors as float32; ids that are not there are left out."""
        return self._backend.get(check_ids(ids, may_repeat=True))

    def scan(self, where: str | None = None, batch_rows: int = 8192) -> Iterator[Records]:
        """Give all rows, a batch at a time, vectors as float32.

        Raises:
            ArgumentError: If the filter can't be read; now, not at the first batch.
        """
        check_count("batch_rows", batch_rows)
        return self._backend.scan(self._readable(where), batch_rows)

    def count(self, where: str | None = None) -> int:
        """Count rows."""
        return self._backend.count(where)

    def optimize(self) -> None:
        """Tidy up after many writes: compact, drop old versions without a tag, build what makes search fast."""
        self._writable().optimize()

    def versions(self) -> list[Version]:
        """Give the states that can be gone back to, oldest first. Every write makes one; `optimize` drops old ones."""
        return self._backend.versions()

    def tag(self, name: str) -> None:
        """Give the present state a name, which keeps it from being dropped. A name that is there moves here."""
        self._writable().tag(check_tag(name))

    def untag(self, name: str) -> None:
        """Take a name away: its version stays until `optimize` drops old ones.

        Raises:
            VectorIndexError: If no version has that name.
        """
        self._writable().untag(check_tag(name))

    def checkout(self, version: int | str) -> "Index":
        """Open a former state, by number or tag, to read only.

        Raises:
            VectorIndexError: If there is none.
        """
        backend = self._backend.checkout(check_version(version))
        return Index(backend, self.location, self.model, is_read_only=True)

    def to_arrow(self, where: str | None = None) -> Arrow:
        """Give all rows as a pyarrow.RecordBatchReader: id, text, vector (D float32) and the metadata.

        Raises:
            MissingExtraError: If pyarrow is not installed.
        """
        return to_arrow(self._backend, self._readable(where))

    def export(self, path: str | Path, where: str | None = None) -> int:
        """Write all rows to a .parquet or .jsonl file, complete or not at all; gives how many.

        Raises:
            FileFormatError: If the file can't be written, or its name says no format.
            MissingExtraError: If pyarrow is not installed and the file is .parquet.
        """
        return export(self._backend, Path(path), self._readable(where))

    def stats(self) -> Stats:
        """Say what the index is made of."""
        return self._backend.stats()

    def verify(self) -> list[str]:
        """Read everything back and give what is wrong, [] where all is well.

        Files agree with their checksums where the backend keeps some; ids are there once; vectors are finite and of
        length 1; the counts agree.
        """
        return verify(self._backend)

    def read_note(self, name: str) -> Mapping[str, Any] | None:
        """Read a small JSON object that is kept beside the rows; None where there is none of that name."""
        return self._backend.read_note(check_note_name(name))

    def write_note(self, name: str, note: Mapping[str, Any]) -> None:
        """Keep a small JSON object beside the rows, in place of the one of that name.

        Raises:
            ArgumentError: If it is no JSON, or the name is none for a note.
        """
        backend = self._writable()
        backend.write_note(check_note_name(name), check_note(note))

    def close(self) -> None:
        """Let go of files and memory. Nothing is lost without it; twice is no error."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    @property
    def _backend(self) -> Backend:
        if self._opened is None:
            raise VectorIndexError(f"{self.location}: this index was closed. Open it again: gtekit.index.open(...).")
        return self._opened

    def _writable(self) -> Backend:
        if self.is_read_only:
            raise VectorIndexError(
                f"{self.location}: a former state is to read only. To write: gtekit.index.open({self.location!r})."
            )
        return self._backend

    def _readable(self, where: str | None) -> str | None:
        if where is not None:
            parse(where, self._backend.columns)
        return where

    def _model(self, what: str) -> Model:
        if self.model is None:
            raise ArgumentError(
                f"{self.location}: {what} need a model to embed them, and this index was opened without one: "
                f"{line_with_model(self.space, self.location)}. Or pass vectors."
            )
        return self.model

    def _queries(self, queries: Sequence[str] | Array, mode: Mode) -> Queries:
        is_text = isinstance(queries, str) or any(isinstance(query, str) for query in queries)
        if not is_text:
            if mode != "vector":
                raise ArgumentError(f"mode={mode!r} searches words, and the query is a vector; pass the text of it.")
            return Queries(None, unit_vectors(np.asarray(queries), self.space, self.location, name="query"))
        texts = check_texts(queries)
        if mode == "text":
            return Queries(texts, None)
        vectors = self._model("queries").encode_query(texts)
        return Queries(texts, unit_vectors(vectors, self.space, self.location, name="query"))


def _one_row(query: str | Array | Sequence[float]) -> Any:  # noqa: ANN401 one query, whatever it is
    """A query as one row; what `encode_query` gives for one text is one already."""
    if isinstance(query, np.ndarray):
        if query.ndim == 2 and len(query) == 1:
            return query
        if query.ndim > 1:
            raise ArgumentError(
                f"query has the shape {query.shape}; search takes one. For several: search_many(queries)."
            )
        return [query]
    if isinstance(query, str):
        return [query]
    if not hasattr(query, "__len__") or isinstance(query, bytes | set | frozenset | Mapping):
        raise ArgumentError(f"query is {query!r} ({type(query).__name__}); pass a str, or one vector (D,).")
    if any(isinstance(part, str | list | tuple) or np.ndim(part) for part in query):
        raise ArgumentError("query holds several queries; search takes one. For several: search_many(queries).")
    return [query]
