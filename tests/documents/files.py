"""Small real files of every format, for tests."""

import gzip
from pathlib import Path

from fpdf import FPDF
from fpdf.enums import AccessPermission

from gtekit.documents import Document, Failure, ReadOptions, Source, find_documents, read_documents


def source_of(path: Path) -> Source:
    (source,) = find_documents([path]).sources
    return source


def read_all(path: Path, options: ReadOptions | None = None) -> list[Document | Failure]:
    return list(read_documents(source_of(path), options))


def read_one(path: Path, options: ReadOptions | None = None) -> Document:
    (document,) = read_all(path, options)
    assert isinstance(document, Document), document
    return document


def why_not(path: Path, options: ReadOptions | None = None) -> str:
    (failure,) = read_all(path, options)
    assert isinstance(failure, Failure), failure
    return failure.reason


def write_pdf(path: Path, pages: list[str], *, title: str = "", password: str = "") -> Path:
    pdf = FPDF()
    pdf.set_font("Helvetica", size=11)
    if title:
        pdf.set_title(title)
    if password:
        pdf.set_encryption(owner_password=password, user_password=password, permissions=AccessPermission.none())
    for page in pages:
        pdf.add_page()
        pdf.multi_cell(0, 6, page)
    pdf.output(str(path))
    return path


def write_gzip(path: Path, data: bytes) -> Path:
    path.write_bytes(gzip.compress(data))
    return path
