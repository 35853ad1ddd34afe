"""Bodies that are paid for: over a real server, with keys that may use so many tokens a minute."""

import asyncio
import gzip
import json
import re
import threading
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, cast

import httpx
import pytest

from gtekit.serving.keys import Key, sha256_of
from gtekit.serving.messages import Account, Request, Response
from gtekit.serving.metered_body import MeteredBody
from gtekit.serving.problems import Kind, Problem
from gtekit.serving.rates import Rates, Reservation
from gtekit.serving.route_table import PLAIN
from gtekit.serving.routes import Route
from tests.serving.conftest import RunningServer, StartServer, until
from tests.serving.sockets import Wire
from tests.serving.test_rates import Clock

if TYPE_CHECKING:
    from gtekit.serving.bodies import BodyReader
    from gtekit.serving.state import State

LIMIT = 2000
HEADERS = {"authorization": "Bearer secret", "content-type": "application/json"}


@pytest.fixture
def limited(start_server: StartServer, keys_file: Path) -> RunningServer:
    return start_server(keys_file=keys_file)


@pytest.fixture
def keys_file(tmp_path: Path) -> Path:
    path = tmp_path / "keys.toml"
    path.write_text(f'[[key]]\nname = "app"\nsha256 = "{sha256_of("secret")}"\ntokens_per_minute = {LIMIT}\n')
    return path


def ask(server: RunningServer, path: str, body: object, **headers: str) -> httpx.Response:
    return httpx.post(f"{server.url}{path}", content=json.dumps(body), headers={**HEADERS, **headers}, timeout=60)


def remaining(server: RunningServer) -> int:
    """What is left, by a request that costs nothing."""
    found = httpx.get(f"{server.url}/v1/models", headers=HEADERS).headers
    return int(found.get("x-ratelimit-remaining-tokens", 0))


def test_a_refusal_says_what_the_request_counts_for_and_what_is_left(limited: RunningServer) -> None:
    assert ask(limited, "/v1/embeddings", {"input": ["word " * 200] * 2}).status_code == 200
    answer = ask(limited, "/v1/embeddings", {"input": ["word " * 200] * 9})
    assert answer.status_code == 429
    left = int(answer.headers["x-ratelimit-remaining-tokens"])
    message = answer.json()["error"]["message"]
    found = re.search(
        r"may use 2,000 tokens a minute; this request counts for about ([0-9,]+), and ([0-9,]+) are", message
    )
    assert found is not None, message
    cost, said = (int(number.replace(",", "")) for number in found.groups())
    assert said <= left <= said + 100 < cost  # what has come in meanwhile


def test_a_request_is_charged_what_it_has_cost_and_its_own_headers_say_so(limited: RunningServer) -> None:
    answer = ask(limited, "/v1/embeddings", {"input": ["word " * 200] * 2})
    tokens = answer.json()["usage"]["prompt_tokens"]
    assert tokens == 404
    assert LIMIT - tokens <= int(answer.headers["x-ratelimit-remaining-tokens"]) < LIMIT - tokens + 300
    assert remaining(limited) < LIMIT


def test_requests_at_once_do_not_get_more_than_the_limit(start_server: StartServer, keys_file: Path) -> None:
    go_on = threading.Event()

    async def hold(request: Request, state: "State", account: Account) -> Response:
        await request.body()
        await asyncio.to_thread(go_on.wait, 30)
        account.tokens = 1000
        return Response()

    route = Route(method="POST", path="/hold", dialect=PLAIN, handler=hold, summary="")
    server = start_server(routes=(route,), keys_file=keys_file)
    body = "x" * 2400  # taken for 801 tokens
    with ThreadPoolExecutor(10) as pool:
        answers = [pool.submit(ask, server, "/hold", body) for _ in range(10)]
        until(lambda: sum(answer.done() for answer in answers) == 8)
        go_on.set()
        found = sorted(answer.result().status_code for answer in answers)
    assert found == [200] * 2 + [429] * 8
    assert max(int(answer.result().headers.get("retry-after", 0)) for answer in answers) <= 60


@pytest.mark.parametrize("path", ["/tokens", "/count_tokens", "/token_places", "/truncation_report", "/tokenize"])
def test_a_tokenizer_is_no_way_around_it(limited: RunningServer, path: str) -> None:
    body = {"inputs" if path == "/tokenize" else "texts": ["word " * 2000]}
    assert ask(limited, path, body).status_code == 200
    assert ask(limited, path, body).status_code == 429


def test_who_hangs_up_has_paid(start_server: StartServer, keys_file: Path) -> None:
    arrived = threading.Event()

    async def hold(request: Request, state: "State", account: Account) -> Response:
        await request.body()
        gone = asyncio.Event()
        request.disconnect.on_gone(gone.set)
        arrived.set()
        await gone.wait()
        return Response()

    async def look(request: Request, state: "State", account: Account) -> Response:
        return Response()

    routes = (
        Route(method="POST", path="/hold", dialect=PLAIN, handler=hold, summary=""),
        Route(method="GET", path="/v1/models", dialect=PLAIN, handler=look, summary=""),
    )
    server = start_server(routes=routes, keys_file=keys_file)
    with Wire(server.port) as wire:
        head = b"POST /hold HTTP/1.1\r\nhost: a\r\nauthorization: Bearer secret\r\ncontent-length: 3000\r\n\r\n"
        wire.send(head + b"x" * 3000)
        assert arrived.wait(30)
    until(lambda: server.state.metrics.requests_in_flight == 0)
    assert remaining(server) < LIMIT - 900


