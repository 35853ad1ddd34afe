"""PDF files read in a process of their own: one that makes the reader crash or never end costs that file alone.

The reader is C++ that meets whatever people were sent. The process is started for the first PDF and then waits for
the next; it ends with ours, because its standard input does.
"""

import atexit
import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import asdict
from typing import IO, Any

from gtekit.documents.document import Part
from gtekit.documents.extract.pdf import extract_pdf, import_reader
from gtekit.documents.extract.text import Extracted
from gtekit.errors import FileFormatError

MOST_SECONDS = 120.0  # for one file: a book of a thousand pages takes about ten
MOST_MEMORY_BYTES = 8 << 30
SIZE_BYTES = 8  # before each message


class PdfProcess:
    """The process that reads PDF files, started when the first one comes. One file at a time."""

    def __init__(self, most_seconds: float = MOST_SECONDS) -> None:
        self.most_seconds = most_seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0  # the process that started it
        self._lock = threading.Lock()

    @property
    def pid(self) -> int | None:
        """The number of the process, None where there is none."""
        return self._process.pid if self._process else None

    def extract(self, data: bytes) -> Extracted:
        """Give the text of a PDF: as `extract_pdf`.

        Raises:
            FileFormatError: If the file is encrypted or damaged, or the reader crashes or takes too long.
            MissingExtraError: If pypdfium2 is not installed.
        """
        import_reader()  # what is missing there is missing here
        with self._lock:
            answer = self._ask(data)
        if "error" in answer:
            raise FileFormatError(answer["error"])
        parts = tuple(Part(**part) for part in answer["parts"])
        return Extracted(answer["text"], answer["title"], parts)

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None:
            for stream in (process.stdin, process.stdout):
                with suppress(OSError):  # what could not be written to it any more
                    stream.close()  # type: ignore[union-attr]
            process.wait()

    def _ask(self, data: bytes) -> dict[str, Any]:
        if self._process is None or self._owner != os.getpid():  # a fork would speak into its parent's pipe
            self._process, self._owner = _start(), os.getpid()
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        timer = threading.Timer(self.most_seconds, process.kill)
        timer.start()
        try:
            _write(process.stdin, data)
            answer = _read(process.stdout)
        except BrokenPipeError:
            answer = None
        except BaseException:  # Ctrl-C amid a message: the next one would be taken for its rest
            process.kill()
            self.close()
            raise
        finally:
            timer.cancel()
        if answer is not None:
            found: dict[str, Any] = json.loads(answer)
            return found
        code = process.wait()
        self.close()
        if code == -signal.SIGKILL:
            return {"error": f"takes more than {self.most_seconds:g} s or too much memory to read"}
        return {"error": f"damaged PDF: the reader crashed on it (code {code})"}


def _start() -> "subprocess.Popen[bytes]":
    path = os.pathsep.join(entry for entry in sys.path if entry)
    return subprocess.Popen(
        [sys.executable, "-m", "gtekit.documents.extract.pdf_process"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": path},
    )


def _write(stream: IO[bytes], message: bytes) -> None:
    stream.write(len(message).to_bytes(SIZE_BYTES, "little"))
    stream.write(message)
    stream.flush()


def _read(stream: IO[bytes]) -> bytes | None:
    size = stream.read(SIZE_BYTES)
    if len(size) < SIZE_BYTES:
        return None
    message = stream.read(int.from_bytes(size, "little"))
    return message if len(message) == int.from_bytes(size, "little") else None


def serve() -> None:
    """Read PDF files from standard input until it ends, and answer each with its text or what is wrong."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that asks
    if sys.platform != "win32":
        import resource

        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY_BYTES, MOST_MEMORY_BYTES))
    while (data := _read(sys.stdin.buffer)) is not None:
        try:
            answer: dict[str, Any] = asdict(extract_pdf(data))
        except FileFormatError as error:
            answer = {"error": str(error)}
        except MemoryError:
            answer = {"error": "takes too much memory to read"}
        _write(sys.stdout.buffer, json.dumps(answer).encode())


PDF_PROCESS = PdfProcess()
atexit.register(PDF_PROCESS.close)

if __name__ == "__main__":
    serve()
