"""All connections of a server: what they share, and somebody who looks at the clock for them.

A timer for each request would cost as much as parsing it does.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import TYPE_CHECKING, Any, Final

from gtekit.serving.exchange import Exchange
from gtekit.serving.problems import Problem
from gtekit.serving.protocol import HttpConnection

if TYPE_CHECKING:
    from gtekit.serving.settings import ServerSettings

SECURITY_HEADERS: Final = (
    b"x-content-type-options: nosniff\r\ncache-control: no-store\r\nreferrer-policy: no-referrer\r\n"
)


@dataclass(slots=True, kw_only=True)
class Connections:
    """What all connections of a server share."""

    settings: "ServerSettings"
    handle: Callable[[Exchange], Coroutine[Any, Any, None]]  # answers one exchange
    refuse: Callable[[Problem], tuple[int, str, bytes]]  # status, headers and body for what is no request at all
    open: set["HttpConnection"] = field(default_factory=set)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    is_draining: bool = False
    headers: bytes = SECURITY_HEADERS

    def look_after(self) -> None:
        """Renew the date, and end what has taken too long. To be called several times a second."""
        self.headers = SECURITY_HEADERS + f"date: {formatdate(usegmt=True)}\r\n".encode()
        now = time.monotonic()
        for connection in tuple(self.open):
            try:
                connection.look_after(now)
            except Exception as error:  # of one: it must not end the time-outs of all others
                connection.transport.abort()
                asyncio.get_running_loop().call_exception_handler(
                    {"message": "A connection could not be looked after.", "exception": error}
                )

    def drain(self) -> None:
        """Close each connection after the next answer."""
        self.is_draining = True
        for connection in tuple(self.open):
            connection.drain_connection()

    @property
    def is_busy(self) -> bool:
        """Whether something is being answered, or an answer not sent to its end."""
        return bool(self.tasks) or any(connection.is_finishing for connection in self.open)

    def give_up(self) -> None:
        """End all requests under way."""
        for task in tuple(self.tasks):
            task.cancel()
