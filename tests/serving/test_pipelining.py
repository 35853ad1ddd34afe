"""Requests of one connection that come before the answers to those before them."""

import asyncio
import threading
from typing import Any

import numpy as np

from gtekit import Embedder
from gtekit.serving.messages import Account, Request, Response
from gtekit.serving.protocol import HEADER_MEMORY, MOST_HEADERS, MOST_PIPELINED, WAITING_WATER
from gtekit.serving.route_table import PLAIN
from gtekit.serving.routes import Route
from tests.serving.conftest import RunningServer, StartServer, until
from tests.serving.sockets import Wire, get, post

HELLO = b'{"input":"hello"}'


def open_connections(server: RunningServer) -> tuple[Any, ...]:
    connections = server.server._connections
    assert connections is not None
    return tuple(connections.open)


def test_pipelined_requests_are_answered_in_their_order(server: RunningServer, minilm: Embedder) -> None:
    texts = ["a", "b longer text " * 40, "c", "d"]
    with Wire(server.port) as wire:
        wire.send(b"".join(post("/embed", f'{{"inputs":"{text}"}}'.encode()) for text in texts))
        answers = [wire.receive() for _ in texts]
    assert [answer.status for answer in answers] == [200] * 4
    found = np.array([answer.json[0] for answer in answers], np.float32)
    np.testing.assert_array_equal(found, minilm.encode(texts))


def test_a_pipelined_request_that_is_no_http_is_refused_after_the_answers_before_it(server: RunningServer) -> None:
    with Wire(server.port) as wire:
        wire.send(post("/v1/embeddings", HELLO) + get("/live") + b"nonsense\r\n\r\n")
        assert [wire.receive().status for _ in range(3)] == [200, 200, 400]
        assert wire.is_closed()


def test_more_pipelined_requests_than_wait_are_refused(server: RunningServer) -> None:
    with Wire(server.port) as wire:
        wire.send(get("/live") * 80)
        statuses = [wire.receive().status for _ in range(MOST_PIPELINED + 2)]
    assert statuses == [200] * (MOST_PIPELINED + 1) + [400]


def test_bodies_that_wait_for_answers_before_theirs_are_left_with_the_client(start_server: StartServer) -> None:
    let_read, has_read, let_go = threading.Event(), threading.Event(), threading.Event()
    found: list[bool] = []

    async def wait(request: Request, state: Any, account: Account) -> Response:
        while not let_read.is_set():
            await asyncio.sleep(0.01)
        size = len(await request.body())
        found.extend(connection._is_reading_paused for connection in open_connections(busy))
        has_read.set()
        while not let_go.is_set():
            await asyncio.sleep(0.01)
        return Response(body=b"%d" % size)

    route = Route(method="POST", path="/wait", dialect=PLAIN, handler=wait, summary="")
    busy = start_server(routes=(route,))
    size, count = 200_000, 60
    with Wire(busy.port) as wire:
        sending = threading.Thread(target=wire.send, args=(post("/wait", b" " * size) * count,))
        sending.start()
        connection: Any
        until(lambda: any(connection._is_reading_paused for connection in open_connections(busy)))
        (connection,) = open_connections(busy)
        held = sum(exchange._buffered for exchange in connection._waiting)
        assert held <= WAITING_WATER + 262_144  # of the last packet
        let_read.set()
        assert has_read.wait(30)
        assert found == [True]  # who reads the first body does not let in more of the others
        let_go.set()
        assert [wire.receive().body for _ in range(count)] == [b"%d" % size] * count
        sending.join()
    until(lambda: not open_connections(busy))


class Gate:
    """A route that answers once it is let go."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.route = Route(method="POST", path="/wait", dialect=PLAIN, handler=self.wait, summary="")
        self.live = Route(method="GET", path="/here", dialect=PLAIN, handler=self.here, summary="")

    async def wait(self, request: Request, state: Any, account: Account) -> Response:
        while not self.go.is_set():
            await asyncio.sleep(0.01)
        return Response(body=b"waited")

    async def here(self, request: Request, state: Any, account: Account) -> Response:
        return Response(body=b"here")


def test_headers_that_wait_for_answers_before_theirs_are_left_with_the_client(start_server: StartServer) -> None:
    gate = Gate()
    busy = start_server(routes=(gate.route, gate.live))
    request = get("/here", *[f"x-{number}: a" for number in range(MOST_HEADERS - 1)])
    count = MOST_PIPELINED
    with Wire(busy.port) as wire:
        wire.send(post("/wait", b""))
        until(lambda: busy.state.metrics.requests_in_flight == 1)
        (connection,) = open_connections(busy)
        for _ in range(count):  # apart, as they come where there is a network between
            known = len(connection._waiting)
            wire.send(request)
            until(lambda known=known: connection._is_reading_paused or len(connection._waiting) > known)  # type: ignore[misc]
        assert connection._is_reading_paused
        assert len(connection._waiting) <= 1 + WAITING_WATER // (HEADER_MEMORY * MOST_HEADERS)
        gate.go.set()
        assert [wire.receive().body for _ in range(1 + count)] == [b"waited"] + [b"here"] * count
    until(lambda: not open_connections(busy))


def test_requests_that_came_before_the_server_stops_are_all_answered(start_server: StartServer) -> None:
    gate = Gate()
    busy = start_server(routes=(gate.route, gate.live))
    with Wire(busy.port) as wire:
        wire.send(post("/wait", b"") + get("/here") * 2)
        until(lambda: any(len(connection._waiting) == 2 for connection in open_connections(busy)))
        busy.server.stop()
        until(lambda: busy.state.phase == "draining")
        gate.go.set()
        answers = [wire.receive() for _ in range(3)]
        assert [answer.body for answer in answers] == [b"waited", b"here", b"here"]
        assert ["connection" in answer.headers for answer in answers] == [False, False, True]
        assert wire.is_closed()
