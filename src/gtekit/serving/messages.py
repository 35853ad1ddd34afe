"""A request as handlers see it, and the answer that they give: nothing of HTTP but these types reaches a dialect."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from gtekit.serving.keys import Key
    from gtekit.serving.memory import Lease

Header = tuple[str, str]
JSON = "application/json"
NDJSON = "application/x-ndjson"
OCTETS = "application/octet-stream"


class Disconnect:
    """Tells whoever works for a request that nobody waits for the answer any more. Used on the event loop alone."""

    def __init__(self) -> None:
        self.is_gone = False
        self._callbacks: list[Callable[[], None]] = []

    def on_gone(self, callback: Callable[[], None]) -> None:
        """Run `callback` once the client has hung up; at once where it has."""
        if self.is_gone:
            callback()
        else:
            self._callbacks.append(callback)

    def forget(self, callback: Callable[[], None]) -> None:
        """Run a callback no more: a stream of many jobs must not keep those that are answered."""
        if callback in self._callbacks:
            self._callbacks.remove(callback)

    def set(self) -> None:
        """Say that the client has hung up."""
        if not self.is_gone:
            self.is_gone = True
            callbacks, self._callbacks = self._callbacks, []
            for callback in callbacks:
                callback()


@dataclass(slots=True, kw_only=True)
class Request:
    """One HTTP request, its headers in, its body perhaps still on the way."""

    method: str
    path: str
    query: str  # what follows the question mark, not decoded
    headers: Mapping[str, str]  # names in lower case
    request_id: str  # of the client where it sent a harmless one, ours otherwise
    client: str  # address of the other end
    key: "Key | None" = None  # whose key it was, where keys are used
    deadline: float | None = None  # of time.monotonic(), as the client's header says
    disconnect: Disconnect = field(default_factory=Disconnect)
    lease: "Lease | None" = None  # takes what vectors and answers need from the memory of all requests
    read: Callable[[], AsyncIterator[bytes]]  # the body as it comes: decompressed, never above the limits

    async def body(self) -> bytes:
        """Give the whole body.

        Raises:
            Problem: If it is too large, too slow, or not what its content-encoding says.
        """
        parts = [part async for part in self.read()]
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def header(self, name: str, default: str = "") -> str:
        """Give a header, by its name in lower case."""
        return self.headers.get(name, default)


@dataclass(slots=True)
class Response:
    """An answer: a body at once, or parts as they come."""

    status: int = 200
    body: bytes | AsyncIterator[bytes] = b""
    content_type: str = JSON
    headers: Sequence[Header] = ()


@dataclass(slots=True, kw_only=True)
class Account:
    """What a request has cost, for logs, metrics and the limits of its key. Filled by handlers."""

    model: str = ""
    lane: Literal["", "interactive", "bulk"] = ""
    texts: int = 0
    tokens: int = 0
    truncated: int = 0
    cached: int = 0
    deduplicated: int = 0
    tokenization_s: float = 0.0
    queue_s: float = 0.0
    inference_s: float = 0.0
