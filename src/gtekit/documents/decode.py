"""Bytes of a text file to text, whatever encoding they have."""

import codecs
from collections.abc import Sequence

from gtekit.errors import FileFormatError

MARKS = (  # UTF-32 before UTF-16: its mark begins with that of UTF-16
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
FALLBACKS = ("cp1252", "latin-1")  # latin-1 has a character for every byte
SAMPLE_BYTES = 65_536
MOST_CONTROLS = 0.05  # of the bytes: more, and this is no text
CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f\b\x1b"))


def decode(data: bytes, declared: str | None = None) -> tuple[str, str]:
    r"""Give the text, its lines ended by \n, and the encoding where that was a guess, "" where it was not.

    A mark at the beginning decides; then what the file declares; then UTF-8. Bytes that are valid UTF-8 are taken as
    that even where the file says Latin-1: only by accident could they be both and hold more than ASCII.

    Raises:
        FileFormatError: If this is no text.
    """
    for mark, encoding in MARKS:
        if data.startswith(mark):
            return _decoded(data[len(mark) :], [encoding]), ""
    if _is_binary(data):
        raise FileFormatError("binary: neither text nor a format that is read here")
    is_stateful = (declared or "").lower().startswith(("iso-2022", "hz"))  # these are ASCII to the eye
    try:
        if not is_stateful:
            return _lines(data.decode("utf-8")), ""
    except UnicodeDecodeError:
        pass
    if declared and _is_known(declared):
        return _decoded(data, [declared, *FALLBACKS]), ""
    for encoding in FALLBACKS:
        try:
            return _lines(data.decode(encoding)), encoding
        except UnicodeDecodeError:
            continue
    raise AssertionError("latin-1 decodes everything")


def _decoded(data: bytes, encodings: Sequence[str]) -> str:
    for encoding in encodings:
        try:
            return _lines(data.decode(encoding))
        except (UnicodeDecodeError, LookupError):
            continue
    raise FileFormatError(f"not valid {encodings[0].upper()}, which its first bytes say it is")


def _is_known(encoding: str) -> bool:
    try:
        return codecs.lookup(encoding)._is_text_encoding
    except LookupError:
        return False


def _is_binary(data: bytes) -> bool:
    sample = data[:SAMPLE_BYTES]
    controls = len(sample) - len(sample.translate(None, CONTROLS))
    return b"\0" in data or controls > MOST_CONTROLS * len(sample)


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
