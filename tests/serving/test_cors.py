"""Which pages may call."""

import re

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


def test_the_clients_of_openai_and_cohere_may_send_and_read_their_headers() -> None:
    telling = "x-stainless-lang, x-stainless-retry-count,X-Stainless-OS, x-fern-language"
    asked = {**QUESTION, "access-control-request-headers": f"{telling}, x-evil, x-stainless-a\tb"}
    headers = dict(Cors((APP,)).preflight(asked, ["POST"]) or ())
    allowed = set(headers["access-control-allow-headers"].split(", "))
    assert allowed > {"api-key", "x-api-key", "content-encoding", "authorization", "x-stainless-lang"}
    assert allowed > {"x-stainless-retry-count", "x-stainless-os", "x-fern-language"}
    assert not allowed & {"x-evil", "x-stainless-a\tb"}
    exposed = set(dict(Cors((APP,)).headers({"origin": APP}))["access-control-expose-headers"].split(", "))
    assert exposed > {"x-tokens", "x-truncated-indices", "x-truncated-query", "x-gtekit-model", "retry-after"}
    assert exposed > {"x-ratelimit-limit-requests", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"}


@pytest.mark.parametrize("origins", [(), (APP,), ("*",)])
def test_credentials_are_never_allowed(origins: tuple[str, ...]) -> None:
    headers = dict(Cors(origins).headers({"origin": APP}))
    assert "access-control-allow-credentials" not in headers
    assert headers.get("access-control-allow-origin") == {(): None, (APP,): APP, ("*",): "*"}[origins]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8080", "[::1]:8080", "LOCALHOST:1", "a.localhost"])
def test_the_page_of_this_machine_may_call(host: str) -> None:
    for method in ("GET", "POST"):
        Cors(()).refuse_foreign(method, {"origin": f"http://{host}", "host": host})
        Cors(()).refuse_foreign(method, {"host": host})
    Cors(()).refuse_foreign("POST", {"host": "gateway.example"})  # no browser: it would say an origin
    Cors(()).refuse_foreign("GET", {})  # HTTP/1.0


@pytest.mark.parametrize(
    "host", ["rebound.example:8080", "192.168.0.7", "127.0.0.1.evil.example", "", "[", "a:b:c", "[::2]:80"]
)
def test_a_page_that_took_our_address_for_its_name_is_refused(host: str) -> None:
    with pytest.raises(Problem, match=r"--cors-origin http://rebound\.example:8080"):
        Cors(()).refuse_foreign("POST", {"origin": "http://rebound.example:8080", "host": host})
    with pytest.raises(Problem, match=re.escape(f"--cors-origin http://{host}")):
        Cors(()).refuse_foreign("GET", {"host": host})


@pytest.mark.parametrize("path", ["/info", "/metrics", "/v1/models"])
def test_a_rebound_page_reads_nothing_where_nobody_needs_a_key(server: RunningServer, path: str) -> None:
    for method in ("GET", "HEAD"):
        answer = httpx.request(method, f"{server.url}{path}", headers={"host": "rebound.example"})
        assert answer.status_code == 403
    assert httpx.get(f"{server.url}/health", headers={"host": "rebound.example"}).status_code == 200


def test_a_name_that_is_allowed_is_answered_to(start_server: StartServer) -> None:
    named = start_server(cors_origin=("https://app.example:8443", APP))
    for host in ("app.example", "app.example:8443"):
        assert httpx.get(f"{named.url}/info", headers={"host": host}).status_code == 200
    assert httpx.get(f"{named.url}/info", headers={"host": "rebound.example"}).status_code == 403


def test_who_listens_for_others_answers_to_any_name(start_server: StartServer) -> None:
    server = start_server(host="0.0.0.0")
    assert httpx.get(f"http://127.0.0.1:{server.port}/info", headers={"host": "gtekit.lan"}).status_code == 200


def test_a_rebound_page_gets_403_where_nobody_needs_a_key(server: RunningServer) -> None:
    headers = {"origin": "http://rebound.example", "host": "rebound.example"}
    answer = httpx.post(f"{server.url}/v1/embeddings", json={"input": "a"}, headers=headers)
    assert answer.status_code == 403
    assert "rebound.example" in answer.json()["error"]["message"]
