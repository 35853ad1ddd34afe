"""The process that reads PDF files: the same text, and what makes it crash or hang costs one file."""

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gtekit.documents.extract.pdf import extract_pdf
from gtekit.documents.extract.pdf_process import PdfProcess
from gtekit.errors import FileFormatError
from tests.documents.files import write_pdf


@pytest.fixture
def process() -> Iterator[PdfProcess]:
    process = PdfProcess()
    yield process
    process.close()


def test_it_gives_what_the_reader_gives(process: PdfProcess, tmp_path: Path) -> None:
    data = write_pdf(tmp_path / "a.pdf", ["Größe one.", "Two."], title="The paper").read_bytes()
    assert process.extract(data) == extract_pdf(data)
    pid = process.pid
    with pytest.raises(FileFormatError, match="damaged PDF"):
        process.extract(b"no pdf")
    assert process.extract(data) == extract_pdf(data)
    assert process.pid == pid


def test_a_crash_costs_one_file_and_the_next_one_is_read(process: PdfProcess, tmp_path: Path) -> None:
    data = write_pdf(tmp_path / "a.pdf", ["One."]).read_bytes()
    process.extract(data)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGSEGV)
    with pytest.raises(FileFormatError, match=r"crashed on it \(code -11\)"):
        process.extract(data)
    assert process.extract(data).text == "One."


def test_a_file_that_never_ends_is_given_up(process: PdfProcess, tmp_path: Path) -> None:
    data = write_pdf(tmp_path / "a.pdf", ["One."]).read_bytes()
    process.extract(data)
    process.most_seconds = 0.5
    assert process.pid is not None
    os.kill(process.pid, signal.SIGSTOP)
    with pytest.raises(FileFormatError, match=r"more than 0\.5 s"):
        process.extract(data)
    assert process.pid is None


def test_threads_wait_for_each_other(process: PdfProcess, tmp_path: Path) -> None:
    files = [write_pdf(tmp_path / f"{number}.pdf", [f"Page {number}."]).read_bytes() for number in range(8)]
    found: dict[int, str] = {}

    def read(number: int) -> None:
        found[number] = process.extract(files[number]).text

    threads = [threading.Thread(target=read, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {number: f"Page {number}." for number in range(8)}


def test_it_ends_when_it_is_closed(process: PdfProcess, tmp_path: Path) -> None:
    process.extract(write_pdf(tmp_path / "a.pdf", ["One."]).read_bytes())
    pid = process.pid
    assert pid is not None
    process.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
