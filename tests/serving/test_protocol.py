"""HTTP as it comes over a socket: order, limits and time."""

import io
import socket
import struct
import threading
import time
from typing import Any

import httpx
import pytest

from gtekit.serving.messages import Account, Request, Response
from gtekit.serving.protocol import MOST_HEADERS
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


def test_who_speaks_http_2_without_asking_is_told_that_this_is_http_1_1(server: RunningServer) -> None:
    with Wire(server.port) as wire:
        answer = wire.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9)).receive()
    assert answer.status == 400
    assert answer.json["error"]["message"].startswith("This is HTTP/2, begun without asking; this server speaks HTTP/1")


def test_headers_that_come_too_slowly_are_refused_with_the_setting(start_server: StartServer) -> None:
    with Wire(start_server(**SHORT).port) as wire:
        answer = wire.send(b"GET /live HTTP/1.1\r\n").receive()
    assert answer.status == 408
    assert "0.3 seconds (--header-timeout-s)" in answer.json["error"]["message"]


def test_a_request_to_be_a_proxy_is_refused_as_one(server: RunningServer) -> None:
    with Wire(server.port) as wire:
        answer = wire.send(b"CONNECT example.org:443 HTTP/1.1\r\nhost: example.org:443\r\n\r\n").receive()
    assert (answer.status, answer.headers["allow"]) == (405, "")
    assert "no proxy" in answer.json["error"]


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


@pytest.mark.parametrize("name", ["x-{}", "x"])
def test_more_headers_than_anybody_sends_get_431(server: RunningServer, name: str) -> None:
    headers = [f"{name.format(number)}: a" for number in range(MOST_HEADERS)]
    with Wire(server.port) as wire:
        assert wire.send(get("/live", *headers[1:])).receive().status == 200  # with host: as many as are allowed
        answer = wire.send(get("/live", *headers)).receive()
        assert answer.status == 431
        assert "100 headers" in answer.json["error"]["message"]
        assert wire.is_closed()


@pytest.mark.parametrize("header", [b"a:\r\n", b"a: " + b"b" * 3000 + b"\r\n"])
def test_headers_beyond_the_limits_are_not_even_parsed(start_server: StartServer, header: bytes) -> None:
    server = start_server()
    most = server.state.settings.max_header_bytes
    with Wire(server.port) as wire:
        wire.send(b"GET /live HTTP/1.1\r\nhost: a\r\n" + header * (200_000 // len(header)))
        connections: Any = server.server._connections
        until(lambda: any(connection._problem for connection in connections.open))
        (connection,) = connections.open
        assert connection._head_count <= MOST_HEADERS + 1
        assert connection._head_bytes <= most + len(header)
        assert wire.receive().status == 431


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


SIZE = 20_000_000


async def large(request: Request, state: Any, account: Account) -> Response:
    return Response(body=bytes(SIZE))


LARGE = Route(method="GET", path="/large", dialect=PLAIN, handler=large, summary="")


def test_nothing_is_written_to_a_client_that_is_cut_off(
    start_server: StartServer, caplog: pytest.LogCaptureFixture
) -> None:
    slow = start_server(routes=(LARGE,), body_timeout_s=0.1)
    with Wire(slow.port) as wire:
        wire.send(get("/large"))
        until(lambda: slow.state.metrics.requests_in_flight == 1)
        until(lambda: slow.state.metrics.requests_in_flight == 0)
    assert "socket.send()" not in caplog.text  # asyncio's complaint


def test_who_reads_the_answer_slowly_but_steadily_gets_all_of_it(start_server: StartServer) -> None:
    slow = start_server(routes=(LARGE,), body_timeout_s=0.2)
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
        connection.connect(("127.0.0.1", slow.port))
        connection.sendall(get("/large", "connection: close"))
        received, end = 0, time.monotonic() + 2.0
        while time.monotonic() < end:
            received += len(connection.recv(8000))  # 200 kB a second: too little to empty what the kernel holds
            time.sleep(0.04)
        assert slow.state.metrics.requests_in_flight == 1
        while part := connection.recv(1_000_000):
            received += len(part)
    assert received > SIZE


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
            assert (answer.json["error"]["type"], answer.json["error"]["code"]) == ("server_error", "unavailable")
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
