"""PDF to text by its pages, over pypdfium2, which is an extra and imported only here."""

import re
from typing import Any

from gtekit.documents.document import Part
from gtekit.documents.extract.text import Extracted
from gtekit.errors import FileFormatError, MissingExtraError

SPLIT_WORD = re.compile("[\ufffe\x02]\r?\n?")  # how pdfium marks a word that is divided at the end of a line
FULL_LINE = 0.6  # of the longest line of a page: a shorter one ends a paragraph
NO_TEXT = re.compile("[\x00-\x08\x0e-\x1f\ufffe\uffff]")


def extract_pdf(data: bytes) -> Extracted:
    """Give the text of all pages, with an empty line between, and where each begins.

    Lines that only the width of the page has broken are joined again.

    Raises:
        FileFormatError: If the file is encrypted or damaged.
        MissingExtraError: If pypdfium2 is not installed.
    """
    pypdfium2 = import_reader()
    try:
        with pypdfium2.PdfDocument(data) as document:
            title = str(document.get_metadata_value("Title") or "").strip()
            pages = []
            for number in range(len(document)):
                page = document[number]
                try:
                    content = page.get_textpage()
                    pages.append(_joined(content.get_text_bounded()))
                    content.close()
                finally:
                    page.close()
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            raise FileFormatError("encrypted: it opens with a password only") from None
        raise FileFormatError(f"damaged PDF ({error})") from None
    parts, length = [], 0
    for number, text in enumerate(pages, start=1):
        parts.append(Part(length, page=number))
        length += len(text) + 2
    return Extracted("\n\n".join(pages), title, tuple(parts))


def import_reader() -> Any:  # noqa: ANN401 the package has no types
    """Import pypdfium2.

    Raises:
        MissingExtraError: If it is not installed.
    """
    try:
        import pypdfium2
    except ImportError:
        raise MissingExtraError("Reading PDF", "index", "pypdfium2") from None
    return pypdfium2


def _joined(page: str) -> str:
    lines = [NO_TEXT.sub("", line).rstrip() for line in SPLIT_WORD.sub("", page).replace("\r\n", "\n").split("\n")]
    full = FULL_LINE * max(map(len, lines))
    pieces = []
    for line, after in zip(lines, [*lines[1:], ""], strict=True):
        is_broken = len(line) >= full and after[:1].islower() and not line.endswith((".", "!", "?", ":"))
        pieces.append(line + (" " if is_broken else "\n"))
    return "".join(pieces).strip("\n")
