"""Which documents people find relevant to which query: the files of TREC and BEIR, JSON lines, or a dict."""

from collections.abc import Container, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from gtekit.errors import ArgumentError, FileFormatError
from gtekit.evaluation.own_data.table import (
    JSON_SUFFIXES,
    Record,
    name_suffix,
    parse_object,
    read_file_lines,
    show_names,
)
from gtekit.files.rows import name_kind

QrelsSource: TypeAlias = Path | str | Mapping[str, Mapping[str, int]]  # by query: grade by document

QUERY_FIELDS = ("query-id", "query_id", "qid", "query")
DOCUMENT_FIELDS = ("corpus-id", "corpus_id", "document_id", "docid", "doc_id", "docno", "document")
GRADE_FIELDS = ("score", "grade", "relevance", "label")
BEIR_FIELDS = 3  # query, document, grade, tabs between them
TREC_FIELDS = 4  # query, 0, document, grade, white space between them


def read_qrels(source: QrelsSource, queries: Container[str], documents: Container[str]) -> dict[str, dict[str, int]]:
    """Read judgements.

    Args:
        source: A file, or grades by query and document.
        queries: The ids that queries have.
        documents: The ids that documents have.

    Returns:
        By query: grade by document. From 1 up is relevant.

    Raises:
        FileFormatError: If a line can't be read, names what is not there, or contradicts an earlier one (of Python
            values: ArgumentError).
    """
    found: dict[str, dict[str, int]] = {}
    records = _file_records(Path(source)) if isinstance(source, str | Path) else _values(source)
    for record in records:
        query, document = read_id(record, QUERY_FIELDS), read_id(record, DOCUMENT_FIELDS)
        grade = _grade(record)
        if query not in queries:
            raise record.error(
                f"names the query {query!r}, which is not among the queries. Do the files belong together?"
            )
        if document not in documents:
            raise record.error(
                f"names the document {document!r}, which is not among the documents. Do the files belong together?"
            )
        if found.setdefault(query, {}).setdefault(document, grade) != grade:
            raise record.error(
                f"gives query {query!r} and document {document!r} the grade {grade}, and before it was "
                f"{found[query][document]}. Keep one of them."
            )
    if not found:
        error = FileFormatError if isinstance(source, str | Path) else ArgumentError
        raise error(f"{source if isinstance(source, str | Path) else 'qrels'}: has no judgements.")
    return found


def read_id(record: Record, fields: Sequence[str]) -> str:
    """Give the id under the first of these fields that the record has; a number is taken as it is written.

    Raises:
        FileFormatError: If there is none, or it is empty (of Python values: ArgumentError).
    """
    field = next((field for field in fields if field in record.values), None)
    if field is None:
        raise record.error(f"has none of the fields {show_names(fields)}, only {show_names(record.values)}.")
    value = record.values[field]
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise record.error(f"{field!r} holds {name_kind(value)}, not an id. An id is a text or a whole number.")
    if not value.strip():
        raise record.error(f"{field!r} is empty. Give the row an id.")
    return record.text(field)


def _file_records(path: Path) -> Iterator[Record]:
    is_json = name_suffix(path) in JSON_SUFFIXES
    form = 0  # fields of a line; 0: not known yet
    for number, line in read_file_lines(path):
        where = f"{path}, line {number}"
        if not line.strip():
            continue
        if is_json:
            yield Record(str(path), f"line {number}", parse_object(line, where))
            continue
        parts = line.split("\t") if line.count("\t") == BEIR_FIELDS - 1 else line.split()
        if len(parts) not in (BEIR_FIELDS, TREC_FIELDS) or len(parts) != (form or len(parts)):
            raise FileFormatError(
                f"{where}: has {len(parts)} field{'s' * (len(parts) != 1)}, expected {form or '3 or 4'}. A line is: "
                f"query, 0, document, grade with white space between them (TREC), or query, document, grade with "
                f"tabs, below a heading (BEIR)."
            )
        if form == 0 and len(parts) == BEIR_FIELDS and not _is_number(parts[-1]):
            form = BEIR_FIELDS
            continue  # the heading
        form = len(parts)
        query, document, grade = parts[0], parts[-2], parts[-1]
        yield Record(str(path), f"line {number}", {"query": query, "document": document, "grade": grade})


def _values(source: object) -> Iterator[Record]:
    if not isinstance(source, Mapping):
        raise ArgumentError(
            f"qrels is a {type(source).__name__}, expected the path of a file, or a dict by query of grades by "
            f"document: {{'q1': {{'d7': 1}}}}."
        )
    for query, grades in source.items():
        if not isinstance(grades, Mapping):
            raise ArgumentError(
                f"qrels, query {query!r}: is a {type(grades).__name__}, expected grades by document: {{'d7': 1}}."
            )
        for document, grade in grades.items():
            values = {"query": query, "document": document, "grade": grade}
            yield Record("qrels", f"query {query!r}", values, is_file=False)


def _grade(record: Record) -> int:
    field = next((field for field in GRADE_FIELDS if field in record.values), GRADE_FIELDS[0])
    value = record.value(field)
    is_number = hasattr(value, "__float__") and not isinstance(value, str)
    try:
        number = float(value) if is_number or isinstance(value, str) else None  # type: ignore[arg-type]
    except (ValueError, OverflowError):
        number = None
    if number is None or not number.is_integer() or abs(number) > 2**31:
        raise record.error(f"the grade {value!s:.40} is no whole number. Grades are 0, 1, 2 and so on.")
    return int(number)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
