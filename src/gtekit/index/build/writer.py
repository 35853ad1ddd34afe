"""Passages to vectors to rows, a block at a time: what a block has written is never done again."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gtekit.arrays import Floats
from gtekit.index.build.columns import ENTRY
from gtekit.index.build.entries import Entry
from gtekit.index.build.report import BuildReport
from gtekit.index.index import Index
from gtekit.index.interface import Value

if TYPE_CHECKING:
    from gtekit.embedder import Embedder

BLOCK_PASSAGES = 256  # written at once: what is lost with the process; ten seconds of work on two cores
STEP_PASSAGES = 64  # embedded at once: how often progress is seen
GET_ROWS = 4096


@dataclass(frozen=True, slots=True)
class NewRow:
    """One passage on its way in."""

    id: str
    text: str
    metadata: Mapping[str, Value]


class PassageWriter:
    """Takes documents in passages and writes them in blocks, each document whole or its entry last."""

    def __init__(self, index: Index, model: "Embedder", report: BuildReport, show: Callable[[int], None]) -> None:
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

    def put(self, rows: Sequence[NewRow], entry: Entry, former: Entry | None) -> None:
        """Take one document.

        Args:
            rows: Its passages in order, at least one.
            entry: What is to be known of it.
            former: What was known of it.
        """
        last = NewRow(rows[0].id, rows[0].text, {**rows[0].metadata, ENTRY: entry.to_json()})
        is_long = len(rows) > BLOCK_PASSAGES
        if is_long:
            self.flush()
        if former is not None:
            self._know(former)
            self._leftover += former.passage_ids(len(rows))
            if is_long:  # half of the new and half of the old must not look like the old
                self._index.delete([last.id])
        waiting = [*rows[1:], last]
        while len(waiting) > BLOCK_PASSAGES:
            self._rows, waiting = waiting[:BLOCK_PASSAGES], waiting[BLOCK_PASSAGES:]
            self._write()
        self._rows += waiting
        if is_long or len(self._rows) >= BLOCK_PASSAGES:
            self.flush()

    def flush(self) -> None:
        """Write what is waiting."""
        if self._rows:
            self._write()
        if self._leftover:  # after the rows: before them a reader would miss the end of a document
            self._report.passages_deleted += self._index.delete(self._leftover)
        self._leftover, self._known = [], {}

    def _write(self) -> None:
        rows, self._rows = self._rows, []
        vectors = np.empty((len(rows), self._index.space.dimension), np.float32)
        is_known = np.array([row.text in self._known for row in rows])
        for place in np.flatnonzero(is_known).tolist():
            vectors[place] = self._known[rows[place].text]
        places = np.flatnonzero(~is_known)
        for first in range(0, len(places), STEP_PASSAGES):
            step = places[first : first + STEP_PASSAGES]
            texts = [rows[place].text for place in step]
            vectors[step] = self._model.encode_document(texts, on_truncation="ignore", progress=False)
            self._report.tokens_embedded += sum(self._model.count_tokens(texts))
            self._show(self._report.tokens_embedded)
        self._index.upsert(
            [row.id for row in rows],
            [row.text for row in rows],
            vectors,
            [row.metadata for row in rows],
            fingerprint=self._model.fingerprint,
        )
        self._report.passages_embedded += len(places)
        self._report.passages_reused += len(rows) - len(places)

    def _know(self, former: Entry) -> None:
        ids = former.passage_ids()
        for first in range(0, len(ids), GET_ROWS):
            records = self._index.get(ids[first : first + GET_ROWS])
            self._known.update(zip((text or "" for text in records.texts or ()), records.vectors, strict=False))
