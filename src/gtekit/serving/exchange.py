"""One HTTP request on its way in and its answer on the way out, without a word about what either means."""

import asyncio
import math
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from http import HTTPStatus
from typing import Final, Protocol

from gtekit.serving.memory import Lease
from gtekit.serving.messages import Disconnect, Header
from gtekit.serving.problems import Kind, Problem

HIGH_WATER: Final = 262_144  # bytes of a body that wait unread before the socket is read no further
MIN_BYTES_PER_S: Final = 1000  # slower than any modem: only who means harm sends or reads so slowly
BODILESS: Final = (204, 304)
NOT_STORED: Final = b"cache-control: no-store\r\n"  # of every answer that says nothing else
WRITE_STEP: Final = 262_144  # bytes of an answer that are given to the socket at once

REASONS: Final = {
    **{status.value: status.phrase for status in HTTPStatus},
    499: "Client Closed Request",
}
STATUS_LINES: Final = {status: f"HTTP/1.1 {status} {reason}\r\n".encode() for status, reason in REASONS.items()}


class Connection(Protocol):
    """What an exchange asks of the connection that it came over."""

    def resume_reading(self) -> None:
        """Read on."""

    def pause_reading(self) -> None:
        """Let the client wait: what it has sent has not been used yet."""

    def write(self, data: bytes) -> None:
        """Send, or queue."""

    async def drain(self) -> None:
        """Wait until little of what was written is still queued."""

    def abort(self) -> None:
        """Cut the connection, so that the client sees that the answer is not whole."""

    def finished(self, exchange: "Exchange") -> None:
        """Take up what comes after this exchange."""

    def common_headers(self) -> bytes:
        """Give the headers of every answer, as they are sent."""


