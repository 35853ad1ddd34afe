"""A lean load generator: HTTP/1.1 on bare asyncio protocols, bodies made before and checked after the clock runs.

It runs on the same cores as the server and takes time from it: about 40 µs a request on a Zen 4. What it measures is
therefore the least that the server can do, and short answers are hurt most.
"""

import asyncio
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import httptools
import numpy as np

HOST = "127.0.0.1"
SETTLE_S = 60.0  # how long answers that are still on the way may take once the clock has stopped


@dataclass(frozen=True, slots=True)
class Call:
    """A request as bytes, and what it asks for."""

    request: bytes
    rows: Sequence[int] = ()  # the texts in it, by their place in the reference vectors
    tokens: int = 0


@dataclass(slots=True)
class Answer:
    """What came back."""

    status: int  # 0: the connection ended before the answer did
    headers: Mapping[str, str]
    body: bytes
    seconds: float
    call: Call


def http_request(path: str, body: bytes, headers: Mapping[str, str] | None = None, method: str = "POST") -> bytes:
    """Write a request."""
    fields = {"host": HOST, "content-type": "application/json", "content-length": str(len(body)), **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body


class Connection(asyncio.Protocol):
    """A connection that asks one thing at a time. `on_answer` is called with each answer, and once it has ended."""

    def __init__(self, on_answer: Callable[["Connection", Answer], None]) -> None:
        self.on_answer = on_answer
        self.send: Callable[[bytes], None]
        self.call: Call | None = None
        self.begun = 0.0

    def ask(self, call: Call, begun: float | None = None) -> None:
        """Send a request. `begun` is when it should have been sent, if that was earlier."""
        self.call = call
        self.parser = httptools.HttpResponseParser(self)
        self.headers: dict[str, str] = {}
        self.parts: list[bytes] = []
        self.begun = time.perf_counter() if begun is None else begun
        self.send(call.request)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport, self.send = transport, transport.write

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        self.parts.append(body)

    def on_message_complete(self) -> None:
        self._finish(self.parser.get_status_code())

    def connection_lost(self, error: Exception | None) -> None:
        if self.call is not None:
            self._finish(0)

    def _finish(self, status: int) -> None:
        call, self.call = self.call, None
        if call is not None:
            seconds = time.perf_counter() - self.begun
            self.on_answer(self, Answer(status, self.headers, b"".join(self.parts), seconds, call))


@dataclass(slots=True)
class Run:
    """The answers of a run."""

    answers: list[Answer] = field(default_factory=list)
    seconds: float = 0.0  # from the first request to the last answer

    @property
    def requests_per_s(self) -> float:
        return len(self.answers) / self.seconds

    @property
    def tokens_per_s(self) -> float:
        return sum(answer.call.tokens for answer in self.answers) / self.seconds

    def quantile_ms(self, share: float) -> float:
        """Give the latency that this share of the requests stays within."""
        return float(np.quantile([answer.seconds for answer in self.answers], share)) * 1000


def one_by_one(port: int, calls: Iterable[Call]) -> Run:
    """Ask one thing after the other on a blocking socket: what a client costs at least, 0.2 ms less than a loop.

    Raises:
        RuntimeError: If the connection ends.
    """
    run = Run()
    connection = Connection(lambda _, answer: run.answers.append(answer))
    with socket.create_connection((HOST, port)) as opened:
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.send = opened.sendall
        begun = time.perf_counter()
        for call in calls:
            connection.ask(call)
            while connection.call is not None:
                data = opened.recv(65_536)
                if not data:
                    raise RuntimeError("the connection ended before its answer came.")
                connection.data_received(data)
        run.seconds = time.perf_counter() - begun
    return run


async def closed_loop(port: int, calls: Iterator[Call], connections: int, seconds: float | None = None) -> Run:
    """Keep each connection busy: the next request goes out with the answer, for some time or until none is left.

    Raises:
        RuntimeError: If a connection ends.
    """
    loop = asyncio.get_running_loop()
    run, ended, open_connections = Run(), loop.create_future(), connections
    stop = time.perf_counter() + (float("inf") if seconds is None else seconds)

    def next_or_end(connection: Connection) -> None:
        nonlocal open_connections
        call = next(calls, None) if time.perf_counter() < stop else None
        if call is not None:
            connection.ask(call)
            return
        open_connections -= 1
        if not open_connections and not ended.done():
            ended.set_result(None)

    def take(connection: Connection, answer: Answer) -> None:
        run.answers.append(answer)
        if answer.status:
            next_or_end(connection)
        elif not ended.done():
            ended.set_exception(RuntimeError("a connection ended before its answer came."))

    opened = await connect(port, connections, take)
    begun = time.perf_counter()
    for connection in opened:
        next_or_end(connection)
    await ended
    run.seconds = time.perf_counter() - begun
    for connection in opened:
        connection.transport.close()
    return run


async def open_loop(port: int, calls: Iterator[Call], rate: float, seconds: float, connections: int = 64) -> Run:
    """Send at a fixed rate. Latency counts from when a request was due.

    `connections` are there from the beginning; where all are in use, or were closed because they were not, more are
    opened.

    Raises:
        RuntimeError: If a connection ends before its answer came.
        TimeoutError: If answers are missing a minute after the last request.
    """
    run, count = Run(), round(rate * seconds)
    ended = asyncio.get_running_loop().create_future()

    def take(connection: Connection, answer: Answer) -> None:
        run.answers.append(answer)
        if not answer.status and not ended.done():
            ended.set_exception(RuntimeError("a connection ended before its answer came."))
        free.append(connection)
        if len(run.answers) == count and not ended.done():
            ended.set_result(None)

    free = await connect(port, connections, take)
    opened = list(free)
    begun = time.perf_counter()
    for index in range(count):
        due = begun + index / rate
        await asyncio.sleep(max(due - time.perf_counter(), 0))
        while free and free[-1].transport.is_closing():
            free.pop()
        if not free:
            free += await connect(port, 1, take)
            opened.append(free[-1])
        free.pop().ask(next(calls), due)
    await asyncio.wait_for(ended, SETTLE_S)
    run.seconds = time.perf_counter() - begun
    for connection in opened:
        connection.transport.close()
    return run


async def connect(port: int, count: int, on_answer: Callable[[Connection, Answer], None]) -> list[Connection]:
    """Open connections."""
    loop = asyncio.get_running_loop()
    made = [await loop.create_connection(lambda: Connection(on_answer), HOST, port) for _ in range(count)]
    return [connection for _, connection in made]
