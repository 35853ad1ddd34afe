"""Numbered lines of UTF-8 text out of a stream of bytes."""

from collections.abc import Iterator
from typing import BinaryIO

from gtekit.errors import FileFormatError

UTF8_MARK = b"\xef\xbb\xbf"
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
GZIP_MARK = b"\x1f\x8b"


def read_lines(stream: BinaryIO, name: str) -> Iterator[tuple[int, str]]:
    r"""Yield line numbers from 1 and lines without their line end.

    Only \n and \r\n end a line: str.splitlines would also cut at U+2028 and its like, inside a text.

    Raises:
        FileFormatError: If a line is not UTF-8 or holds a NUL, with its number.
    """
    for number, line in enumerate(stream, start=1):
        if number == 1:
            _refuse_other_encodings(line, name)
            line = line.removeprefix(UTF8_MARK)
        yield number, decode_line(line, f"{name}, line {number}")


def decode_line(line: bytes, where: str) -> str:
    """Decode one line and take off its line end."""
    line = line.removesuffix(b"\n").removesuffix(b"\r")
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FileFormatError(
            f"{where}: byte {error.start + 1} (0x{line[error.start]:02x}) is not UTF-8. Fix the line, "
            f"or convert the file first, for example: iconv -f LATIN1 -t UTF-8"
        ) from None
    if "\0" in text:
        raise FileFormatError(
            f"{where}: a NUL character at character {text.index(chr(0)) + 1}. This is no plain text; is the file "
            f"binary, UTF-16, or of another format? Fix the line, or name the format with --format."
        )
    return text


def decode_text(data: bytes, where: str) -> str:
    """Decode one text of any number of lines, without the mark before and the line end after it."""
    _refuse_other_encodings(data, where)
    return decode_line(data.removeprefix(UTF8_MARK), where)


def _refuse_other_encodings(line: bytes, name: str) -> None:
    if line.startswith(UTF16_MARKS):
        raise FileFormatError(f"{name}: this is UTF-16, not UTF-8. Convert it first: iconv -f UTF-16 -t UTF-8")
    if line.startswith(GZIP_MARK):
        raise FileFormatError(f"{name}: this is gzip. Unpack it on the way in: gunzip -c FILE | gtekit COMMAND - ...")