class Exchange:
    """A request and its answer. Used on the event loop alone."""

    def __init__(
        self,
        connection: Connection,
        method: str,
        target: bytes,
        headers: Mapping[str, str],
        *,
        client: str,
        started: float,
        keep_alive: bool,
        is_http_1_0: bool = False,
    ) -> None:
        self.connection = connection
        self.method = method
        self.target = target
        self.headers = headers
        self.client = client
        self.started = started  # of time.monotonic(), when the headers were complete
        self.give_up_at: float | None = None  # of time.monotonic(): whoever looks after connections ends it then
        self.timeout_s = math.inf  # an answer in parts has so long for each of them
        self.has_given_up = False
        self.task: asyncio.Task[None] | None = None
        self.keep_alive = keep_alive
        self.is_http_1_0 = is_http_1_0
        self.disconnect = Disconnect()
        self.must_continue = False  # the client waits for "100 Continue" before it sends its body

        self.head_memory = 0  # bytes that target, headers and this object take
        self.body_complete = False
        self.bytes_in = 0
        self._waiting_since: float | None = None  # somebody waits for more of the body since then
        self._waited_s = 0.0  # before that
        self._slow_from = (0.0, 0)  # seconds waited and bytes received when a client was last fast enough
        self._parts: list[bytes] = []
        self._buffered = 0
        self._failure: Problem | None = None
        self._waiter: asyncio.Future[None] | None = None

        self.status = 0  # once the answer has begun
        self.bytes_out = 0
        self.answer_complete = False
        self._is_chunked = False

    @property
    def memory(self) -> int:
        """How many bytes it takes until somebody reads its body."""
        return self.head_memory + self.bytes_in

    # the body, from the connection's side

    def feed(self, data: bytes) -> None:
        """Take a part of the body."""
        self.bytes_in += len(data)
        if self.answer_complete:
            return
        self._parts.append(data)
        self._buffered += len(data)
        if self._buffered > HIGH_WATER:
            self.connection.pause_reading()
        self._wake()

    def end_body(self) -> None:
        """Note that the body is whole."""
        self.body_complete = True
        self._wake()

    def fail(self, problem: Problem) -> None:
        """Let whoever reads the body meet this problem, now or when it comes to read."""
        if self._failure is None:
            self._failure = problem
        self._wake()

    def give_up(self) -> None:
        """End the work for the answer: it has taken too long."""
        self.give_up_at = None
        if not self.answer_complete:
            self.has_given_up = True
            self._cancel()

    def hang_up(self) -> None:
        """Note that the client is gone."""
        self.fail(Problem(Kind.GONE, "The client has hung up."))
        self.disconnect.set()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def look_after(self, now: float, body_timeout_s: float) -> None:
        """End what has taken too long. Only the time counts in which somebody waited for the body."""
        if self.give_up_at is not None and now >= self.give_up_at:
            self.give_up()
        if self._waiting_since is None:
            return
        pause_s = now - self._waiting_since
        waited_s, received = self._waited_s + pause_s - self._slow_from[0], self.bytes_in - self._slow_from[1]
        if received >= MIN_BYTES_PER_S * waited_s and received:
            self._slow_from = (self._waited_s + pause_s, self.bytes_in)
        elif waited_s > body_timeout_s:
            self.fail(
                Problem(
                    Kind.READ_TIMEOUT,
                    f"In {waited_s:.1f} seconds {received:,} bytes of the body have come; at least {MIN_BYTES_PER_S:,} "
                    f"a second are expected, after {body_timeout_s:g} seconds (--body-timeout-s).",
                )
            )

    # the body, from the handler's side

    async def parts(self) -> AsyncIterator[bytes]:
        """Give the body as it comes, as it was sent.

        Raises:
            Problem: If the client is too slow, or gone.
        """
        while part := await self._next_part():
            yield part

    async def _next_part(self) -> bytes:
        while not self._parts:
            if self._failure is not None:
                raise self._failure
            if self.body_complete:
                return b""
            await self._wait()
        part = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        self._parts.clear()
        self._buffered = 0
        self.connection.resume_reading()  # also after the last part: else nobody would notice a hang-up
        return part

    async def _wait(self) -> None:
        self._continue()
        self._waiter = asyncio.get_running_loop().create_future()
        self._waiting_since = time.monotonic()
        self.connection.resume_reading()
        try:
            await self._waiter
        finally:
            self._waiter = None
            self._waited_s += time.monotonic() - self._waiting_since
            self._waiting_since = None

    def _continue(self) -> None:
        if self.must_continue:
            self.must_continue = False
            self.connection.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    # the answer

    async def answer(self, status: int, headers: list[Header], body: bytes) -> None:
        """Send a whole answer."""
        framing = f"content-length: {len(body)}\r\n" if status not in BODILESS else ""
        head = self._head(status, headers, framing)
        if self.method == "HEAD":
            body = b""
        self.bytes_out = len(body)
        if len(body) <= WRITE_STEP:
            self.connection.write(head + body)
        else:
            self.connection.write(head)
            for begin in range(0, len(body), WRITE_STEP):
                self.connection.write(body[begin : begin + WRITE_STEP])
                await self.connection.drain()
        await self.connection.drain()  # who sends requests and reads no answers gets no further ones
        self._finish()

    async def answer_in_parts(
        self, status: int, headers: list[Header], parts: AsyncIterator[bytes], lease: Lease
    ) -> None:
        """Send an answer as it is made. An exception of `parts` cuts the connection and is raised."""
        self._continue()  # an answer in parts is made of a body in parts
        self._is_chunked = not self.is_http_1_0
        framing = "transfer-encoding: chunked\r\n" if self._is_chunked else ""
        self.keep_alive = self.keep_alive and self._is_chunked
        head = self._head(status, headers, framing)
        if self.method == "HEAD":
            self.connection.write(head)
            self._finish()
            return
        self.connection.write(head)
        self.disconnect.on_gone(self._cancel)  # whatever the next part is waiting for
        try:
            async for part in parts:
                if part:
                    lease.hold(len(part))
                    self.connection.write(b"%x\r\n%b\r\n" % (len(part), part) if self._is_chunked else part)
                    self.bytes_out += len(part)
                    await self.connection.drain()
                    lease.give_back(len(part))
                if self.give_up_at is not None:
                    self.give_up_at = time.monotonic() + self.timeout_s
                if self.disconnect.is_gone:
                    raise Problem(Kind.GONE, "The client has hung up.")
        except BaseException:
            self.abort()
            raise
        finally:
            if isinstance(parts, AsyncGenerator):
                await parts.aclose()
        if self._is_chunked:
            self.connection.write(b"0\r\n\r\n")
        self._finish()

    def abort(self) -> None:
        """Cut the connection, so that the client sees that the answer is not whole."""
        self.answer_complete = True
        self.connection.abort()

    def _cancel(self) -> None:
        if self.task is not None:
            self.task.cancel()

    def _head(self, status: int, headers: list[Header], framing: str) -> bytes:
        self.status = status
        if not self.body_complete:
            self.keep_alive = False  # the rest of the body is not read
        lines = [f"{name}: {value}\r\n" for name, value in headers]
        if not self.keep_alive:
            lines.append("connection: close\r\n")
        elif self.is_http_1_0:
            lines.append("connection: keep-alive\r\n")
        lines.append(framing)
        lines.append("\r\n")
        line = STATUS_LINES.get(status) or f"HTTP/1.1 {status} \r\n".encode()
        common = self.connection.common_headers()
        if any(name == "cache-control" for name, _ in headers):
            common = common.replace(NOT_STORED, b"")  # files of the page may be kept
        return line + common + "".join(lines).encode("latin-1")

    def _finish(self) -> None:
        self.answer_complete = True
        self._parts.clear()
        self.connection.finished(self)
