"""Requests that meet trouble, on real sockets: what is sent again, when, and what is said in the end."""

import asyncio
import gc
import json
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError
from threading import Event
from typing import Any

import pytest

from gtekit.client.async_transport import AsyncTransport
from gtekit.client.connection import Connection, read_connection
from gtekit.client.transport import Transport
from gtekit.client.wire import Ask, Reply
from gtekit.errors import ArgumentError, EndpointError
from tests.client.scripted_server import Answer, scripted

ASK = Ask(path="/encode", body=b"{}")
Send = Callable[[Connection], Reply]


def connect(url: str, **settings: Any) -> Connection:
    defaults: dict[str, Any] = {"timeout_s": 20.0, "retries": 3, "connections": 2}
    unused: dict[str, Any] = {"model": None, "api_key": "k", "compress": False, "priority": "bulk"}
    return read_connection(url, **{**unused, **defaults, **settings})


def send(connection: Connection) -> Reply:
    transport = Transport(connection)
    try:
        return transport.ask(ASK)
    finally:
        transport.close()


def send_async(connection: Connection) -> Reply:
    async def one() -> Reply:
        transport = AsyncTransport(connection)
        try:
            return await transport.ask(ASK)
        finally:
            await transport.close()

    return asyncio.run(one())


both = pytest.mark.parametrize("ask", [send, send_async])


OK = Answer()


def refused(status: int, kind: str, message: str, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, json.dumps({"error": {"kind": kind, "message": message, "param": None}}).encode(), named)


@both
@pytest.mark.parametrize("status", [408, 429, 502, 503, 504])
def test_a_refusal_for_the_moment_is_asked_again_when_the_server_says(ask: Send, status: int) -> None:
    busy = refused(status, "overloaded", "Busy.", retry_after_ms="60", retry_after="30")
    with scripted(busy, busy, Answer(body=b"done")) as server:
        assert ask(connect(server.url)).body == b"done"
        gaps = [later.at - earlier.at for earlier, later in zip(server.asked, server.asked[1:], strict=False)]
    assert len(gaps) == 2
    assert min(gaps) >= 0.06


@both
def test_each_try_says_who_asks_how_long_it_waits_and_in_which_lane(ask: Send) -> None:
    busy = refused(503, "unavailable", "Starting.", retry_after_ms="50")
    with scripted(busy, Answer()) as server:
        ask(connect(server.url))
        first, second = ({name.lower(): value for name, value in asked.headers.items()} for asked in server.asked)
    assert first["authorization"] == "Bearer k"
    assert first["x-priority"] == "bulk"
    assert first["user-agent"].startswith("gtekit/")
    assert 0 < int(second["x-timeout-ms"]) <= int(first["x-timeout-ms"]) - 50 <= 20_000


@both
@pytest.mark.parametrize("status", [400, 401, 404, 413, 500])
def test_a_refusal_for_good_is_asked_once(ask: Send, status: int) -> None:
    with scripted(refused(status, "some_kind", "No.", x_request_id="r1")) as server:
        with pytest.raises(EndpointError, match=rf"{server.url}: answers {status} \(request r1\): No\."):
            ask(connect(server.url))
        assert len(server.asked) == 1


@both
def test_bad_values_are_the_errors_of_a_local_model(ask: Send) -> None:
    with (
        scripted(refused(400, "invalid_value", "overlap_tokens=9 is not possible.")) as server,
        pytest.raises(ArgumentError, match=r"^overlap_tokens=9 is not possible\.$"),
    ):
        ask(connect(server.url))


@both
def test_a_server_that_stays_busy_is_given_up_with_its_last_word(ask: Send) -> None:
    busy = refused(429, "overloaded", "Full: 12 tokens wait", retry_after_ms="1")
    with scripted(busy) as server:
        given_up = r"Given up: sent again 3 times, and retries=3 allows no more\.$"
        with pytest.raises(
            EndpointError, match=rf"answers 429: Full: 12 tokens wait\. It is busier than .* {given_up}"
        ):
            ask(connect(server.url))
        assert len(server.asked) == 4


@both
def test_a_pause_beyond_the_time_out_is_not_begun(ask: Send) -> None:
    begin = time.monotonic()
    with (
        scripted(refused(429, "overloaded", "Busy.", retry_after="3600")) as server,
        pytest.raises(EndpointError, match=r"429.*Given up: to wait 3,600\.0 s more would pass timeout_s=20, of which"),
    ):
        ask(connect(server.url))
    assert len(server.asked) == 1
    assert time.monotonic() - begin < 19  # the time-out


