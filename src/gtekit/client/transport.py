"""Sends requests over pooled connections, several at once, and again where that helps: the synchronous one."""

import os
from collections.abc import Callable
from threading import Event, Lock
from typing import TYPE_CHECKING

from gtekit.client.connection import CONNECT_S, Connection, unreachable
from gtekit.client.refusals import given_up, refusal
from gtekit.client.retries import AGAIN, Patience
from gtekit.client.wire import Ask, Reply
from gtekit.errors import ArgumentError, MissingExtraError

if TYPE_CHECKING:
    from concurrent.futures import Future

    import httpx

Make = Callable[[int], Ask]
Take = Callable[[int, Reply], None]  # the place of a request in its list, and its answer


class Transport:
    """Connections to one server. Safe to use from several threads, and after a fork."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = Lock()
        self._pools: dict[int, httpx.Client] = {}  # by process: a fork must not share sockets with its parent
        self._is_closed = False

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            self._is_closed = True
            pool = self._pools.pop(os.getpid(), None)
        if pool is not None:
            pool.close()

    def ask_all(self, count: int, make: Make, take: Take, stop: Event | None = None, *, in_turn: bool = False) -> None:
        """Send requests, several at once, and give each answer to `take`, on the calling thread, as they come.

        Args:
            count: How many requests.
            make: Makes the one of a place, when its turn has come; called on several threads.
            take: Gets the place of a request and its answer.
            stop: Once set, from another thread, what was not sent is given up.
            in_turn: One at a time, on the calling thread.

        Raises:
            GtekitError: As the first answer that is no success says; nothing more is sent then.
        """
        from concurrent.futures import CancelledError, ThreadPoolExecutor, as_completed

        end = stop or Event()

        def one(place: int) -> Reply:
            if end.is_set():
                raise CancelledError
            return self.ask(make(place), end)

        if count <= 1 or in_turn:
            for place in range(count):
                take(place, one(place))
            return
        workers = ThreadPoolExecutor(min(self._connection.connections, count), "gtekit-client")
        try:
            coming: dict[Future[Reply], int] = {workers.submit(one, place): place for place in range(count)}
            for done in as_completed(list(coming)):
                take(coming.pop(done), done.result())
        except BaseException:
            end.set()
            raise
        finally:
            workers.shutdown(cancel_futures=True)

    def ask(self, ask: Ask, stop: Event | None = None) -> Reply:
        """Send one request, again where it was refused for the moment, and give its answer.

        Raises:
            GtekitError: As an answer that is no success says.
            EndpointError: If no answer comes.
        """
        import httpx

        stop = stop or Event()
        patience = Patience(self._connection.retries, self._connection.timeout_s)
        while True:
            failure: Exception
            headers = None
            try:
                answer = self._send(ask, patience.left_s)
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
            if stop.wait(pause_s):
                raise failure

    def _send(self, ask: Ask, left_s: float) -> "httpx.Response":
        import httpx

        left_s = max(left_s, 0.001)
        return self._pool().request(
            "GET" if ask.body is None else "POST",
            self._connection.address + ask.path,
            content=self._connection.body(ask),
            headers=self._connection.headers_of(ask, left_s),
            timeout=httpx.Timeout(left_s, connect=min(left_s, CONNECT_S)),
        )

    def _pool(self) -> "httpx.Client":
        with self._lock:
            if self._is_closed:
                raise ArgumentError("this Client is closed; make a new one.")
            pool = self._pools.get(os.getpid())
            if pool is None:
                import httpx

                limits = httpx.Limits(max_connections=None, max_keepalive_connections=self._connection.connections)
                pool = self._pools[os.getpid()] = httpx.Client(limits=limits)
            return pool


def need_httpx() -> None:
    """Make sure that httpx is there.

    Raises:
        MissingExtraError: If it is not.
    """
    try:
        import httpx  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("a Client", "client", "httpx") from error
