"""Files to documents, the hostile ones among them: each gives its reason, none raises or hangs."""

import os
import sys
from pathlib import Path

import pytest

from gtekit.documents import Document, Failure, ReadOptions, check_readers, find_documents, read_documents
from gtekit.documents.extract.table import TableOptions
from gtekit.documents.read import EXTRACTORS
from gtekit.errors import MissingExtraError
from tests.documents.files import read_all, read_one, source_of, why_not, write_gzip, write_pdf

SMALL = ReadOptions(max_document_bytes=10_000, max_table_bytes=10_000, table=TableOptions(max_row_bytes=1_000))


def test_a_text_is_given_as_it_stands(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("One.\n  Two — café.\n")
    document = read_one(tmp_path / "a.txt")
    assert document.text == "One.\n  Two — café.\n"
    assert document.id == document.source == str(tmp_path / "a.txt")
    assert document.guessed_encoding == ""


def test_packed_text_is_unpacked_and_has_the_hash_of_its_content(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"the text")
    packed = read_one(write_gzip(tmp_path / "changelog.Debian.gz", b"the text"))
    assert packed.text == "the text"
    assert packed.content_hash == read_one(tmp_path / "a.txt").content_hash


def test_a_file_whose_name_says_nothing_is_known_by_its_first_bytes(tmp_path: Path) -> None:
    (tmp_path / "page").write_text("<!DOCTYPE html><title>A page</title><p>Words.")
    assert read_one(tmp_path / "page").text == "Words."
    assert "Words" in read_one(write_pdf(tmp_path / "paper.bin", ["Words on paper."])).text
    (tmp_path / "program.py").write_text("print('words')\n")
    assert read_one(tmp_path / "program.py").text == "print('words')\n"


def test_bytes_that_are_not_utf8_are_read_and_that_is_noted(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"caf\xe9 \x93quoted\x94")
    document = read_one(tmp_path / "a.txt")
    assert (document.text, document.guessed_encoding) == ("café “quoted”", "cp1252")


def test_an_empty_file_is_a_document_of_no_text(tmp_path: Path) -> None:
    for name in ("a.txt", "b.md", "c.html"):
        (tmp_path / name).write_bytes(b"")
        assert read_one(tmp_path / name).text == ""


@pytest.mark.parametrize("cut", [0.1, 0.5, 0.9, 0.99])
def test_a_pdf_that_is_cut_short_fails_or_gives_text(tmp_path: Path, cut: float) -> None:
    whole = write_pdf(tmp_path / "whole.pdf", ["One page."] * 5).read_bytes()
    (tmp_path / "cut.pdf").write_bytes(whole[: int(len(whole) * cut)])
    (found,) = read_all(tmp_path / "cut.pdf")
    assert isinstance(found, Document) or "damaged PDF" in found.reason


def test_a_pdf_that_is_none_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"")
    assert "damaged PDF" in why_not(tmp_path / "a.pdf")
    (tmp_path / "a.pdf").write_bytes(os.urandom(5_000))
    assert "damaged PDF" in why_not(tmp_path / "a.pdf")


def test_an_encrypted_pdf_says_that_it_needs_a_password(tmp_path: Path) -> None:
    assert "password" in why_not(write_pdf(tmp_path / "a.pdf", ["Secret."], password="sesame"))


def test_a_small_file_that_unpacks_to_a_huge_one_is_refused_early(tmp_path: Path) -> None:
    bomb = write_gzip(tmp_path / "a.txt.gz", b"a" * 50_000_000)
    assert bomb.stat().st_size < 100_000
    assert why_not(bomb, SMALL) == "holds more than 0 MB unpacked"
    rows = write_gzip(tmp_path / "a.jsonl.gz", b'{"text": "a"}\n' * 10_000)
    assert "holds more than" in why_not(rows, SMALL)


def test_damaged_gzip_says_so(tmp_path: Path) -> None:
    data = write_gzip(tmp_path / "a.txt.gz", os.urandom(1000)).read_bytes()
    for broken in (data[:500], b"no gzip at all", data[:-8] + b"\0" * 8):
        (tmp_path / "a.txt.gz").write_bytes(broken)
        assert "damaged gzip" in why_not(tmp_path / "a.txt.gz")


def test_binary_called_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"\x7fELF\x02\x01\x01" + bytes(100))
    assert "binary" in why_not(tmp_path / "a.txt")


def test_a_large_file_is_refused_by_its_size(tmp_path: Path) -> None:
    with (tmp_path / "a.txt").open("wb") as file:
        file.truncate(100_000_000)
    assert why_not(tmp_path / "a.txt") == "holds more than 64 MB"


def test_an_endless_line_of_json_is_passed_over_and_the_next_one_read(tmp_path: Path) -> None:
    with (tmp_path / "a.jsonl").open("wb") as file:
        file.write(b'{"text": "' + b"a" * 100_000_000 + b'"}\n{"text": "short"}\n')
    failure, document = read_all(tmp_path / "a.jsonl", SMALL)
    assert isinstance(failure, Failure)
    assert isinstance(document, Document)
    assert failure.reason.startswith("line 1: is longer than")
    assert (document.text, document.id) == ("short", f"{tmp_path}/a.jsonl#row-2")


def test_a_pipe_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.txt")
    os.mkfifo(tmp_path / "a.csv")
    assert "a pipe" in why_not(tmp_path / "a.txt")
    assert "a pipe" in why_not(tmp_path / "a.csv")


def test_a_file_that_cannot_be_opened_or_is_gone_says_why(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("text")
    source = source_of(tmp_path / "a.txt")
    (tmp_path / "a.txt").unlink()
    assert list(read_documents(source)) == [Failure(source.id, "can't be read (No such file or directory)")]


def test_a_file_without_permission_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("text")
    source = source_of(tmp_path / "a.txt")
    (tmp_path / "a.txt").chmod(0)
    is_root = os.geteuid() == 0  # who may read everything
    if is_root:
        os.seteuid(65534)
    try:
        (failure,) = read_documents(source)
    finally:
        if is_root:
            os.seteuid(0)
    assert isinstance(failure, Failure)
    assert "Permission denied" in failure.reason


def test_a_missing_reader_is_told_with_the_first_file_that_needs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "page.html").write_text("<p>text</p>")
    (tmp_path / "README").write_bytes(b"%PDF-1.4")
    sources = find_documents([tmp_path]).sources
    check_readers(sources)
    monkeypatch.setitem(sys.modules, "selectolax.lexbor", None)
    monkeypatch.setitem(sys.modules, "pypdfium2", None)
    with pytest.raises(MissingExtraError, match=r"page.html: reading html needs selectolax.*'gtekit\[index\]'"):
        check_readers(sources)
    with pytest.raises(MissingExtraError, match="selectolax"):
        read_all(tmp_path / "page.html")
    assert "needs pypdfium2" in why_not(tmp_path / "README")  # which nobody could know by its name


def test_whatever_a_reader_raises_is_a_failure_of_that_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(data: bytes) -> None:
        raise RecursionError("so deep")

    monkeypatch.setitem(EXTRACTORS, "markdown", fail)
    (tmp_path / "a.md").write_text("text")
    assert why_not(tmp_path / "a.md") == "can't be read (RecursionError: so deep)"