@both
def test_an_answer_that_breaks_off_is_asked_for_again(ask: Send) -> None:
    half = Answer(body=b"half of this is not sent", breaks_off=True)
    with scripted(half, Answer(body=b"whole")) as server:
        assert ask(connect(server.url)).body == b"whole"
    with (
        scripted(half) as server,
        pytest.raises(EndpointError, match=r"the connection broke before the answer was whole \(asked 2 times"),
    ):
        ask(connect(server.url, retries=1))


@both
def test_a_server_that_is_not_there_is_named_with_what_to_do(ask: Send) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(
        EndpointError, match=rf"http://127\.0\.0\.1:{port}: can't be reached \(asked once: .*gtekit serve"
    ):
        ask(connect(f"http://127.0.0.1:{port}", retries=0))


@both
def test_an_answer_that_takes_too_long_is_given_up(ask: Send) -> None:
    with (
        scripted(Answer(delay_s=1.0)) as server,
        pytest.raises(EndpointError, match=r"no answer within 0\.2 s \(asked once\)\. Raise timeout_s"),
    ):
        ask(connect(server.url, timeout_s=0.2))


@both
@pytest.mark.parametrize("body", [b"<html>Bad  gateway</html>", b"", b"[1]", b'{"error": "flat"}', b"\xff\xfe"])
def test_a_refusal_in_other_words_is_shown_as_it_is(ask: Send, body: bytes) -> None:
    with scripted(Answer(403, body)) as server, pytest.raises(EndpointError, match="answers 403: ") as caught:
        ask(connect(server.url))
    assert ("<html>Bad gateway</html>" in str(caught.value)) == body.startswith(b"<html>")


@both
def test_a_redirect_is_not_followed_with_the_key(ask: Send) -> None:
    with scripted(Answer(307, b"", {"location": "/there"})) as server:
        with pytest.raises(EndpointError, match="answers 307"):
            ask(connect(server.url))
        assert len(server.asked) == 1


def test_a_failed_request_stops_those_that_have_not_begun() -> None:
    with scripted(refused(400, "invalid_value", "No.")) as server:
        transport = Transport(connect(server.url))
        with pytest.raises(ArgumentError, match="No"):
            transport.ask_all(500, lambda _: ASK, lambda _place, _reply: None)
        transport.close()
        assert len(server.asked) < 100


@pytest.mark.parametrize("in_turn", [False, True])
def test_what_was_not_sent_when_the_caller_stops_is_given_up(in_turn: bool) -> None:
    with scripted(OK) as server:
        transport, stop = Transport(connect(server.url)), Event()
        with pytest.raises(CancelledError):
            transport.ask_all(500, lambda _: ASK, lambda _place, _reply: stop.set(), stop, in_turn=in_turn)
        transport.close()
        assert len(server.asked) < 100


def test_several_lists_may_go_one_after_the_other_with_one_stop() -> None:
    with scripted(OK) as server:
        transport, stop, got = Transport(connect(server.url)), Event(), []
        for _ in range(2):
            transport.ask_all(5, lambda _: ASK, lambda place, _reply: got.append(place), stop)
        transport.close()
        assert sorted(got) == sorted([*range(5)] * 2)
        assert not stop.is_set()


def test_a_closed_client_says_so() -> None:
    transport = Transport(connect("http://127.0.0.1:1"))
    transport.close()
    with pytest.raises(ArgumentError, match="is closed"):
        transport.ask(ASK)


def test_no_more_requests_than_connections_are_on_their_way() -> None:
    now, most, lock = 0, 0, threading.Lock()

    def make(_: int) -> Ask:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        return ASK

    def take(_place: int, _reply: Reply) -> None:
        nonlocal now
        with lock:
            now -= 1

    with scripted(Answer(delay_s=0.05)) as server:
        transport = AsyncTransport(connect(server.url, connections=3))

        async def ask_all() -> None:
            await transport.ask_all(12, make, take)
            await transport.close()

        asyncio.run(ask_all())
        assert len(server.asked) == 12
    assert most == 3


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the first loop left its socket open
def test_one_transport_serves_one_event_loop_after_another() -> None:
    with scripted(Answer(body=b"here")) as server:
        transport = AsyncTransport(connect(server.url))
        assert asyncio.run(transport.ask(ASK)).body == b"here"
        assert asyncio.run(transport.ask(ASK)).body == b"here"
        asyncio.run(transport.close())
    gc.collect()
