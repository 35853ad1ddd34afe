"""Sends requests over pooled connections, several at once, and again where that helps: the one for asyncio."""

import os
from typing import TYPE_CHECKING

from gtekit.client.connection import CONNECT_S, Connection, unreachable
from gtekit.client.refusals import given_up, refusal
from gtekit.client.retries import AGAIN, Patience
from gtekit.client.transport import Make, Take
from gtekit.client.wire import Ask, Reply
from gtekit.errors import ArgumentError

if TYPE_CHECKING:
    import asyncio

    import httpx


class AsyncTransport:
    """Connections to one server, for each event loop its own. asyncio is imported late: it costs 20 ms."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._pool: httpx.AsyncClient | None = None
        self._owner: tuple[int, asyncio.AbstractEventLoop] | None = None  # process and loop that the pool belongs to
        self._is_closed = False

    async def close(self) -> None:
        """Close all connections."""
        import asyncio

        self._is_closed = True
        pool, self._pool = self._pool, None
        if pool is not None and self._owner == (os.getpid(), asyncio.get_running_loop()):
            await pool.aclose()

    async def ask_all(self, count: int, make: Make, take: Take, *, in_turn: bool = False) -> None:
        """Send requests, several at once or each `in_turn`, and give each answer to `take` as they come.

        Where one fails or the caller is cancelled, the others are cancelled too, and their connections closed.

        Raises:
            GtekitError: As the first answer that is no success says.
        """
        import asyncio

        if count <= 1 or in_turn:
            for place in range(count):
                take(place, await self.ask(make(place)))
            return
        turns = asyncio.Semaphore(self._connection.connections)

        async def one(place: int) -> None:
            async with turns:
                take(place, await self.ask(make(place)))

        tasks = [asyncio.ensure_future(one(place)) for place in range(count)]
        try:
            await asyncio.gather(*tasks)
        except BaseException:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            raise

    async def ask(self, ask: Ask) -> Reply:
        """Send one request, again where it was refused for the moment, and give its answer.

        Raises:
            GtekitError: As an answer that is no success says.
            EndpointError: If no answer comes.
        """
        import asyncio

        import httpx

        patience = Patience(self._connection.retries, self._connection.timeout_s)
        while True:
            failure: Exception
            headers = None
            try:
                answer = await self._send(ask, patience.left_s)
            except httpx.RequestError as error:  # also an answer whose gzip is broken
                failure = unreachable(self._connection, error, patience.tries + 1)
            else:
                if answer.status_code == 200:
                    return Reply(answer.headers, answer.content)
                failure = refusal(answer.status_code, answer.headers, answer.content, self._connection.address)
                if answer.status_code not in AGAIN:
                    raise failure
                headers = answer.headers
            pause_s = patience.pause_s(headers)
            if pause_s is None:
                raise failure if headers is None else given_up(failure, patience)
            await asyncio.sleep(pause_s)

    async def _send(self, ask: Ask, left_s: float) -> "httpx.Response":
        import httpx

        left_s = max(left_s, 0.001)
        return await self._connections().request(
            "GET" if ask.body is None else "POST",
            self._connection.address + ask.path,
            content=self._connection.body(ask),
            headers=self._connection.headers_of(ask, left_s),
            timeout=httpx.Timeout(left_s, connect=min(left_s, CONNECT_S)),
        )

    def _connections(self) -> "httpx.AsyncClient":
        import asyncio

        if self._is_closed:
            raise ArgumentError("this AsyncClient is closed; make a new one.")
        owner = (os.getpid(), asyncio.get_running_loop())
        if self._pool is None or self._owner != owner:
            import httpx

            # what another loop or process opened is left to it: a socket can't be shared
            limits = httpx.Limits(max_connections=None, max_keepalive_connections=self._connection.connections)
            self._pool, self._owner = httpx.AsyncClient(limits=limits), owner
        return self._pool
