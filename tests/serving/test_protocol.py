"""HTTP as it comes over a socket: order, limits and time."""

import asyncio
import io
import socket
import struct
import threading
import time
from typing import Any

import httpx
import numpy as np
import pytest

from gtekit import Embedder
from gtekit.serving.messages import Account, Request, Response
from gtekit.serving.protocol import WAITING_WATER
from gtekit.serving.route_table import PLAIN
from gtekit.serving.routes import Route
from tests.serving.conftest import RunningServer, StartServer, until
from tests.serving.sockets import Wire, get, post

HELLO = b'{"input":"hello"}'
JSON = {"content-type": "application/json"}
CHUNKED = (
    b"POST /v1/embeddings HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
)
SHORT: dict[str, Any] = {"header_timeout_s": 0.3, "body_timeout_s": 0.3, "keep_alive_s": 0.3}


def test_requests_on_one_connection_are_answered_in_turn(server: RunningServer) -> None:
    with Wire(server.port) as wire:
        for _ in range(3):
            assert wire.send(post("/v1/embeddings", HELLO)).receive().status == 200


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
        statuses = [wire.receive().status for _ in range(66)]
    assert statuses == [200] * 65 + [400]


def test_bodies_that_wait_for_answers_before_theirs_are_left_with_the_client(start_server: StartServer) -> None:
    let_read, has_read, let_go = threading.Event(), threading.Event(), threading.Event()
    found: list[bool] = []

    async def wait(request: Request, state: Any, account: Account) -> Response:
        while not let_read.is_set():
            await asyncio.sleep(0.01)
        size = len(await request.body())
        found.extend(connection._is_reading_paused for connection in _open(busy))
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
        until(lambda: any(connection._is_reading_paused for connection in _open(busy)))
        (connection,) = _open(busy)
        held = sum(exchange._buffered for exchange in connection._waiting)
        assert held <= WAITING_WATER + 262_144  # of the last packet
        let_read.set()
        assert has_read.wait(30)
        assert found == [True]  # who reads the first body does not let in more of the others
        let_go.set()
        assert [wire.receive().body for _ in range(count)] == [b"%d" % size] * count
        sending.join()
    until(lambda: not _open(busy))


def _open(server: RunningServer) -> tuple[Any, ...]:
    connections = server.server._connections
    assert connections is not None
    return tuple(connections.open)


def test_a_request_in_single_bytes_is_answered(server: RunningServer) -> None:
    with Wire(server.port) as wire:
        wire.trickle(post("/v1/embeddings", HELLO), pause_s=0.0)
        assert wire.receive().status == 200


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",  # no host
        b"GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n",
        b"GET / HTTP/9.9\r\nhost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost : a\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: a\r\n x: folded\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nhost: a\r\n\r\n",
        b"POST /embed HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /embed HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n",
        b"POST /embed HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello!",
        b"POST /embed HTTP/1.1\r\nhost: a\r\ncontent-length: -5\r\n\r\n",
        b"POST /embed HTTP/1.1\r\nhost: a\r\ncontent-length: 5, 5\r\n\r\nhello",
        b"POST /embed HTTP/1.1\r\nhost: a\r\ncontent-length: 99999999999999999999999999\r\n\r\n",
        b"POST /embed HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"POST /embed HTTP/1.1\r\nhost: a\r\ntransfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
        b"POST /embed HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /embed HTTP/1.0\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET /live\r\n\r\n",  # HTTP/0.9
        b"GET /live HTTP/0.9\r\nhost: a\r\n\r\n",
        b"GET /live HTTP/2.0\r\nhost: a\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS
    ],
)
def test_what_is_no_request_gets_400_in_json_and_the_connection_is_closed(
    server: RunningServer, request_bytes: bytes
) -> None:
    with Wire(server.port) as wire:
        answer = wire.send(request_bytes).receive()
        assert (answer.status, answer.headers["connection"]) == (400, "close")
        assert answer.json["error"]["message"]
        assert answer.headers["x-request-id"]
        assert wire.is_closed()


def test_who_speaks_tls_is_told_that_this_is_plain_http(server: RunningServer) -> None:
    with Wire(server.port) as wire:
        answer = wire.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03").receive()
    assert "http://" in answer.json["error"]["message"]


def test_a_request_hidden_behind_two_lengths_is_never_answered(server: RunningServer) -> None:
    hidden = get("/live")
    with Wire(server.port) as wire:
        wire.send(post("/embed", b"0\r\n\r\n" + hidden, "transfer-encoding: chunked"))
        rest = wire.rest()
    assert rest.startswith(b"HTTP/1.1 400 ")
    assert rest.count(b"HTTP/1.1") == 1


def test_a_chunk_that_is_none_is_refused_in_the_words_of_its_route(server: RunningServer) -> None:
    with Wire(server.port) as wire:
        wire.send(
            b"POST /embed HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n"
        )
        answer = wire.send(b"\r\n5\r\nhello\r\nzz\r\n").receive()
    assert (answer.status, answer.json["error_type"]) == (422, "Validation")


