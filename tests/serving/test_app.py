"""From a request to its answer: ids, routes, keys, deadlines, failures, and what is logged and counted."""

import asyncio
import io
import json
import re
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from gtekit.serving.key_file import add_key
from gtekit.serving.keys import Key, sha256_of
from gtekit.serving.logs import RequestLog
from gtekit.serving.messages import Account, Request, Response
from gtekit.serving.problems import Kind, Problem
from gtekit.serving.route_table import PLAIN
from gtekit.serving.routes import Handler, Route
from tests.serving.conftest import RunningServer, StartServer, until
from tests.serving.sockets import Wire, get, post

if TYPE_CHECKING:
    from gtekit.serving.state import State

SECRET = "the text of a client"
LARGE = 20_000_000  # bytes: more than sockets hold


async def echo(request: Request, state: "State", account: Account) -> Response:
    return Response(body=await request.body())


async def fail(request: Request, state: "State", account: Account) -> Response:
    raise ValueError(f"could not embed {SECRET}")


async def sleep(request: Request, state: "State", account: Account) -> Response:
    await asyncio.sleep(30)
    return Response()


async def overloaded(request: Request, state: "State", account: Account) -> Response:
    raise Problem(Kind.OVERLOADED, "too much", retry_after_s=2.3)


async def stream(request: Request, state: "State", account: Account) -> Response:
    async def parts() -> AsyncIterator[bytes]:
        yield b"one\n"
        if request.query == "fail":
            raise ValueError(SECRET)
        if request.query == "forever":
            await asyncio.get_running_loop().create_future()
        yield b"two\n"

    return Response(body=parts(), content_type="application/x-ndjson")


async def pace(request: Request, state: "State", account: Account) -> Response:
    async def parts() -> AsyncIterator[bytes]:
        for _ in range(8):
            await asyncio.sleep(0.1)
            yield b"."

    return Response(body=parts())


async def large(request: Request, state: "State", account: Account) -> Response:
    async def parts() -> AsyncIterator[bytes]:
        yield b"the first is sent, and held no more"
        yield bytes(LARGE)

    if request.query != "parts":
        assert request.lease is not None
        request.lease.hold(1000)  # what the answer was made of, which is gone when it is sent
    return Response(body=parts() if request.query == "parts" else bytes(LARGE), content_type="application/octet-stream")


async def path_of(request: Request, state: "State", account: Account) -> Response:
    return Response(body=request.path.encode())


def route(method: str, path: str, handler: Handler) -> Route:
    return Route(method=method, path=path, dialect=PLAIN, handler=handler, summary="")


ROUTES: Sequence[Route] = (
    route("POST", "/echo", echo),
    route("GET", "/fail", fail),
    route("GET", "/sleep", sleep),
    route("GET", "/overloaded", overloaded),
    route("GET", "/stream", stream),
    route("GET", "/pace", pace),
    route("GET", "/large", large),
    route("GET", "/models/{model}", path_of),
)


@pytest.fixture
def own(start_server: StartServer) -> RunningServer:
    return start_server(routes=ROUTES)


@pytest.mark.parametrize("sent", ["a", "A-1_b.c", "x" * 128])
def test_a_harmless_request_id_comes_back(server: RunningServer, sent: str) -> None:
    assert httpx.get(f"{server.url}/live", headers={"x-request-id": sent}).headers["x-request-id"] == sent


@pytest.mark.parametrize("sent", ["", "a b", "x" * 129, "a{b}", "a\tb", "a,b"])
def test_another_request_id_is_replaced(server: RunningServer, sent: str) -> None:
    found = httpx.get(f"{server.url}/live", headers={"x-request-id": sent}).headers["x-request-id"]
    assert len(found) == 32
    assert found != sent


@pytest.mark.parametrize(
    ("path", "keys"),
    [
        ("/v1/nothing", {"error"}),
        ("/v2/nothing", {"message", "id"}),
        ("/nothing", {"error", "error_type"}),
        ("/embed/", {"error", "error_type"}),
        ("//embed", {"error", "error_type"}),
        ("/EMBED", {"error", "error_type"}),
        ("/%65mbed", {"error", "error_type"}),
        ("/../embed", {"error", "error_type"}),
        ("*", {"error", "error_type"}),
    ],
)
def test_a_path_that_is_not_there_gets_404_in_its_dialect(server: RunningServer, path: str, keys: set[str]) -> None:
    with Wire(server.port) as wire:
        answer = wire.send(get(path)).receive() if path != "*" else wire.send(options("*")).receive()
    assert answer.status == 404
    assert set(answer.json) == keys


def options(path: str) -> bytes:
    return get(path).replace(b"GET", b"OPTIONS")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/embed", "POST"),
        ("DELETE", "/v1/models", "GET, HEAD"),
        ("PUT", "/v2/embed", "POST"),
        ("OPTIONS", "/embed", "POST"),
        ("HEAD", "/embed", "POST"),
    ],
)
def test_another_method_gets_405_and_the_ones_that_are_taken(
    server: RunningServer, method: str, path: str, allowed: str
) -> None:
    answer = httpx.request(method, f"{server.url}{path}")
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


