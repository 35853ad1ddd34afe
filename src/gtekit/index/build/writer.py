"""Passages to vectors to rows, a block at a time: what a block has written is never done again."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from gtekit.arrays import Floats
from gtekit.errors import VectorIndexError
from gtekit.index.build.columns import DOCUMENT, ENTRY, NUMBER
from gtekit.index.build.entries import Entry
from gtekit.index.build.report import BuildReport
from gtekit.index.index import Index
from gtekit.index.interface import Value

if TYPE_CHECKING:
    from gtekit.any_model import AnyModel

BLOCK_PASSAGES = 256  # written at once, at most
STEP_PASSAGES = 32  # embedded at once: how often progress is seen
WRITE_AFTER_S = 5.0  # of embedding: more is not lost with the process
GET_ROWS = 4096
ATTEMPTS = 3  # to write a document that somebody takes rows of meanwhile


@dataclass(frozen=True, slots=True)
class NewRow:
    """One passage on its way in."""

    id: str
    text: str
    metadata: Mapping[str, Value]
    may_end_write: bool = False  # what was written up to here is understood, should the process end


class PassageWriter:
    """Takes documents in passages and writes them in blocks, each document whole or its entry last."""

    def __init__(self, index: Index, model: "AnyModel", report: BuildReport, show: Callable[[int], None]) -> None:
        """Begin.

        Args:
            index: Open for writing.
            model: Of the index.
            report: Takes the counts.
            show: Takes the tokens embedded so far, a few times a second.
        """
        self._index, self._model, self._report, self._show = index, model, report, show
        self._rows: list[NewRow] = []
        self._known: dict[str, Floats] = {}  # vectors by their texts, of documents that have changed
        self._leftover: list[str] = []  # passages that changed documents have no more

    def know(self, entry: Entry) -> None:
        """Take the vectors of a document of the index, embedded as they are now: its texts need not be embedded."""
        ids = entry.passage_ids()
        for first in range(0, len(ids), GET_ROWS):
            records = self._index.get(ids[first : first + GET_ROWS])
            self._known.update(zip((text or "" for text in records.texts or ()), records.vectors, strict=False))

    def put(self, rows: Sequence[NewRow], entry: Entry, former: Entry | None) -> None:
        """Take one document.

        Args:
            rows: Its passages in order, at least one.
            entry: What is to be known of it.
            former: What was known of it.
        """
        last = replace(rows[0], metadata={**rows[0].metadata, ENTRY: entry.to_json()}, may_end_write=True)
        if former is not None:
            self._leftover += former.passage_ids(len(rows))
        if len(rows) > BLOCK_PASSAGES:
            self._put_long(rows[1:], last, entry, is_changed=former is not None)
            return
        self._rows += [*rows[1:], last]
        if len(self._rows) >= BLOCK_PASSAGES:
            self.flush()

    def flush(self) -> None:
        """Write what is waiting."""
        if self._rows:
            self._write()
        if self._leftover:  # after the rows: before them a reader would miss the end of a document
            self._report.passages_deleted += self._index.delete(self._leftover)
        self._leftover, self._known = [], {}

    def _put_long(self, rest: Sequence[NewRow], last: NewRow, entry: Entry, *, is_changed: bool) -> None:
        """Write one document in several blocks, and its entry only once all of its other rows are there."""
        if self._rows:
            self._write()
        if is_changed:  # half of the new and half of the old must not look like the old
            self._index.delete([last.id])
        rest = [replace(row, may_end_write=True) for row in rest]
        for _ in range(ATTEMPTS):
            for first in range(0, len(rest), BLOCK_PASSAGES):
                self._rows = rest[first : first + BLOCK_PASSAGES]
                self._write()
            if self._count(entry) == len(rest):
                self._rows = [last]
                self.flush()
                return
        raise VectorIndexError(
            f"{self._index.location}: rows of {entry.document_id} that were just written are gone again, {ATTEMPTS} "
            f"times. Does another process build this index? Let one at a time do that, and build again."
        )

    def _count(self, entry: Entry) -> int:
        name = entry.document_id.replace("'", "''")
        return self._index.count(where=f"{DOCUMENT} = '{name}' AND {NUMBER} >= 1 AND {NUMBER} < {entry.passages}")

    def _write(self) -> None:
        """Embed and write the rows that wait, in several parts where that takes long; at an error what is embedded."""
        rows, self._rows = self._rows, []
        vectors = np.empty((len(rows), self._index.space.dimension), np.float32)
        begin = done = 0
        started = time.monotonic()
        try:
            while done < len(rows):
                done = self._embed(rows, vectors, done)
                if done < len(rows) and time.monotonic() - started > WRITE_AFTER_S:
                    first, begin = begin, _last_end(rows, begin, done)
                    self._store(rows[first:begin], vectors[first:begin])
                    started = time.monotonic()
            first, begin = begin, done
            self._store(rows[first:], vectors[first:])
        except BaseException:
            self._leftover = []  # they are of documents that may not be written
            end = _last_end(rows, begin, done)
            self._store(rows[begin:end], vectors[begin:end])
            raise

    def _embed(self, rows: Sequence[NewRow], vectors: Floats, first: int) -> int:
        """Fill in the vectors of rows from `first` on, of a step that are not known; gives the row after them."""
        unknown: list[int] = []
        after = first
        while after < len(rows) and len(unknown) < STEP_PASSAGES:
            known = self._known.get(rows[after].text)
            if known is None:
                unknown.append(after)
            else:
                vectors[after] = known
            after += 1
        if unknown:
            texts = [rows[place].text for place in unknown]
            vectors[unknown] = self._model.encode_document(texts, on_truncation="ignore", progress=False)
            self._report.tokens_embedded += sum(self._model.count_tokens(texts))
        self._report.passages_embedded += len(unknown)
        self._report.passages_reused += after - first - len(unknown)
        self._show(self._report.tokens_embedded)
        return after

    def _store(self, rows: Sequence[NewRow], vectors: Floats) -> None:
        if rows:
            self._index.upsert(
                [row.id for row in rows],
                [row.text for row in rows],
                vectors,
                [row.metadata for row in rows],
                fingerprint=self._model.fingerprint,
            )


def _last_end(rows: Sequence[NewRow], begin: int, done: int) -> int:
    """Give where a write may end: after a document, or anywhere in one that is written in several blocks."""
    return next((place for place in range(done, begin, -1) if rows[place - 1].may_end_write), begin)
