"""HTTP/1.1 over one socket: httptools (Node's llhttp) parses, this file keeps order, limits and time."""

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from gtekit.errors import MissingExtraError
from gtekit.serving.exchange import MIN_BYTES_PER_S, STATUS_LINES, Exchange
from gtekit.serving.problems import Kind, Problem
from gtekit.serving.send_buffer import unsent_bytes

try:
    import httptools
except ModuleNotFoundError:
    raise MissingExtraError("gtekit serve", "serve", "httptools") from None

if TYPE_CHECKING:
    from gtekit.serving.connections import Connections

MOST_PIPELINED: Final = 16  # requests of one connection that wait for the one before them
MOST_HEADERS: Final = 100  # of a request: browsers and proxies together send some 30
EXCHANGE_MEMORY: Final = 1000  # bytes of an exchange without its headers, as tracemalloc has it
HEADER_MEMORY: Final = 150  # bytes of a header beyond its own
MOST_REFUSED: Final = 256  # connections above the limit that are told so; more are cut without a word
ONCE: Final = {"host", "content-length", "transfer-encoding", "content-type", "authorization"}
WAITING_WATER: Final = 65_536  # bytes of requests that wait for answers before theirs: the socket is read no further
# Body time-outs in which a client must take the bytes of one. The kernel of a slow reader takes them in steps: of up to
# 130 kB through loopback, 130 s at MIN_BYTES_PER_S; of a sixteenth of its buffer, 8 to 400 kB, elsewhere
READ_TIMEOUTS: Final = 5
TLS: Final = b"\x16"  # the first byte of a handshake, and of no request
HTTP_2: Final = b"PRI * HTTP/2"  # how it begins where the client knows beforehand that the server speaks it
LINGER_S: Final = 1.0  # how long what a refused client still sends is read: else a reset overtakes our answer


