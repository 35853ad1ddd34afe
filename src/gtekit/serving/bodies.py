"""The body of a request as handlers read it: decompressed, counted, and never larger than it may be."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Iterator, Mapping
from itertools import chain
from typing import TYPE_CHECKING, Final, Protocol, cast

from gtekit.serving.exchange import Exchange
from gtekit.serving.memory import Lease
from gtekit.serving.messages import Request
from gtekit.serving.problems import Kind, Problem
from gtekit.serving.zstd import zstd

if TYPE_CHECKING:
    from gtekit.serving.settings import ServerSettings

STEP: Final = 65_536  # bytes of decompressed body at once
SLICE: Final = 16_384  # bytes of compressed body at once: 800 members of gzip that hold nothing take 3 ms
ZSTD_WINDOW: Final = 8_388_608  # bytes that a frame may ask for: what RFC 9659 has for HTTP
ZSTD_OPTIONS: Final[Mapping[int, int]] = {zstd.DecompressionParameter.window_log_max: 23}
GZIP_BYTES: Final = 40_000  # what zlib needs
GZIP: Final = 31  # zlib: with gzip's header
BREATHE: Final = 1_048_576  # bytes, both before and after, after which other requests have a turn: 2 ms of zlib
MOST_MEMBERS: Final = 1000  # of gzip, or frames of zstd, beyond one for each KiB that has come out of them
ENCODINGS: Final = "gzip, zstd, identity"


class BodyReader:
    """What `Request.read` is: each call gives the body, once.

    Args:
        exchange: Where the body arrives.
        settings: Limits.
        lease: Takes what the body needs from the memory of all requests.
    """

    def __init__(self, exchange: Exchange, settings: "ServerSettings", lease: Lease) -> None:
        self._exchange = exchange
        self._most = settings.max_body_bytes
        self._lease = lease

    async def __call__(self) -> AsyncIterator[bytes]:
        """Give the body in parts, within --max-body-bytes.

        Memory is taken as parts come: a length that is only declared keeps nobody out. A body that would not fit by
        its length is refused before it comes.

        Raises:
            Problem: If it is too large, too slow, not what its content-encoding says, or if memory is short.
        """
        headers = self._exchange.headers
        length = int(headers.get("content-length", "0"))
        if length > self._most:
            raise self._too_large(f"{length:,} bytes")
        is_plain = headers.get("content-encoding", "identity") == "identity"
        if is_plain:
            self._lease.check_body(length)
        size = 0
        async for part in self._pieces():
            size += len(part)
            if max(size, self._exchange.bytes_in) > self._most:  # what gives nothing is endless all the same
                raise self._too_large(f"more than {self._most:,} bytes")
            self._lease.take_body(len(part))
            if part:
                yield part

    async def unlimited(self) -> AsyncIterator[bytes]:
        """Give a body of any size in parts, for who keeps none of them.

        Raises:
            Problem: If it is too slow, or not what its content-encoding says.
        """
        async for part in self._pieces():
            if part:
                yield part

    async def _pieces(self) -> AsyncIterator[bytes]:
        """Give the body in parts; an empty one for compressed bytes that gave nothing."""
        encoding = self._exchange.headers.get("content-encoding", "identity").strip().lower()
        if encoding in ("identity", ""):
            async for part in self._exchange.parts():
                yield part
            return
        decompress = _decompressor(encoding, self._lease)
        size = 0
        async for part in self._exchange.parts():
            for begin in range(0, len(part), SLICE):
                for piece in chain(decompress.feed(part[begin : begin + SLICE]), (b"",)):
                    size += len(piece)
                    yield piece
                    if size > BREATHE:
                        size = 0
                        await asyncio.sleep(0)
                size += SLICE
        if not decompress.is_whole:
            raise Problem(Kind.INVALID_JSON, f"The body ends in the middle of its {encoding}.")

    def _too_large(self, found: str) -> Problem:
        return Problem(
            Kind.TOO_LARGE,
            f"The body has {found}; this server takes {self._most:,} after decompression (--max-body-bytes). Send "
            f"fewer texts at once, or stream them.",
        )


def unlimited(request: Request) -> AsyncIterator[bytes]:
    """Give a body of any length in parts, for handlers that work on it part by part and keep none.

    Raises:
        Problem: If it is too slow, or not what its content-encoding says.
    """
    return cast("BodyReader", request.read).unlimited()


class _Decompressor(Protocol):
    is_whole: bool

    def feed(self, data: bytes) -> Iterator[bytes]: ...


def _decompressor(encoding: str, lease: Lease) -> _Decompressor:
    if encoding in ("gzip", "x-gzip"):
        return _Gzip(lease)
    if encoding == "zstd":
        return _Zstd(lease)
    raise Problem(
        Kind.MEDIA_TYPE,
        f"content-encoding is {encoding[:80]!r}; this server reads one of: {ENCODINGS}; once, not nested.",
    )


class _Members:
    """Counts the members of a gzip, or frames of a zstd: each costs microseconds, and 20 bytes of body are enough."""

    def __init__(self) -> None:
        self.size = 0  # bytes that came out of them
        self._count = 0

    def add(self) -> None:
        """Begin one.

        Raises:
            Problem: If there are too many that hold too little.
        """
        self._count += 1
        if self._count > MOST_MEMBERS + self.size // 1024:
            raise Problem(
                Kind.INVALID_JSON,
                f"The body is compressed in more than {MOST_MEMBERS:,} pieces of less than 1 KiB; compress it as one.",
            )


class _Gzip:
    def __init__(self, lease: Lease) -> None:
        lease.hold(GZIP_BYTES)
        self._inflate = zlib.decompressobj(GZIP)
        self._members = _Members()
        self.is_whole = False  # no member is open

    def feed(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._inflate.eof:  # one member after another is gzip too
                self._members.add()
                self._inflate = zlib.decompressobj(GZIP)
            try:
                piece = self._inflate.decompress(data, STEP)
            except zlib.error as error:
                raise Problem(Kind.INVALID_JSON, f"The body is no valid gzip: {error}.") from None
            data = self._inflate.unconsumed_tail or self._inflate.unused_data
            if piece:
                self._members.size += len(piece)
                yield piece
            while not data and len(piece) == STEP:  # what zlib holds back beyond STEP, all input read
                piece = self._inflate.decompress(b"", STEP)
                if piece:
                    self._members.size += len(piece)
                    yield piece
        self.is_whole = self._inflate.eof


class _Zstd:
    def __init__(self, lease: Lease) -> None:
        self._lease = lease
        self._held = 0
        self._frame: zstd.ZstdDecompressor | None = None
        self._frames = _Members()
        self.is_whole = False  # no frame is open

    def feed(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._frame is None or self._frame.eof:
                self._frame = self._next_frame(data)
            yield from self._pieces(self._frame, data)
            data = self._frame.unused_data if self._frame.eof else b""
        self.is_whole = self._frame is not None and self._frame.eof

    def _pieces(self, frame: zstd.ZstdDecompressor, data: bytes) -> Iterator[bytes]:
        while True:
            try:
                piece = frame.decompress(data, STEP)
            except zstd.ZstdError as error:
                raise Problem(Kind.INVALID_JSON, f"The body is no valid zstd: {error}.") from None
            if piece:
                self._frames.size += len(piece)
                yield piece
            if frame.eof or frame.needs_input:
                return
            data = b""  # the frame keeps what it has not read

    def _next_frame(self, head: bytes) -> zstd.ZstdDecompressor:
        self._frames.add()
        window = min(_window_of(head), ZSTD_WINDOW)
        if window > self._held:
            self._lease.take(window - self._held)
            self._held = window
        return zstd.ZstdDecompressor(options=ZSTD_OPTIONS)


def _window_of(head: bytes) -> int:
    """Give the bytes that a frame of zstd makes its reader keep, or its size where that is less.

    Source:
        RFC 8878, 3.1.1.1: the descriptor of the window is there where the content is no single segment.
    """
    try:
        size = zstd.get_frame_info(head).decompressed_size
    except zstd.ZstdError:  # the head is not whole, or none
        return ZSTD_WINDOW
    if head[4] & 0x20:
        return ZSTD_WINDOW if size is None else size
    exponent, mantissa = divmod(head[5], 8)
    window = (1 << (10 + exponent)) * (8 + mantissa) // 8
    return window if size is None else min(size, window)