def test_a_chunked_body_is_read(server: RunningServer) -> None:
    with Wire(server.port) as wire:
        wire.send(CHUNKED)
        for byte in HELLO:
            wire.send(b"1;name=value\r\n%c\r\n" % byte)
        assert wire.send(b"0\r\nx-trailer: a\r\n\r\n").receive().status == 200
        assert wire.send(get("/live")).receive().status == 200


@pytest.mark.parametrize("part", ["target", "header", "headers"])
def test_headers_that_are_too_long_get_431(server: RunningServer, part: str) -> None:
    most = server.state.settings.max_header_bytes
    request = {
        "target": b"GET /" + b"a" * most,
        "header": b"GET / HTTP/1.1\r\nhost: a\r\nx: " + b"a" * most,
        "headers": b"GET / HTTP/1.1\r\nhost: a\r\n" + b"".join(b"x-%d: a\r\n" % i for i in range(most // 8)),
    }[part]
    with Wire(server.port) as wire:
        assert wire.send(request).receive().status == 431
    end = b" HTTP/1.1\r\nhost: a\r\n\r\n" if part == "target" else b"\r\n\r\n"
    with Wire(server.port) as wire:
        assert wire.send(request.removesuffix(b"\r\n") + end).receive().status == 431


@pytest.mark.parametrize("ending", [b"5;" + b"x" * 400_000, b"0\r\nx: " + b"x" * 400_000])
def test_chunk_extensions_and_trailers_without_end_are_refused(server: RunningServer, ending: bytes) -> None:
    with Wire(server.port) as wire:
        wire.send(CHUNKED)
        assert wire.send(ending).receive().status in (400, 431)


def test_headers_that_come_a_byte_at_a_time_get_408(start_server: StartServer) -> None:
    slow = start_server(**SHORT)
    with Wire(slow.port) as wire:
        wire.trickle(get("/live")[:25])
        assert wire.receive().status == 408
        assert wire.is_closed()


def test_a_connection_that_says_nothing_is_closed(start_server: StartServer) -> None:
    slow = start_server(**SHORT)
    with Wire(slow.port) as wire:
        assert wire.rest() == b""
    with Wire(slow.port) as wire:
        assert wire.send(get("/live")).receive().status == 200
        assert wire.rest() == b""


def test_a_body_that_stops_gets_408_in_the_words_of_its_route(start_server: StartServer) -> None:
    slow = start_server(**SHORT)
    with Wire(slow.port) as wire:
        answer = wire.send(post("/v1/embeddings", HELLO[:5], length=len(HELLO))).receive()
        assert answer.status == 408
        assert "--body-timeout-s" in answer.json["error"]["message"]
        assert wire.is_closed()


def test_a_body_that_comes_a_byte_at_a_time_gets_408(start_server: StartServer) -> None:
    slow = start_server(**SHORT)
    with Wire(slow.port) as wire:
        wire.send(post("/v1/embeddings", b"", length=1000))
        trickling = threading.Thread(target=wire.trickle, args=(b" " * 200,))
        trickling.start()
        assert wire.receive().status == 408
        trickling.join()


def test_who_does_not_read_the_answer_is_cut_off(start_server: StartServer) -> None:
    slow = start_server(**SHORT)
    body = b'{"inputs":[' + b",".join([b'"' + b"word " * 250 + b'"'] * 12) + b"]}"  # some 14 MB of answer
    with Wire(slow.port) as wire:
        wire.send(post("/embed_all", body))
        until(lambda: slow.state.metrics.requests_in_flight == 1)
        until(lambda: slow.state.metrics.requests_in_flight == 0)
        with pytest.raises(ConnectionError):
            wire.receive()
    assert slow.state.metrics.held_bytes == 0


def test_vectors_that_nobody_reads_are_held_memory(start_server: StartServer) -> None:
    small = start_server(max_memory_bytes=6_000_000, max_texts=5000)
    metrics = small.state.metrics
    vectors = 2500 * 384 * 4
    body = b'{"input":[' + b",".join([b'"a"'] * 2500) + b"]}"
    with Wire(small.port) as slow:
        slow.send(post("/v1/embeddings", body))
        until(lambda: metrics.held_bytes >= vectors)
        assert httpx.post(f"{small.url}/v1/embeddings", content=body, headers=JSON).status_code == 429
        assert httpx.post(f"{small.url}/v1/embeddings", content=HELLO, headers=JSON).status_code == 200
        twice = body.replace(b"[", b'["b",' + b'"a",' * 2000)
        assert httpx.post(f"{small.url}/v1/embeddings", content=twice, headers=JSON).status_code == 413
        assert slow.receive().status == 200
    until(lambda: metrics.held_bytes == 0)


def test_a_connection_too_many_gets_503_and_the_others_go_on(start_server: StartServer) -> None:
    small = start_server(max_connections=2)
    with Wire(small.port) as one, Wire(small.port) as two:
        assert one.send(get("/live")).receive().status == 200
        assert two.send(get("/live")).receive().status == 200
        with Wire(small.port) as three:
            answer = three.receive()
            assert (answer.status, answer.headers["retry-after"]) == (503, "1")
            assert "--max-connections" in answer.json["error"]["message"]
        assert one.send(get("/live")).receive().status == 200
    until(lambda: small.state.metrics.connections == 0)
    with Wire(small.port) as four:
        assert four.send(get("/live")).receive().status == 200


def test_a_thousand_connections_are_all_answered(server: RunningServer) -> None:
    wires = [Wire(server.port) for _ in range(1000)]
    try:
        for wire in wires:
            wire.send(get("/live"))
        assert {wire.receive().status for wire in wires} == {200}
    finally:
        for wire in wires:
            wire.socket.close()


def test_a_refused_client_that_is_still_sending_gets_its_answer(server: RunningServer) -> None:
    size = server.state.settings.max_body_bytes + 1
    with Wire(server.port) as wire:
        wire.send(post("/v1/embeddings", b"", length=size))
        for _ in range(20):
            wire.send(b" " * 65_536)
        assert wire.receive().status == 413


def test_a_client_that_expects_100_is_told_to_go_on(server: RunningServer) -> None:
    with Wire(server.port) as wire:
        wire.send(post("/v1/embeddings", b"", "expect: 100-continue", length=len(HELLO)))
        assert wire.receive().status == 100
        assert wire.send(HELLO).receive().status == 200


def test_a_client_that_expects_100_is_refused_before_it_sends_its_body(server: RunningServer) -> None:
    with Wire(server.port) as wire:
        assert wire.send(post("/nowhere", b"", "expect: 100-continue", length=10**6)).receive().status == 404


def test_a_client_that_asks_for_http_2_is_answered_in_http_1(server: RunningServer) -> None:
    upgrade = ("connection: Upgrade, HTTP2-Settings", "upgrade: h2c", "http2-settings: AAMAAABkAAQAAP__")
    with Wire(server.port) as wire:  # what Java's HttpClient sends first
        assert wire.send(post("/v1/embeddings", HELLO, *upgrade)).receive().status == 200
        assert wire.send(get("/live", *upgrade)).receive().status == 200
        chunked = (*upgrade, "transfer-encoding: chunked")
        wire.send(get("/v1/embeddings", "content-type: application/json", *chunked).replace(b"GET", b"POST"))
        for byte in HELLO:
            wire.send(b"1\r\n%c\r\n" % byte)
        assert wire.send(b"0\r\n\r\n").receive().status == 200
        assert wire.send(post("/v1/embeddings", HELLO)).receive().status == 200


def test_http_1_0_is_answered_and_closed(server: RunningServer) -> None:
    with Wire(server.port) as wire:
        assert wire.send(b"GET /live HTTP/1.0\r\n\r\n").receive().status == 200
        assert wire.is_closed()


def test_head_has_the_headers_of_get_and_no_body(server: RunningServer) -> None:
    found = httpx.get(f"{server.url}/v1/models")
    head = httpx.head(f"{server.url}/v1/models")
    assert head.headers["content-length"] == found.headers["content-length"]
    assert head.content == b""


def test_who_hangs_up_during_the_upload_leaves_nothing_behind(server: RunningServer) -> None:
    with Wire(server.port) as wire:
        wire.send(post("/v1/embeddings", b'{"input":["' + b"a" * 100_000, length=10**7))
        until(lambda: server.state.metrics.held_bytes > 0)
    until(lambda: server.state.metrics.requests_in_flight == 0)
    assert server.state.metrics.held_bytes == 0


def test_who_hangs_up_while_it_waits_costs_no_more(start_server: StartServer) -> None:
    busy = start_server()
    scheduler = next(iter(busy.state.models or ())).scheduler
    texts = b",".join(b'"text %d %s"' % (i, b"word " * 200) for i in range(3000))
    with Wire(busy.port) as wire:
        wire.send(post("/v1/embeddings", b'{"input":[' + texts + b"]}"))
        until(lambda: scheduler.queued_tokens("bulk") > 0)
    until(lambda: busy.state.metrics.requests_in_flight == 0)
    until(lambda: scheduler.queued_tokens("bulk") == 0)
    started = time.monotonic()
    assert httpx.post(f"{busy.url}/embed", json={"inputs": "a"}).status_code == 200
    assert time.monotonic() - started < 20  # all 3,000 texts would take minutes


def test_clients_that_go_without_their_answer_are_no_failures_of_ours(start_server: StartServer) -> None:
    watched = start_server()
    written = io.StringIO()
    watched.server.log._stream = written  # of a log that is off: failures alone are written
    requests = [post("/nowhere", b"", length=10**6), b"nonsense\r\n\r\n", post("/v1/embeddings", HELLO), b"GET /"]
    for how in (0, 1) * 25:  # 0: the system resets when our answer comes; 1: at once
        for request in requests:
            wire = Wire(watched.port).send(request)
            wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", how, 0))
            wire.socket.close()
    until(lambda: watched.state.metrics.requests_in_flight == 0)
    watched.stop()
    assert written.getvalue() == ""
