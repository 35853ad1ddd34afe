"""How a server is asked, checked before anything is sent."""

import gzip
import subprocess
import sys
from typing import Any

import pytest

from gtekit.client import AsyncClient, Client
from gtekit.client.connection import Connection, read_connection
from gtekit.client.wire import OCTETS, Ask
from gtekit.errors import ArgumentError

SETTINGS: dict[str, Any] = {
    "model": None,
    "api_key": None,
    "timeout_s": 9.0,
    "retries": 1,
    "connections": 2,
    "compress": False,
    "priority": None,
}


def connection(base_url: str = "http://127.0.0.1:1", **settings: Any) -> Connection:
    return read_connection(base_url, **{**SETTINGS, **settings})


@pytest.mark.parametrize("base_url", ["", "127.0.0.1:8080", "ftp://there", "http://", "http://there:99999", 7, None])
def test_what_is_no_address_is_refused(base_url: Any) -> None:
    with pytest.raises(ArgumentError, match="is no address of a server; it looks like http://127"):
        connection(base_url)


@pytest.mark.parametrize("base_url", ["http://there:8080/v1", "http://there:8080/v1/", "http://there:8080/v2"])
def test_the_address_for_other_clients_is_refused_with_the_right_one(base_url: str) -> None:
    with pytest.raises(ArgumentError, match=r"without the /v[12]: 'http://there:8080'\.$"):
        connection(base_url)
    assert connection("http://v1").address == "http://v1"
    assert connection("http://there:8080/models/v1-small/").address == "http://there:8080/models/v1-small"


@pytest.mark.parametrize("base_url", ["http://me:secret@there", "http://there?key=secret", "http://there#secret"])
def test_a_secret_in_the_address_is_refused_and_not_repeated(base_url: str) -> None:
    with pytest.raises(ArgumentError, match="a key goes to api_key") as caught:
        connection(base_url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "settings",
    [
        {"timeout_s": 0},
        {"timeout_s": float("nan")},
        {"timeout_s": "9"},
        {"retries": -1},
        {"connections": 0},
        {"priority": "urgent"},
        {"api_key": "two\nlines"},
    ],
)
def test_values_that_no_request_can_use_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ArgumentError, match=next(iter(settings))):
        connection(**settings)


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_both_clients_check_before_they_connect(kind: type[Client] | type[AsyncClient]) -> None:
    with pytest.raises(ArgumentError, match="max_tokens=2"):
        kind("http://127.0.0.1:1", max_tokens=2)
    assert repr(kind("http://127.0.0.1:1/")) == f"<{kind.__name__} at http://127.0.0.1:1>"


def test_the_key_is_the_argument_or_the_environment_and_in_no_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "authorization" not in connection().headers
    monkeypatch.setenv("GTEKIT_API_KEY", "from-outside")
    assert connection().headers["authorization"] == "Bearer from-outside"
    held = connection(api_key="given")
    assert held.headers["authorization"] == "Bearer given"
    assert "authorization" not in connection(api_key="").headers
    assert "given" not in repr(held)
    assert "given" not in repr(Client("http://127.0.0.1:1", api_key="given").__dict__)


def test_only_large_bodies_are_compressed_and_only_where_that_was_asked() -> None:
    large, small = Ask(path="/", body=b"x" * 5000, accept=OCTETS), Ask(path="/", body=b"x")
    assert connection().body(large) == large.body
    held = connection(compress=True)
    body = held.body(large)
    assert body is not None
    assert gzip.decompress(body) == large.body
    assert held.headers_of(large, 2.5)["content-encoding"] == "gzip"
    assert held.headers_of(large, 2.5)["x-timeout-ms"] == "2500"
    assert held.body(small) == small.body
    assert "content-encoding" not in held.headers_of(small, 1)


def test_importing_the_client_loads_neither_http_nor_asyncio() -> None:
    code = "import sys, gtekit.client; print({'httpx', 'asyncio', 'ssl', 'msgspec'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "set()\n"