def test_a_target_with_the_name_of_the_host_is_found(server: RunningServer) -> None:
    with Wire(server.port) as wire:
        assert wire.send(get("http://localhost/live")).receive().status == 200


@pytest.mark.parametrize(
    ("path", "found"),
    [("/models/a", "/models/a"), ("/models/a/b", "/models/a/b"), ("/models/a%2Fb%20c", "/models/a/b c")],
)
def test_a_name_at_the_end_of_a_path_may_have_slashes(own: RunningServer, path: str, found: str) -> None:
    assert httpx.get(f"{own.url}{path}").text == found


@pytest.mark.parametrize("path", ["/models/", "/models", "/models//a", "/models/a/", "/models/a//b"])
def test_a_name_at_the_end_of_a_path_is_never_half_empty(own: RunningServer, path: str) -> None:
    with Wire(own.port) as wire:
        assert wire.send(get(path)).receive().status == 404


def test_every_answer_has_the_headers_of_safety(server: RunningServer) -> None:
    for path in ("/live", "/nothing", "/v1/models"):
        headers = httpx.get(f"{server.url}{path}").headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["date"].endswith("GMT")


def test_a_failure_of_ours_gets_500_without_its_message_and_leaves_a_trace_in_the_log(own: RunningServer) -> None:
    written = io.StringIO()
    own.server.log._stream, own.server.log._form = written, "json"
    answer = httpx.get(f"{own.url}/fail")
    assert answer.status_code == 500
    assert answer.headers["x-request-id"] in answer.text
    assert SECRET not in answer.text
    until(lambda: written.getvalue().count("\n") == 2)
    failure, request = (json.loads(line) for line in written.getvalue().splitlines())
    assert failure["request_id"] == request["request_id"] == answer.headers["x-request-id"]
    assert "ValueError" in failure["message"]
    assert "in fail" in failure["traceback"]
    assert SECRET not in written.getvalue()
    assert httpx.get(f"{own.url}/stream").text == "one\ntwo\n"


def test_an_overload_says_when_to_come_again(own: RunningServer) -> None:
    answer = httpx.get(f"{own.url}/overloaded")
    assert answer.status_code == 429
    assert (answer.headers["retry-after"], answer.headers["retry-after-ms"]) == ("3", "2300")


def test_an_answer_in_parts_is_chunked_and_the_connection_is_kept(own: RunningServer) -> None:
    with Wire(own.port) as wire:
        for _ in range(2):
            answer = wire.send(get("/stream")).receive()
            assert (answer.headers["transfer-encoding"], answer.body) == ("chunked", b"one\ntwo\n")


def test_an_answer_in_parts_to_http_1_0_ends_with_the_connection(own: RunningServer) -> None:
    with Wire(own.port) as wire:
        answer = wire.send(b"GET /stream HTTP/1.0\r\nconnection: keep-alive\r\n\r\n").receive()
    assert "transfer-encoding" not in answer.headers
    assert answer.body == b"one\ntwo\n"


def test_an_answer_in_parts_that_breaks_is_seen_to_be_not_whole(own: RunningServer) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(f"{own.url}/stream?fail")
    until(lambda: own.state.metrics.requests_in_flight == 0)


def test_who_hangs_up_during_an_answer_in_parts_ends_it(own: RunningServer) -> None:
    with Wire(own.port) as wire:
        wire.send(get("/stream?forever"))
        wire.socket.recv(10)
        until(lambda: own.state.metrics.requests_in_flight == 1)
    until(lambda: own.state.metrics.requests_in_flight == 0)  # nobody but the client ends it


def test_an_answer_that_is_not_read_is_held_memory_until_it_is(own: RunningServer) -> None:
    metrics = own.state.metrics
    for path in ("/large", "/large?parts"):
        with Wire(own.port) as wire:
            wire.send(get(path))
            until(lambda: metrics.held_bytes == LARGE)
            answer = wire.receive()
        assert len(answer.body) >= LARGE
        until(lambda: metrics.held_bytes == 0)


def test_an_answer_that_does_not_fit_is_not_sent_and_a_small_one_always_is(start_server: StartServer) -> None:
    small = start_server(routes=ROUTES, max_memory_bytes=2 * LARGE - 1)
    assert httpx.get(f"{small.url}/large").status_code == 200
    with Wire(small.port) as wire:
        wire.send(get("/large"))
        until(lambda: small.state.metrics.held_bytes == LARGE)
        assert httpx.get(f"{small.url}/large").status_code == 429
        small.state.metrics.held_bytes += LARGE  # no room at all
        assert httpx.get(f"{small.url}/models/a").status_code == 200
        small.state.metrics.held_bytes -= LARGE
    tiny = start_server(routes=ROUTES, max_memory_bytes=LARGE - 1)
    assert httpx.get(f"{tiny.url}/large").status_code == 413


