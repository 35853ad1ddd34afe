"""Bytes to text."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gtekit.documents.decode import decode
from gtekit.errors import FileFormatError

TEXT = "Grüße — 你好, мир"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_mark_at_the_beginning_decides(encoding: str) -> None:
    assert decode(TEXT.encode(encoding)) == (TEXT, "")


def test_a_mark_that_lies_is_refused() -> None:
    with pytest.raises(FileFormatError, match="not valid UTF-8"):
        decode(codecs.BOM_UTF8 + b"\xff\xff")


def test_what_the_file_declares_is_believed_where_it_is_not_utf8() -> None:
    assert decode("мир".encode("koi8-r"), "koi8-r") == ("мир", "")
    assert decode("日本語".encode("iso-2022-jp"), "iso-2022-jp") == ("日本語", "")
    assert decode(TEXT.encode(), "iso-8859-1") == (TEXT, "")
    assert decode(b"caf\xe9", "no-such-charset") == ("café", "cp1252")
    assert decode(b"caf\xe9", "rot13") == ("café", "cp1252")


def test_bytes_without_a_place_in_cp1252_are_latin1() -> None:
    assert decode(b"caf\xe9 \x81") == ("café \x81", "latin-1")


def test_line_ends_become_one_kind() -> None:
    assert decode(b"a\r\nb\rc\n") == ("a\nb\nc\n", "")


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])))
def test_utf8_comes_back_as_it_was(text: str) -> None:
    if not text.startswith("\ufeff"):
        assert decode(text.encode()) == (text, "")


@given(st.binary(max_size=500))
def test_any_bytes_are_text_or_refused(data: bytes) -> None:
    try:
        text, _ = decode(data)
    except FileFormatError:
        return
    text.encode("utf-8")  # no halves of surrogate pairs
