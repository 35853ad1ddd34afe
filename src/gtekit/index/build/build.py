"""The steps of a build: find the files, tell what has changed, cut, embed, write, take out what is gone."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from gtekit.config import FEWEST_TOKENS
from gtekit.documents import (
    Document,
    Failure,
    FoundSources,
    PassageOptions,
    ReadOptions,
    Source,
    check_readers,
    cut_passages,
    find_documents,
    read_documents,
    why_missing,
)
from gtekit.errors import ArgumentError, VectorIndexError
from gtekit.index.build.columns import Columns, passage_columns
from gtekit.index.build.entries import Entry, is_whole, read_entries, repair
from gtekit.index.build.gone import check_roots, gone_entries
from gtekit.index.build.lock import only_build
from gtekit.index.build.places import named_as_before, place_of
from gtekit.index.build.progress import BuildProgress
from gtekit.index.build.report import BuildReport
from gtekit.index.build.writer import NewRow, PassageWriter
from gtekit.index.index import Index
from gtekit.index.opening import BackendName, create, open_index
from gtekit.inputs import check_count

if TYPE_CHECKING:
    from gtekit.any_model import AnyModel

EXTRACTION = 2  # grows when the same bytes give another text: what was made before is made again then
SETTINGS_NOTE = "passages"
STILL_CHANGING_S = 2.0  # a file this young may change again within one tick of its clock
NO_TEXT = "holds no text"
NO_TEXT_PDF = "holds no text: are its pages pictures? Read it with OCR first, such as ocrmypdf"


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildOptions:
    """How an index of files is built."""

    passage_tokens: int | None = None  # None: as the index has them, 256 in a new one
    overlap_tokens: int | None = None  # None: as the index has it, an eighth in a new one
    read: ReadOptions = field(default_factory=ReadOptions)
    backend: BackendName | None = None  # None: that of the index, "lance" for a new one
    prune: bool = False  # take out documents of paths that are not named, are not there, or give nothing any more
    reread: bool = False  # also files of the same size and time
    optimize: bool = True  # at the end, where something has changed
    progress: bool | None = None  # None: on a terminal, once it has run for two seconds


def build_index(
    paths: Sequence[str | Path], location: str | Path, model: "AnyModel", options: BuildOptions | None = None
) -> BuildReport:
    """Make an index of the passages of files, or bring one up to date.

    Only what has changed is embedded: files of the size and time that they had are not read; documents of the content
    that they had are left alone; of changed ones the passages that were there keep their vectors. Documents whose
    files are gone leave; those of paths that are not named stay. A file is known by its place: the folder that this
    runs in does not matter. Killed at any time, the same call goes on. One build at a time: on a disk a second one is
    refused, on S3 nothing can be held, and what two do to each other the next one mends.

    Args:
        paths: Files, folders, patterns, addresses s3://bucket/prefix.
        location: Of the index: a folder, or s3://bucket/prefix. It is made where it is not there.
        model: The one that built it.
        options: How.

    Returns:
        What was done, with every file that could not be read and why.

    Raises:
        ArgumentError: If a path is not there, and the index has nothing of it, or a value is not possible.
        SpaceError: If the index was built with another model.
        VectorIndexError: If the index is damaged, of another backend, or being built by another process, or a path
            gives nothing where it gave documents before.
        MissingExtraError: If what reads a kind of file is not installed.
    """
    options = options or BuildOptions()
    started = time.monotonic()
    found = find_documents(paths, leave_out=[] if str(location).startswith("s3://") else [location], may_miss=True)
    check_readers(found.sources)
    _check_passages(options.passage_tokens, options.overlap_tokens, model.max_tokens)
    if found.missing:
        _check_is_there(location, found)
    with create(location, model, backend=options.backend or "lance", exist_ok=True) as index:
        check_backend(index, options.backend)
        with only_build(index.location):
            report = _Build(index, model, options, found).run()
    report.seconds = time.monotonic() - started
    return report


class _Build:
    """One run."""

    def __init__(self, index: Index, model: "AnyModel", options: BuildOptions, found: FoundSources) -> None:
        self._index, self._model, self._options, self._found = index, model, options, found
        self._prompt = _document_prompt(model)
        self._passages, has_other = _passage_options(index, options, model.max_tokens)
        overlap = self._passages.overlap_tokens
        self._settings = json.dumps([EXTRACTION, self._passages.passage_tokens, overlap, self._prompt])
        self.report = BuildReport(
            location=index.location,
            model=model.name,
            passage_tokens=self._passages.passage_tokens,
            overlap_tokens=overlap or 0,
            files=len(found.sources),
            failures=list(found.failures),
            passed_over=dict(found.passed_over.most_common()),
            has_other_settings=has_other,
            missing=list(found.missing),
        )
        self._entries = read_entries(index)
        check_roots(self._entries, found, prune=options.prune)
        self.report.repaired = repair(index, self._entries)
        self._sources = named_as_before(found.sources, self._entries.values())
        self._by_content = {entry.content_hash: entry for entry in self._entries.values()}
        self._columns = Columns(index.columns)
        self._written: dict[str, Entry] = {}
        self._seen: set[str] = set()
        self._failed = {place_of(failure.source) for failure in found.failures}

    def run(self) -> BuildReport:
        """Do it. What an error, or Ctrl-C, ends early has written what was embedded."""
        with BuildProgress(len(self._sources), show=self._options.progress) as progress:
            writer = PassageWriter(self._index, self._model, self.report, progress.embedded)
            try:
                for source in self._sources:
                    self._take(source, writer, progress)
                    progress.file_done()
            except Exception:
                writer.flush()
                raise
            writer.flush()
        gone = self._delete_gone()
        self._finish(gone)
        return self.report

    def _take(self, source: Source, writer: PassageWriter, progress: BuildProgress) -> None:
        entry = self._entries.get(source.id)
        is_same = entry is not None and entry.stamp == source.stamp and entry.settings == self._settings
        if is_same and not self._options.reread:
            self._seen.add(source.id)
            self.report.unchanged += 1
            progress.document_done()
            return
        for document in read_documents(source, self._options.read):
            if isinstance(document, Failure):
                self.report.failures.append(document)
                if not document.is_one_row:
                    self._failed.add(place_of(source.location))
            else:
                self._take_document(document, source, writer)
                progress.document_done()

    def _take_document(self, document: Document, source: Source, writer: PassageWriter) -> None:
        if document.guessed_encoding:
            self.report.guessed_encodings[source.id] = document.guessed_encoding
        if document.id in self._seen:
            reason = f"the id {document.id} is there already, from another file; the first one is kept"
            self.report.failures.append(Failure(source.id, reason))
            return
        former = self._entries.get(document.id)
        if former and former.content_hash == document.content_hash and former.settings == self._settings:
            self._seen.add(document.id)
            self.report.unchanged += 1
            return
        fields = self._columns.fit(document.metadata)
        passages = cut_passages(document, self._model.tokenizer, self._passages, prompt=self._prompt)
        rows = [
            NewRow(passage.id, passage.text, {**fields, **passage_columns(document, passage)}) for passage in passages
        ]
        if not rows:  # it leaves the index, if it was there
            reason = NO_TEXT_PDF if source.kind == "pdf" else NO_TEXT
            self.report.failures.append(Failure(document.id, reason))
            return
        self._seen.add(document.id)
        entry = self._written[document.id] = self._entry(document, source, len(rows))
        donor = former or self._by_content.get(document.content_hash)  # a file that was moved is the same text
        if donor is not None and donor.prompt == self._prompt:
            writer.know(donor)
        writer.put(rows, entry, former)
        if former is None:
            self.report.added += 1
        else:
            self.report.changed += 1

    def _entry(self, document: Document, source: Source, passages: int) -> Entry:
        is_settled = document.id == source.id and time.time() - source.modified_s > STILL_CHANGING_S
        return Entry(
            document_id=document.id,
            source=source.id,
            root=place_of(source.root),
            location=place_of(source.location),
            content_hash=document.content_hash,
            settings=self._settings,
            stamp=source.stamp if is_settled else "",
            passages=passages,
        )

    def _delete_gone(self) -> list[Entry]:
        gone, self.report.of_other_paths = gone_entries(
            self._entries, self._found, seen=self._seen, failed=self._failed, prune=self._options.prune
        )
        ids = [row for entry in gone for row in entry.passage_ids()]
        if ids:
            self.report.passages_deleted += self._index.delete(ids)
        self.report.deleted = len(gone)
        return gone

    def _finish(self, gone: Sequence[Entry]) -> None:
        report = self.report
        report.values_as_text = dict(self._columns.as_text)
        report.dropped_values = dict(self._columns.dropped)
        if self._options.optimize and (report.passages_embedded or report.passages_reused or report.passages_deleted):
            self._index.optimize()
        report.passages = self._index.count()
        left = {entry.document_id for entry in gone}
        documents = [entry for name, entry in (self._entries | self._written).items() if name not in left]
        report.documents = len(documents)
        report.is_whole = is_whole(self._index, documents)
        report.recall = self._index.stats().recall


def check_backend(index: Index, asked: str | None) -> None:
    """Make sure that an index is of the backend that was asked for.

    Raises:
        VectorIndexError: If it is of another.
    """
    if asked is not None and asked != (has := index.stats().backend):
        raise VectorIndexError(
            f"{index.location}: is an index of the backend {has!r}, and {asked!r} was asked for. Leave that out "
            f"(backend=None), or build another index in another place."
        )


def _check_is_there(location: str | Path, found: FoundSources) -> None:
    """Make sure that there is an index, if a path is not there: only of one that had it can it be taken out."""
    try:
        open_index(location).close()
    except VectorIndexError:
        raise ArgumentError(why_missing(found.missing[0])) from None


def _document_prompt(model: "AnyModel") -> str:
    from gtekit.inputs import DOCUMENT_PROMPTS

    name = next((name for name in DOCUMENT_PROMPTS if name in model.prompts), None)
    return model.prompts[name] if name else ""


def _check_passages(passage_tokens: int | None, overlap_tokens: int | None, most: int) -> None:
    if passage_tokens is not None:
        check_count("passage_tokens", passage_tokens, least=FEWEST_TOKENS, most=most)
    if overlap_tokens is not None:
        check_count("overlap_tokens", overlap_tokens, least=0, most=(passage_tokens or most) // 2)


def _passage_options(index: Index, options: BuildOptions, most: int) -> tuple[PassageOptions, bool]:
    """Give how long passages are, and whether they were otherwise before. What was chosen is kept with the index."""
    note = index.read_note(SETTINGS_NOTE) or {}
    default = min(note.get("passage_tokens", PassageOptions().passage_tokens), most)
    tokens = options.passage_tokens or default
    overlap = options.overlap_tokens
    if overlap is None:
        overlap = note["overlap_tokens"] if note.get("passage_tokens") == tokens else tokens // 8
    chosen = {"passage_tokens": tokens, "overlap_tokens": overlap}
    if note != chosen:
        index.write_note(SETTINGS_NOTE, chosen)
    return PassageOptions(passage_tokens=tokens, overlap_tokens=overlap), bool(note) and note != chosen