def test_a_deadline_that_passes_gets_504(own: RunningServer) -> None:
    answer = httpx.get(f"{own.url}/sleep", headers={"x-timeout-ms": "100"})
    assert answer.status_code == 504
    assert answer.json()["error"]["code"] == "deadline_exceeded"
    assert re.search(
        r"has taken [1-9][0-9,]* ms; its header x-timeout-ms gives 100 ms", answer.json()["error"]["message"]
    )


@pytest.mark.parametrize("sent", ["", "0", "-1", "1.5", "soon", "86400001", "1" * 5000, "²"])
def test_a_deadline_that_is_none_gets_400(server: RunningServer, sent: str) -> None:
    headers = [(b"x-timeout-ms", sent.encode())]
    answer = httpx.post(f"{server.url}/v1/embeddings", json={"input": "a"}, headers=headers)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "x-timeout-ms")


def test_a_request_that_takes_too_long_gets_504(start_server: StartServer) -> None:
    slow = start_server(routes=ROUTES, request_timeout_s=0.3, body_timeout_s=0.3)
    answer = httpx.get(f"{slow.url}/sleep")
    assert answer.status_code == 504
    assert "--request-timeout-s" in answer.json()["error"]["message"]


def test_an_answer_in_parts_may_take_longer_than_a_request_as_long_as_parts_come(start_server: StartServer) -> None:
    slow = start_server(routes=ROUTES, request_timeout_s=0.4, body_timeout_s=0.4)
    assert httpx.get(f"{slow.url}/pace").text == "." * 8


def test_keys_are_asked_for_and_taken_from_any_of_three_headers(start_server: StartServer, tmp_path: Path) -> None:
    from hashlib import sha256

    file = tmp_path / "keys.toml"
    file.write_text(f'[[key]]\nname = "app"\nsha256 = "{sha256(b"secret").hexdigest()}"\nrequests_per_minute = 3\n')
    closed = start_server(keys_file=file)
    ask = f"{closed.url}/v1/models"
    assert httpx.get(ask).status_code == 401
    assert httpx.get(ask).headers["www-authenticate"] == "Bearer"
    assert httpx.get(ask, headers={"authorization": "Bearer wrong"}).status_code == 401
    assert httpx.get(f"{closed.url}/live").status_code == 200
    for headers in ({"authorization": "Bearer secret"}, {"x-api-key": "secret"}, {"api-key": "secret"}):
        assert httpx.get(ask, headers=headers).status_code == 200
    answer = httpx.get(ask, headers={"x-api-key": "secret"})
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) <= 20


def test_a_key_that_is_not_for_this_is_counted_under_its_name(start_server: StartServer, tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    for name, scope in (("app", "embed"), ("monitor", "metrics")):
        add_key(file, Key(name=name, sha256=sha256_of(name), scopes=(scope,)))  # type: ignore[arg-type]
    closed = start_server(keys_file=file)
    assert httpx.get(f"{closed.url}/v1/models", headers={"x-api-key": "monitor"}).status_code == 403
    assert httpx.get(f"{closed.url}/metrics", headers={"x-api-key": "app"}).status_code == 403
    found = httpx.get(f"{closed.url}/metrics", headers={"x-api-key": "monitor"}).text
    for route, name in (("/v1/models", "monitor"), ("/metrics", "app")):
        assert f'gtekit_requests_total{{key="{name}",method="GET",route="{route}",status="403"}} 1.0' in found


def test_a_request_is_counted_and_logged_without_its_texts(start_server: StartServer) -> None:
    watched = start_server()
    written = io.StringIO()
    log = watched.server.log
    log._stream, log._form = written, "json"
    assert isinstance(log, RequestLog)
    with Wire(watched.port) as wire:
        answer = wire.send(post(f"/v1/embeddings?q={SECRET.replace(' ', '+')}", b'{"input":"%s"}' % SECRET.encode()))
        assert answer.receive().status == 200
    until(lambda: bool(written.getvalue()))
    line = json.loads(written.getvalue())
    assert (line["route"], line["status"], line["texts"]) == ("/v1/embeddings", 200, 1)
    assert line["tokens"] > 3
    assert SECRET not in written.getvalue()
    assert "the+text" not in written.getvalue()
    scraped = httpx.get(f"{watched.url}/metrics").text
    assert 'gtekit_requests_total{key="",method="POST",route="/v1/embeddings",status="200"} 1.0' in scraped


@pytest.mark.parametrize("target", ["http://[/live", "http://", "a://b?c", "?", "/%", "/\xff", "/live?%zz#x"])
def test_a_strange_target_gets_an_answer(server: RunningServer, target: str) -> None:
    with Wire(server.port) as wire:
        request = b"GET %b HTTP/1.1\r\nhost: a\r\n\r\n" % target.encode("latin-1")
        assert wire.send(request).receive().status < 500
