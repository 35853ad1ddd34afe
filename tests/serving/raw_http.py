"""HTTP with nothing between the test and the socket: what is sent is what the bytes say."""

import contextlib
import gzip
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httptools

from gtekit.serving.zstd import zstd

HANG_S = 30.0  # far above what any request of the tests takes; a server that is silent for so long hangs


@dataclass
class Answer:
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    is_whole: bool = False

    def plain(self) -> bytes:
        """The body without its content-encoding."""
        decoders: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.decompress, "zstd": zstd.decompress, "": bytes}
        return decoders[self.headers.get("content-encoding", "")](self.body)


class _Reader:
    """Collects what httptools finds."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.parser = httptools.HttpResponseParser(self)

    def on_message_begin(self) -> None:
        self.answers.append(Answer())

    def on_header(self, name: bytes, value: bytes) -> None:
        self.answers[-1].headers[name.decode().lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        self.answers[-1].body += body

    def on_message_complete(self) -> None:
        self.answers[-1].status = self.parser.get_status_code()
        self.answers[-1].is_whole = True


def exchange(url: str, sent: bytes, *, half_close: bool = False, hang_s: float = HANG_S) -> list[Answer]:
    """Send bytes and read answers until the server closes the connection.

    Raises:
        AssertionError: If the server neither answers nor closes.
    """
    address = urlsplit(url)
    reader = _Reader()
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=hang_s) as connection:
        with contextlib.suppress(ConnectionError):  # it may refuse before all has arrived
            connection.sendall(sent)
            if half_close:
                connection.shutdown(socket.SHUT_WR)
        end = time.monotonic() + hang_s
        while True:
            try:
                received = connection.recv(65_536)
            except ConnectionError:
                break
            except TimeoutError:
                raise AssertionError(f"The server is silent after {sent[:200]!r}.") from None
            assert time.monotonic() < end, f"The server does not close after {sent[:200]!r}."
            if not received:
                break
            reader.parser.feed_data(received)
    return reader.answers


def request_bytes(
    method: str, path: str, body: bytes = b"", headers: Sequence[tuple[str, str]] = (), *, close: bool = True
) -> bytes:
    """Write a request down, with a right content-length."""
    lines = [f"{method} {path} HTTP/1.1", "host: 127.0.0.1", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers]
    lines += ["connection: close"] if close else []
    return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape") + body


def ask(url: str, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
    """Send one well-formed request and give its one answer."""
    sent = request_bytes(method, path, body, list((headers or {}).items()))
    answers = exchange(url, sent)
    assert len(answers) == 1, f"{len(answers)} answers to {sent[:300]!r}"
    assert answers[0].is_whole or method == "HEAD", f"half an answer to {sent[:300]!r}"
    return answers[0]
