"""Where a server is and how it is asked: what the synchronous and the asynchronous transport have in common."""

import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from gtekit.client.wire import JSON, Ask
from gtekit.errors import ArgumentError, EndpointError
from gtekit.inputs import check_count
from gtekit.version import __version__

KEY_VARIABLE = "GTEKIT_API_KEY"
COMPRESS_BYTES = 1024  # smaller bodies go as they are
LONGEST_TIMEOUT_S = 86_400.0
CONNECT_S = 5.0  # for a connection to be made; the rest of the time is for the answer

Priority = Literal["interactive", "bulk"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """How a server is asked. The key is in no repr."""

    address: str
    model: str | None
    timeout_s: float
    retries: int
    connections: int
    compress: bool
    headers: Mapping[str, str] = field(repr=False)

    def body(self, ask: Ask) -> bytes | None:
        """Give the body as it is sent."""
        if ask.body is not None and self._compresses(ask):
            import gzip

            return gzip.compress(ask.body, 1, mtime=0)
        return ask.body

    def headers_of(self, ask: Ask, left_s: float) -> dict[str, str]:
        """Give the headers of one try, which has so many seconds."""
        headers = {**self.headers, "accept": ask.accept, "x-timeout-ms": str(max(int(left_s * 1000), 1))}
        if ask.accept != JSON:
            headers["accept-encoding"] = "identity"  # float32 hardly gets smaller: 7 % with gzip
        if ask.body is not None:
            headers["content-type"] = JSON
            if self._compresses(ask):
                headers["content-encoding"] = "gzip"
        return headers

    def _compresses(self, ask: Ask) -> bool:
        return self.compress and ask.body is not None and len(ask.body) >= COMPRESS_BYTES


def read_connection(
    base_url: str,
    *,
    model: str | None,
    api_key: str | None,
    timeout_s: float,
    retries: int,
    connections: int,
    compress: bool,
    priority: Priority | None,
) -> Connection:
    """Check how a server is to be asked. Nothing is sent yet.

    Raises:
        ArgumentError: If a value is not possible.
    """
    check_count("retries", retries, least=0)
    check_count("connections", connections, most=256)
    if not isinstance(timeout_s, int | float) or not math.isfinite(timeout_s) or not 0 < timeout_s <= LONGEST_TIMEOUT_S:
        raise ArgumentError(f"timeout_s={timeout_s!r} is not possible; choose seconds, above 0 and up to 86,400.")
    if priority not in (None, "interactive", "bulk"):
        raise ArgumentError(f"priority={priority!r} is not possible; choose from: None, 'interactive', 'bulk'.")
    headers = {"user-agent": f"gtekit/{__version__}"}
    key = os.environ.get(KEY_VARIABLE) if api_key is None else api_key
    if key:
        if not re.fullmatch(r"[\x21-\x7e]+", key):
            where = f"the environment variable {KEY_VARIABLE}" if api_key is None else "api_key"
            raise ArgumentError(
                f"{where} holds something that is no key: a space, a line end or a letter beyond ASCII."
            )
        headers["authorization"] = f"Bearer {key}"
    if priority is not None:
        headers["x-priority"] = priority
    return Connection(
        address=_read_address(base_url),
        model=model,
        timeout_s=float(timeout_s),
        retries=retries,
        connections=connections,
        compress=compress,
        headers=headers,
    )


def _read_address(base_url: str) -> str:
    try:
        parts = urlsplit(base_url)
        is_address = (
            parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
        )
    except (ValueError, TypeError, AttributeError):
        is_address = False
    if not is_address:
        raise ArgumentError(f"base_url={base_url!r} is no address of a server; it looks like http://127.0.0.1:8080.")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ArgumentError(
            "base_url holds more than an address: no user, password, '?' or '#'; a key goes to api_key."
        )
    address = base_url.rstrip("/")
    if parts.path.rstrip("/").endswith(("/v1", "/v2")):
        raise ArgumentError(
            f"base_url={base_url!r} is the address for clients of other makers; a Client takes it without the "
            f"{address[-3:]}: {address[:-3]!r}."
        )
    return address


def unreachable(connection: Connection, error: Exception, tries: int) -> EndpointError:
    """Say that no answer came, and what to do."""
    import httpx

    asked = "once" if tries == 1 else f"{tries} times"
    what = str(error) or type(error).__name__
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        return EndpointError(
            f"{connection.address}: can't be reached (asked {asked}: {what}). Is the server running, and is this its "
            "address? `gtekit serve` says where it listens."
        )
    if isinstance(error, httpx.TimeoutException):
        return EndpointError(
            f"{connection.address}: no answer within {connection.timeout_s:g} s (asked {asked}). Raise timeout_s, send "
            "less at once, or see whether the server is busy: /metrics."
        )
    return EndpointError(
        f"{connection.address}: the connection broke before the answer was whole (asked {asked}: {what}). Is the "
        "server still running? Its log says why it ended; asking again is safe."
    )