class HttpConnection(asyncio.Protocol):
    """One connection. All of it runs on the event loop."""

    def __init__(self, shared: "Connections") -> None:
        self.shared = shared
        self.transport: asyncio.Transport = None  # type: ignore[assignment]  # until connection_made
        self.client = ""
        self._parser: Any = httptools.HttpRequestParser(self)
        self._exchange: Exchange | None = None  # the one being answered
        self._incoming: Exchange | None = None  # the one whose body is being read
        self._waiting: deque[Exchange] = deque()
        self._waiting_memory = 0  # bytes of them
        self._is_reading_paused = False
        self._can_write: asyncio.Event | None = None  # made once a write had to wait
        self._is_closing = False  # nothing that arrives matters any more
        self._close_at = 0.0

        self._quiet_since = time.monotonic()  # the last answer, or the first byte of headers that are not complete
        self._is_fresh = True  # the first request has not come: the header timeout counts from the connection on
        self._in_headers = False
        self._header_bytes = 0  # that have come
        self._head_bytes = 0  # of target and headers that the parser has found
        self._head_count = 0  # headers
        self._url = b""
        self._headers: dict[str, str] = {}
        self._problem: Problem | None = None
        # Java's client asks for HTTP/2 with its first request, and the parser then takes no body for one. We answer in
        # HTTP/1.1: a made-up head, which is not listened to, makes it read the body after all
        self._hidden_head = b""
        self._is_hidden_head = False
        self._written = 0  # bytes
        self._taken = 0  # of those, by the client's kernel when it was last seen to read fast enough
        self._taken_at = 0.0  # when that was; 0: nothing waits to be sent

    # what the event loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a connection, or refuse it where there are too many."""
        self.transport = transport  # type: ignore[assignment]
        peer = transport.get_extra_info("peername")
        self.client = peer[0] if isinstance(peer, tuple) else "unix"
        connections = len(self.shared.open)
        most = self.shared.settings.max_connections
        self.shared.open.add(self)
        if connections >= most + MOST_REFUSED:
            self.transport.abort()
        elif connections >= most:
            message = f"This server has {most:,} connections, as many as --max-connections allows. Try again shortly."
            self._refuse(Problem(Kind.UNAVAILABLE, message, retry_after_s=1.0))

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever works for this client that it is gone."""
        self.shared.open.discard(self)
        self._is_closing = True
        self._hang_up()
        self._parser = None  # the parser and its callbacks hold each other

    def eof_received(self) -> bool:
        """Take the end of what a client sends for a hang-up: hardly anybody closes one half of a connection."""
        self._is_closing = True
        self._hang_up()
        return False

    def pause_writing(self) -> None:
        """Let `drain` wait: the client reads more slowly than we write."""
        if self._can_write is None:
            self._can_write = asyncio.Event()
        self._can_write.clear()

    def resume_writing(self) -> None:
        """Let `drain` go on."""
        if self._can_write is not None:
            self._can_write.set()

    def data_received(self, data: bytes) -> None:
        """Parse what has come."""
        if self._is_closing or self._problem is not None:
            return
        self._header_bytes += len(data)
        while data:
            try:
                self._parser.feed_data(data)
                break
            except httptools.HttpParserUpgrade as upgrade:
                data = self._hidden_head + data[upgrade.args[0] :]
                self._is_hidden_head = bool(self._hidden_head)
                self._hidden_head = b""
            except httptools.HttpParserError as error:
                self._break_off(self._problem or Problem(Kind.INVALID_JSON, _words(data, error)))
                return
        if self._header_bytes > self.shared.settings.max_header_bytes:
            self._break_off(self._too_long())

    # what the parser calls

    def on_message_begin(self) -> None:
        """Begin a request, at its first byte."""
        if self._is_hidden_head:
            return
        self._in_headers = True
        self._is_fresh = False
        self._quiet_since = time.monotonic()
        self._head_bytes = self._head_count = 0
        self._url = b""
        self._headers = {}

    def on_url(self, url: bytes) -> None:
        """Take a part of the target."""
        self._count_head(len(url))
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header, or a trailer, which nobody needs."""
        if not self._in_headers:
            return
        self._head_count += 1
        if self._head_count > MOST_HEADERS:
            self._stop(Problem(Kind.HEADERS, f"The request has more than {MOST_HEADERS} headers."))
        self._count_head(len(name) + len(value) + 4)
        key = name.decode("latin-1").lower()
        text = value.decode("latin-1").strip(" \t")
        if key in self._headers:
            if key in ONCE:
                self._stop(Problem(Kind.INVALID_JSON, f"The header {key} is there twice."))
            text = f"{self._headers[key]}, {text}"
        self._headers[key] = text

    def on_headers_complete(self) -> None:
        """Check the headers and have the request answered, now or after those before it."""
        if self._is_hidden_head:
            self._is_hidden_head = False
            return
        self._in_headers = False
        parser, headers = self._parser, self._headers
        version = parser.get_http_version()
        if version not in ("1.0", "1.1"):
            self._stop(Problem(Kind.INVALID_JSON, f"This is HTTP/{version}; this server speaks HTTP/1.1."))
        is_http_1_0 = version == "1.0"
        self._check(headers, is_http_1_0)
        method = parser.get_method().decode("latin-1")
        exchange = Exchange(
            self,
            method,
            self._url,
            headers,
            client=self.client,
            started=time.monotonic(),
            keep_alive=parser.should_keep_alive() and method != "CONNECT" and not self.shared.is_draining,
            is_http_1_0=is_http_1_0,
        )
        if parser.should_upgrade() and method != "CONNECT":
            self._hidden_head = _framing(headers)
        exchange.must_continue = headers.get("expect", "").lower() == "100-continue"
        exchange.head_memory = EXCHANGE_MEMORY + self._head_bytes + HEADER_MEMORY * len(headers)
        self._header_bytes = 0
        self._incoming = exchange
        if self._exchange is None:
            self._start(exchange)
        elif len(self._waiting) < MOST_PIPELINED:
            self._waiting.append(exchange)
            self._count_waiting(exchange.head_memory)
        else:
            self._stop(Problem(Kind.TOO_MANY, f"More than {MOST_PIPELINED} requests wait for answers here."))

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        self._header_bytes -= 9 * len(body)  # a chunk of one byte takes six; the rest pays for extensions and trailers
        if self._incoming is not None:
            self._incoming.feed(body)
            if self._incoming is not self._exchange:
                self._count_waiting(len(body))

    def on_message_complete(self) -> None:
        """End the body."""
        if self._hidden_head:
            return  # it has not begun
        self._header_bytes = 0
        if self._incoming is not None:
            self._incoming.end_body()
            self._incoming = None

    # what an exchange calls

    def resume_reading(self) -> None:
        """Read on."""
        if self._is_reading_paused and not self._is_closing and self._waiting_memory <= WAITING_WATER:
            self._is_reading_paused = False
            self.transport.resume_reading()

    def pause_reading(self) -> None:
        """Let the client wait."""
        if not self._is_reading_paused and not self._is_closing:
            self._is_reading_paused = True
            self.transport.pause_reading()

    def write(self, data: bytes) -> None:
        """Send, or queue; nothing, once the connection is cut."""
        if not self.transport.is_closing():
            self._written += len(data)
            self.transport.write(data)

    async def drain(self) -> None:
        """Wait until little of what was written is still queued."""
        if self._can_write is not None and not self._is_closing:
            await self._can_write.wait()

    def abort(self) -> None:
        """Cut the connection."""
        self.transport.abort()

    def common_headers(self) -> bytes:
        """Give the headers of every answer."""
        return self.shared.headers

    def finished(self, exchange: Exchange) -> None:
        """Take up what comes after an exchange: the next one, a refusal, the end, or silence."""
        self._exchange = None
        self._quiet_since = time.monotonic()
        if not exchange.keep_alive:
            self._close(linger=not exchange.body_complete)
        elif self._waiting:
            following = self._waiting.popleft()
            self._waiting_memory -= following.memory
            self._start(following)
        elif self._problem is not None:
            self._refuse(self._problem)
        else:
            self.resume_reading()

    # what the server calls

    @property
    def is_finishing(self) -> bool:
        """Whether an answer is not sent to its end, or a refused client is given time to read it."""
        return self.transport.get_write_buffer_size() > 0 or (self._is_closing and time.monotonic() < self._close_at)

    def look_after(self, now: float) -> None:
        """End whatever has taken too long."""
        settings = self.shared.settings
        left = self.transport.get_write_buffer_size()
        if not left:
            self._taken_at = 0.0
        if left and self._reads_too_slowly(now, left):
            self.transport.abort()
        elif self._is_closing:
            if not left and now >= self._close_at:
                self.transport.abort()
        elif self._in_headers:
            if now - self._quiet_since > settings.header_timeout_s and not self._is_reading_paused:
                message = f"The headers took more than {settings.header_timeout_s:g} seconds (--header-timeout-s)."
                self._break_off(Problem(Kind.READ_TIMEOUT, message))
        elif self._exchange is None:
            timeout_s = settings.header_timeout_s if self._is_fresh else settings.keep_alive_s
            if now - self._quiet_since > timeout_s:
                self._close(linger=False)
        if self._exchange is not None:
            self._exchange.look_after(now, settings.body_timeout_s)

    def drain_connection(self) -> None:
        """Close after the answers to what has come, or after the next one."""
        last = self._waiting[-1] if self._waiting else self._exchange
        if last is not None:
            last.keep_alive = False

    # the rest

    def _check(self, headers: dict[str, str], is_http_1_0: bool) -> None:
        if "host" not in headers and not is_http_1_0:
            self._stop(Problem(Kind.INVALID_JSON, "The header host is missing; HTTP/1.1 needs it."))
        if "transfer-encoding" in headers:
            # a proxy before us that goes by the other of the two would see other requests than we do
            if "content-length" in headers:
                self._stop(Problem(Kind.INVALID_JSON, "There are both content-length and transfer-encoding; send one."))
            if headers["transfer-encoding"].lower() != "chunked" or is_http_1_0:
                self._stop(Problem(Kind.INVALID_JSON, "The only transfer-encoding is chunked, in HTTP/1.1."))

    def _count_head(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > self.shared.settings.max_header_bytes:
            self._stop(self._too_long())

    def _count_waiting(self, size: int) -> None:
        self._waiting_memory += size
        if self._waiting_memory > WAITING_WATER:
            self.pause_reading()

    def _stop(self, problem: Problem) -> None:
        self._problem = problem
        raise problem  # out of the parser, which stops

    def _too_long(self) -> Problem:
        most = self.shared.settings.max_header_bytes
        return Problem(Kind.HEADERS, f"Request line and headers are longer than {most:,} bytes (--max-header-bytes).")

    def _break_off(self, problem: Problem) -> None:
        """Read no more: refuse at once, or after the answers that are still to come."""
        self._problem = problem
        self._in_headers = False
        if self._incoming is not None:
            self._incoming.fail(problem)  # it is answered in its own words
            self._incoming = None
        elif self._exchange is None:
            self._refuse(problem)

    def _refuse(self, problem: Problem) -> None:
        status, headers, body = self.shared.refuse(problem)
        head = f"{headers}connection: close\r\ncontent-length: {len(body)}\r\n\r\n"
        self.write(b"".join((STATUS_LINES[status], self.shared.headers, head.encode("latin-1"), body)))
        self._close(linger=True)

    def _close(self, *, linger: bool) -> None:
        if self._is_closing:
            return
        self._waiting_memory = 0
        self.resume_reading()
        self._is_closing = True
        if not linger:
            self.transport.close()
            return
        try:
            self.transport.write_eof()
        except OSError:  # reset by the client
            self.transport.abort()
        else:
            self._close_at = time.monotonic() + LINGER_S

    def _start(self, exchange: Exchange) -> None:
        self._exchange = exchange
        task = asyncio.get_running_loop().create_task(self.shared.handle(exchange))
        exchange.task = task
        self.shared.tasks.add(task)
        task.add_done_callback(self.shared.tasks.discard)

    def _hang_up(self) -> None:
        for exchange in (self._exchange, *self._waiting):
            if exchange is not None:
                exchange.hang_up()
        self._waiting.clear()
        self._waiting_memory = 0
        self.resume_writing()

    def _reads_too_slowly(self, now: float, left: int) -> bool:
        """Say whether the client has taken less than MIN_BYTES_PER_S for so long that it is no matter of steps."""
        timeout_s = self.shared.settings.body_timeout_s
        taken = self._written - left - unsent_bytes(self.transport.get_extra_info("socket").fileno())
        if self._taken_at == 0.0 or taken - self._taken >= MIN_BYTES_PER_S * timeout_s:
            self._taken_at, self._taken = now, taken
        return now - self._taken_at > READ_TIMEOUTS * timeout_s


def _words(data: bytes, error: Exception) -> str:
    if data.startswith(TLS):
        return (
            "This looks like TLS; this server speaks HTTP without it: call it as http://, or through a proxy for TLS."
        )
    if data.startswith(HTTP_2):
        return "This is HTTP/2, begun without asking; this server speaks HTTP/1.1: have the client use that."
    return f"This is no valid HTTP request: {error}."


def _framing(headers: dict[str, str]) -> bytes:
    """Give a head that says how long the body is and nothing else; b"" where there is none."""
    if "transfer-encoding" in headers:
        return b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"
    length = headers.get("content-length", "0")
    return f"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: {length}\r\n\r\n".encode() if int(length) else b""
