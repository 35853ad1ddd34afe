"""Which pages may call."""

import httpx
import pytest

from gtekit.serving.cors import Cors
from gtekit.serving.problems import Problem
from tests.serving.conftest import RunningServer, StartServer

APP = "https://app.example"
QUESTION = {"origin": APP, "access-control-request-method": "POST", "access-control-request-headers": "authorization"}


def test_no_page_may_call_until_it_is_named(server: RunningServer) -> None:
    for answer in (
        httpx.get(f"{server.url}/live", headers={"origin": APP}),
        httpx.options(f"{server.url}/embed", headers=QUESTION),
    ):
        assert not [name for name in answer.headers if name.startswith("access-control")]


def test_a_named_page_may_call_and_another_may_not(start_server: StartServer) -> None:
    open_one = start_server(cors_origin=(APP,))
    asked = httpx.options(f"{open_one.url}/embed", headers=QUESTION)
    assert asked.status_code == 204
    assert "authorization" in asked.headers["access-control-allow-headers"]
    assert "POST" in asked.headers["access-control-allow-methods"]
    answer = httpx.post(f"{open_one.url}/embed", json={"inputs": "a"}, headers={"origin": APP})
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == APP
    assert answer.headers["vary"] == "origin"
    for origin in ("https://evil.example", "https://app.example.evil.example", "null", APP.upper()):
        other = httpx.options(f"{open_one.url}/embed", headers={**QUESTION, "origin": origin})
        assert other.status_code == 405
        assert "access-control-allow-origin" not in other.headers


def test_errors_can_be_read_by_a_named_page_too(start_server: StartServer) -> None:
    answer = httpx.get(f"{start_server(cors_origin=(APP,)).url}/nowhere", headers={"origin": APP})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (404, APP)


@pytest.mark.parametrize("origins", [(), (APP,), ("*",)])
def test_credentials_are_never_allowed(origins: tuple[str, ...]) -> None:
    headers = dict(Cors(origins).headers({"origin": APP}))
    assert "access-control-allow-credentials" not in headers
    assert headers.get("access-control-allow-origin") == {(): None, (APP,): APP, ("*",): "*"}[origins]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8080", "[::1]:8080", "LOCALHOST:1", "a.localhost"])
def test_the_page_of_this_machine_may_call(host: str) -> None:
    Cors(()).refuse_foreign({"origin": f"http://{host}", "host": host})
    Cors(()).refuse_foreign({"host": "rebound.example"})  # no browser, or nothing that changes or costs anything


@pytest.mark.parametrize(
    "host", ["rebound.example:8080", "192.168.0.7", "127.0.0.1.evil.example", "", "[", "a:b:c", "[::2]:80"]
)
def test_a_page_that_took_our_address_for_its_name_is_refused(host: str) -> None:
    with pytest.raises(Problem, match=r"--cors-origin http://rebound\.example:8080"):
        Cors(()).refuse_foreign({"origin": "http://rebound.example:8080", "host": host})


def test_a_rebound_page_gets_403_where_nobody_needs_a_key(server: RunningServer) -> None:
    headers = {"origin": "http://rebound.example", "host": "rebound.example"}
    answer = httpx.post(f"{server.url}/v1/embeddings", json={"input": "a"}, headers=headers)
    assert answer.status_code == 403
    assert "rebound.example" in answer.json()["error"]["message"]
