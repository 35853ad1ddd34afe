"""A file to its documents: read, unpacked, decoded, its text taken out. What can't be read says why."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from importlib import import_module

from gtekit.documents.document import Document, Failure
from gtekit.documents.extract.html import extract_html
from gtekit.documents.extract.markdown import extract_markdown
from gtekit.documents.extract.pdf_process import PDF_PROCESS
from gtekit.documents.extract.table import TableOptions, read_table
from gtekit.documents.extract.text import Extracted, extract_text
from gtekit.documents.source import TABLES, Kind, Source, as_local_file, read_bytes
from gtekit.errors import FileFormatError, MissingExtraError

EXTRACTORS = {"text": extract_text, "markdown": extract_markdown, "html": extract_html, "pdf": PDF_PROCESS.extract}
PDF_MARK = b"%PDF-"
HTML_MARKS = (b"<!doctype html", b"<html", b"<?xml")
SAMPLE_BYTES = 1024
MOST_SAID = 200  # characters of an error
READERS: dict[Kind, tuple[str, str]] = {  # package, and what is imported of it
    "pdf": ("pypdfium2", "pypdfium2"),
    "html": ("selectolax", "selectolax.lexbor"),
    "parquet": ("pyarrow", "pyarrow.parquet"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOptions:
    """How files are read."""

    table: TableOptions = field(default_factory=TableOptions)
    max_document_bytes: int = 64_000_000  # of a file that is one document, unpacked
    max_table_bytes: int = 8_000_000_000  # of a table that has to be unpacked or fetched


def read_documents(source: Source, options: ReadOptions | None = None) -> Iterator[Document | Failure]:
    """Give the documents of one file: one, or one for each row of a table.

    Nothing is raised for what a file holds, or because it is gone: that is a `Failure`. A text of white space alone is
    a document; who reads it decides.

    Raises:
        MissingExtraError: If what reads files of this name is not installed.
    """
    options = options or ReadOptions()
    try:
        if source.kind in TABLES:
            with as_local_file(source, options.max_table_bytes) as path:
                yield from read_table(path, source, options.table)
            return
        data = read_bytes(source, options.max_document_bytes)
        yield extract(source, data)
    except FileFormatError as error:
        yield Failure(source.id, str(error))
    except OSError as error:
        yield Failure(source.id, f"can't be read ({error.strerror or error})")
    except MissingExtraError as error:
        if source.kind in READERS:
            raise
        yield Failure(source.id, str(error))  # its name did not say what it is
    except Exception as error:  # of a reader, at bytes that nobody thought of: the other files are no worse for it
        yield Failure(source.id, f"can't be read ({type(error).__name__}: {str(error)[:MOST_SAID]})")


def check_readers(sources: Iterable[Source]) -> None:
    """Make sure that there is a reader for every kind of file, before any is read.

    Raises:
        MissingExtraError: If one is not installed, with the first file that needs it.
    """
    first: dict[Kind, Source] = {}
    for source in sources:
        first.setdefault(source.kind, source)
    for kind, (package, module) in READERS.items():
        if kind in first:
            try:
                import_module(module)
            except ImportError:
                raise MissingExtraError(f"{first[kind].id}: reading {kind}", "index", package) from None


def extract(source: Source, data: bytes) -> Document:
    """Give the document that the bytes of a file are.

    Raises:
        FileFormatError: If they are damaged, or nothing that is read here.
    """
    kind = _sniffed(data) if source.kind in ("unknown", "text") else source.kind
    found: Extracted = EXTRACTORS[kind](data)
    return Document(
        id=source.id,
        source=source.id,
        text=found.text,
        title=found.title,
        metadata=found.metadata,
        parts=found.parts,
        content_hash=content_hash(data),
        guessed_encoding=found.guessed_encoding,
    )


def content_hash(data: bytes) -> str:
    """Give the hash that tells whether the content of a file has changed."""
    return hashlib.sha256(data).hexdigest()


def _sniffed(data: bytes) -> str:
    """Tell what a file is that is not named after its kind."""
    if data.startswith(PDF_MARK):
        return "pdf"
    return "html" if data[:SAMPLE_BYTES].lstrip().lower().startswith(HTML_MARKS[:2]) else "text"
