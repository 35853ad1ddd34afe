"""Queries, documents and judgements: Python dicts, three files, or one folder in the layout of BEIR or TREC."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from gtekit.errors import ArgumentError, FileFormatError
from gtekit.evaluation.own_data.data import Retrieval
from gtekit.evaluation.own_data.qrels import QrelsSource, read_id, read_qrels
from gtekit.evaluation.own_data.table import JSON_SUFFIXES, Record, name_suffix, parse_object, read_file_lines

TextsSource: TypeAlias = Path | str | Mapping[str, str | Mapping[str, str]]  # by id: text, or text and title

ID_FIELDS = ("_id", "id", "qid", "query_id", "query-id", "docid", "doc_id", "docno", "corpus_id", "corpus-id")
TEXT_FIELDS = ("text", "contents", "query")
TITLE_FIELD = "title"
TEXT_SUFFIXES = (*JSON_SUFFIXES, ".tsv", ".txt")
DEFAULT_SPLIT = "test"


def read_retrieval(queries: TextsSource, documents: TextsSource, qrels: QrelsSource) -> Retrieval:
    """Read the three parts.

    Args:
        queries: A file (.jsonl with _id and text; .tsv or .txt with an id, a tab and a text), or texts by id.
        documents: The same; a document can have a title, which goes before its text.
        qrels: A file (TREC: query, 0, document, grade; BEIR: query, document, grade, with a heading), or grades by
            query and document.

    Raises:
        FileFormatError: If a file can't be read so, with its line.
        ArgumentError: If Python values are of another shape.
    """
    query_texts = _read_texts(queries, "queries")
    document_texts = _read_texts(documents, "documents")
    judged = read_qrels(qrels, query_texts, document_texts)
    sources = [str(source) for source in (queries, documents, qrels) if isinstance(source, str | Path)]
    return Retrieval(
        source=", ".join(sources) or "queries, documents, qrels",
        queries=query_texts,
        documents=document_texts,
        qrels=judged,
    )


def read_folder(folder: Path, split: str | None = None) -> Retrieval:
    """Read a folder: corpus.jsonl, queries.jsonl and qrels/test.tsv as BEIR has them, or topics, documents and qrels.

    Args:
        folder: Each file may be .gz.
        split: Which file of qrels/, or qrels.SPLIT.txt; None: test, or the one qrels file of the folder.

    Raises:
        FileFormatError: If a file is not there, there are two to choose from, or one can't be read.
    """
    if not folder.is_dir():
        raise FileFormatError(f"{folder}: is no folder. Name one with corpus.jsonl, queries.jsonl and qrels/test.tsv.")
    queries = _find(folder, ("queries", "topics"), TEXT_SUFFIXES)
    documents = _find(folder, ("corpus", "documents", "collection"), TEXT_SUFFIXES)
    found = read_retrieval(queries, documents, _find_qrels(folder, split))
    return Retrieval(
        source=f"{folder}{f' ({split})' if split else ''}",
        queries=found.queries,
        documents=found.documents,
        qrels=found.qrels,
    )


def _find(folder: Path, stems: tuple[str, ...], suffixes: tuple[str, ...]) -> Path:
    names = [f"{stem}{suffix}" for stem in stems for suffix in suffixes]
    found = [
        folder / f"{name}{packed}" for name in names for packed in ("", ".gz") if (folder / f"{name}{packed}").is_file()
    ]
    if len(found) != 1:
        what = f"has {' and '.join(path.name for path in found)}" if found else f"has no {' or '.join(stems)} file"
        raise FileFormatError(
            f"{folder}: {what}; it needs one of {', '.join(names)}, plain or .gz. Or name the three files: queries, "
            f"documents, qrels."
        )
    return found[0]


def _find_qrels(folder: Path, split: str | None) -> Path:
    by_split: dict[str, list[Path]] = {}
    for path in sorted([*folder.glob("qrels/[!.]*"), *folder.glob("qrels*")]):
        if path.is_file():
            parts = path.name.removesuffix(".gz").split(".")
            if path.parent == folder:  # qrels.txt or qrels.dev.txt
                parts = parts[1:] if len(parts) > 2 else [""]
            by_split.setdefault(parts[0], []).append(path)
    wanted = [split] if split is not None else [DEFAULT_SPLIT, ""]
    found = [path for name in wanted for path in by_split.get(name, [])]
    if len(found) != 1:
        what = f"{len(found)} qrels files" if found else "no qrels file"
        named = ", ".join(str(path.relative_to(folder)) for paths in by_split.values() for path in paths) or "none"
        raise FileFormatError(
            f"{folder}: has {what} for the split {wanted[0]!r}; its qrels files: {named}. Choose with split=..., on "
            f"the command line --split, or name the three files: queries, documents, qrels."
        )
    return found[0]


def _read_texts(source: TextsSource, argument: str) -> dict[str, str]:
    texts: dict[str, str] = {}
    places: dict[str, str] = {}
    is_file = isinstance(source, str | Path)
    for id_, text, record in _file_texts(Path(source)) if isinstance(source, str | Path) else _values(source, argument):
        if id_ in texts:
            raise record.error(f"the id {id_!r} was there before, at {places[id_]}. Every id is there once.")
        texts[id_] = text
        places[id_] = record.place
    if not texts:
        error = FileFormatError if is_file else ArgumentError
        raise error(f"{source if is_file else argument}: {'has no rows' if is_file else 'is empty'}.")
    return texts


def _file_texts(path: Path) -> Iterator[tuple[str, str, Record]]:
    suffix = name_suffix(path)
    if suffix not in TEXT_SUFFIXES:
        raise FileFormatError(
            f"{path}: the end of the name does not say the format. Name the file {', '.join(TEXT_SUFFIXES)}, or one of "
            f"these with .gz."
        )
    for number, line in read_file_lines(path):
        if not line.strip():
            continue
        if suffix in JSON_SUFFIXES:
            record = Record(str(path), f"line {number}", parse_object(line, f"{path}, line {number}"))
            yield read_id(record, ID_FIELDS), _titled_text(record), record
        else:
            id_, tab, text = line.partition("\t")
            record = Record(str(path), f"line {number}", {"id": id_, "text": text})
            if not tab:
                raise record.error("has no tab; each line is an id, a tab and a text.")
            yield read_id(record, ID_FIELDS), record.text("text"), record


def _values(source: object, argument: str) -> Iterator[tuple[str, str, Record]]:
    if not isinstance(source, Mapping):
        raise ArgumentError(
            f"{argument} is a {type(source).__name__}, expected the path of a file, or a dict of texts by id."
        )
    for id_, value in source.items():
        values = {**value, "id": id_} if isinstance(value, Mapping) else {"id": id_, "text": value}
        record = Record(argument, f"id {id_!r}", values, is_file=False)
        yield read_id(record, ("id",)), _titled_text(record), record


def _titled_text(record: Record) -> str:
    field = next((field for field in TEXT_FIELDS if field in record.values), TEXT_FIELDS[0])
    text = record.text(field)
    title = record.text(TITLE_FIELD) if record.values.get(TITLE_FIELD) is not None else ""
    return f"{title} {text}".strip() if title else text