def test_a_refused_request_gets_its_tokens_back(limited: RunningServer) -> None:
    answer = ask(limited, "/v1/embeddings", {"input": ["word " * 1000, ""]})
    assert answer.status_code == 400
    assert answer.headers["x-ratelimit-remaining-tokens"] == str(LIMIT)


def test_a_body_of_many_minutes_is_too_large_for_the_key(limited: RunningServer) -> None:
    answer = ask(limited, "/v1/embeddings", {"input": "word " * 6000})
    assert answer.status_code == 413
    assert "the key app may use 2,000 a minute" in answer.json()["error"]["message"]
    assert answer.headers["x-ratelimit-remaining-tokens"] == str(LIMIT)


def test_a_body_that_is_too_large_for_the_key_need_not_be_sent(limited: RunningServer) -> None:
    with Wire(limited.port) as wire:
        wire.send(
            b"POST /v1/embeddings HTTP/1.1\r\nhost: a\r\nauthorization: Bearer secret\r\n"
            b"content-type: application/json\r\ncontent-length: 30000\r\n\r\n"
        )
        assert wire.receive().status == 413


def test_a_compressed_body_is_counted_as_it_is_read(limited: RunningServer) -> None:
    body = gzip.compress(json.dumps({"input": "word " * 6000}).encode())
    assert len(body) < 1000
    answer = httpx.post(
        f"{limited.url}/v1/embeddings", content=body, headers={**HEADERS, "content-encoding": "gzip"}, timeout=60
    )
    assert answer.status_code == 413


def test_a_stream_is_paid_for_window_by_window(start_server: StartServer, keys_file: Path) -> None:
    server = start_server(keys_file=keys_file)
    line = json.dumps("word " * 200).encode() + b"\n"
    seen: list[int] = []
    with httpx.stream(
        "POST",
        f"{server.url}/encode",
        content=iter([line] * 4),
        headers={**HEADERS, "content-type": "application/x-ndjson"},
        timeout=60,
    ) as answer:
        for row in answer.iter_lines():
            assert json.loads(row)["tokens"] == 202
            seen.append(remaining(server))
    assert len(seen) == 4
    assert seen[0] < LIMIT - 150
    assert LIMIT - 4 * 202 <= remaining(server) < LIMIT - 3 * 202


class Parts:
    """A body of which each part is there at once."""

    def __init__(self, parts: Sequence[bytes]) -> None:
        self._parts = parts

    async def __call__(self) -> AsyncIterator[bytes]:
        for part in self._parts:
            yield part

    unlimited = __call__


def metered(parts: Sequence[bytes], clock: Clock) -> tuple[MeteredBody, Reservation, Account]:
    """A stream of a key that may use 6,000 tokens a minute."""
    reservation = Rates(clock, clock.sleep).admit(Key(name="a", sha256="a", tokens_per_minute=6000))
    assert reservation is not None
    request = Request(
        method="POST", path="/", query="", headers={}, request_id="", client="", read=cast("BodyReader", Parts(parts))
    )
    account = Account()
    return MeteredBody(request, reservation, account), reservation, account


def test_an_unfinished_line_stays_paid_for_when_those_before_it_are_answered() -> None:
    clock = Clock()
    body, reservation, account = metered([b"x" * 1500, b"x" * 30_000], clock)

    async def read() -> None:
        size = 0
        async for piece in body.unlimited():
            size += len(piece)
            account.tokens = 1  # of a short line at the beginning
            body.answered(size - 3)

    asyncio.run(read())
    assert reservation.taken == 1 + 31_497 / 3


def test_a_line_of_many_minutes_is_refused_and_not_waited_for() -> None:
    clock = Clock()
    body, _, _ = metered([b"x" * 60_000], clock)

    async def read() -> None:
        async for _ in body.unlimited():
            pass

    with pytest.raises(Problem, match="6,000 tokens a minute, and a line 3 times that at most") as caught:
        asyncio.run(read())
    assert caught.value.kind is Kind.TOO_LARGE


def test_a_stream_goes_on_evenly_at_the_rate_of_its_key() -> None:
    clock = Clock()
    parts = [b"x" * 60_000] * 3
    body, reservation, account = metered(parts, clock)
    begin, times, received = clock.now, [], b""

    async def read() -> None:
        nonlocal received
        async for piece in body.unlimited():
            received += piece
            account.tokens += len(piece) // 4
            body.answered(0)
            times.append(clock.now)

    asyncio.run(read())
    assert received == b"".join(parts)
    assert account.tokens / 6000 * 60 - 60 - 5 <= clock.now - begin <= account.tokens / 6000 * 60 - 60 + 5
    assert max(after - before for before, after in pairwise(times)) <= 5.0
    reservation.settle(account.tokens)
    assert reservation.taken == account.tokens
