"""A real HTTP server that answers as it was told, one answer after another, and keeps what it was asked."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Answer:
    """What is sent; `breaks_off` closes the connection in the middle of the body."""

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict)
    breaks_off: bool = False
    delay_s: float = 0.0


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    at: float  # of time.monotonic()


@dataclass
class ScriptedServer:
    """The answers left, of which the last stays, and the requests so far."""

    url: str
    answers: list[Answer]
    asked: list[Asked] = field(default_factory=list)


@contextmanager
def scripted(*answers: Answer) -> Iterator[ScriptedServer]:
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:  # nothing on stderr
            pass

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            with lock:
                server.asked.append(Asked(self.path, dict(self.headers.items()), body, time.monotonic()))
                chosen = server.answers.pop(0) if len(server.answers) > 1 else server.answers[0]
            time.sleep(chosen.delay_s)
            self.send_response(chosen.status)
            for name, value in chosen.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(chosen.body)))
            self.end_headers()
            self.wfile.write(chosen.body[: len(chosen.body) // 2] if chosen.breaks_off else chosen.body)
            if chosen.breaks_off:
                self.close_connection = True

        do_GET = do_POST = answer  # noqa: N815

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    server = ScriptedServer(f"http://127.0.0.1:{http.server_address[1]}", list(answers))
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
