"""Which files are served, to whom, and with which headers."""

import re
from pathlib import Path

import httpx
import pytest

import gtekit.serving
from tests.serving.conftest import RunningServer, StartServer

PAGE = Path(gtekit.serving.__file__).parent / "page"
BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def test_a_browser_gets_the_page(server: RunningServer) -> None:
    answer = httpx.get(f"{server.url}/", headers=BROWSER)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.content == (PAGE / "index.html").read_bytes()


@pytest.mark.parametrize("accept", ["application/json", "*/*"])
def test_who_asks_for_no_html_gets_the_health_of_tei(server: RunningServer, accept: str) -> None:
    answer = httpx.get(f"{server.url}/", headers={"accept": accept})
    assert (answer.status_code, answer.content) == (200, b"")


def test_every_file_of_the_page_is_served_and_only_from_the_table(server: RunningServer) -> None:
    for path in PAGE.iterdir():
        expected = 404 if path.name == "index.html" else 200
        assert httpx.get(f"{server.url}/page/{path.name}").status_code == expected, path.name


@pytest.mark.parametrize(
    "name", ["none.js", "../page_routes.py", "%2e%2e%2fpage_routes.py", "..%5cpage_routes.py", "main.js/", "main.js%00"]
)
def test_a_path_never_reaches_the_file_system(server: RunningServer, name: str) -> None:
    answer = httpx.get(f"{server.url}/page/{name}")
    assert answer.status_code == 404
    assert answer.json()["error"]


def test_what_the_page_names_is_there_and_is_its_own() -> None:
    for path in PAGE.iterdir():
        text = path.read_text(encoding="utf-8")
        named = re.findall(r'(?:from|import\() ?"\./([^"]+)"|(?:src|href)="page/([^"]+)"', text)
        for name in (script or other for script, other in named):
            assert (PAGE / name).is_file(), f"{path.name} names {name}"
        hosts = set(re.findall(r"https?://[^\s\"'<>`]+", text)) - {"http://www.w3.org/2000/svg"}
        assert not hosts, f"{path.name} names {hosts}"


def test_the_page_has_no_script_or_style_inside() -> None:
    html = (PAGE / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)", html)
    scripts = "".join(path.read_text(encoding="utf-8") for path in PAGE.glob("*.js"))
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", scripts)


@pytest.mark.parametrize("path", ["/", "/page/main.js", "/page/style.css"])
def test_every_file_has_the_security_headers(server: RunningServer, path: str) -> None:
    headers = httpx.get(f"{server.url}{path}", headers=BROWSER).headers
    policy = headers["content-security-policy"]
    for rule in (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self' data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ):
        assert rule in policy.split("; ")
    assert "unsafe" not in policy
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "microphone=()" in headers["permissions-policy"]


def test_a_file_that_has_not_changed_is_not_sent_again(server: RunningServer) -> None:
    first = httpx.get(f"{server.url}/page/style.css")
    assert first.headers.get_list("cache-control") == ["no-cache"]
    again = httpx.get(f"{server.url}/page/style.css", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = httpx.get(f"{server.url}/page/style.css", headers={"if-none-match": '"another"'})
    assert other.content == first.content


def test_head_tells_the_length_without_the_file(server: RunningServer) -> None:
    answer = httpx.head(f"{server.url}/page/main.js")
    assert answer.status_code == 200
    assert int(answer.headers["content-length"]) == (PAGE / "main.js").stat().st_size


def test_the_page_needs_no_key_and_the_api_does(start_server: StartServer, tmp_path: Path) -> None:
    keys = tmp_path / "keys.toml"
    keys.write_text("")
    server = start_server(keys_file=keys)
    assert httpx.get(f"{server.url}/", headers=BROWSER).status_code == 200
    assert httpx.get(f"{server.url}/page/main.js").status_code == 200
    assert httpx.get(f"{server.url}/info").status_code == 401


def test_without_a_page_there_is_health_alone(start_server: StartServer) -> None:
    server = start_server(page=False)
    answer = httpx.get(f"{server.url}/", headers=BROWSER)
    assert (answer.status_code, answer.content) == (200, b"")
    assert httpx.get(f"{server.url}/page/main.js").status_code == 404
