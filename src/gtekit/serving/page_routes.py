"""The page at /: a few files, read once, with headers that let it load nothing else and be framed by nobody."""

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gtekit.serving.dialects.tei_shapes import TEI
from gtekit.serving.health import health
from gtekit.serving.messages import Account, Header, Request, Response
from gtekit.serving.problems import Kind, Problem
from gtekit.serving.routes import Route

if TYPE_CHECKING:
    from gtekit.serving.state import State

CONTENT_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"  # no markup from strings, even by mistake
)
PROTECTION: Final = (
    ("content-security-policy", POLICY),
    ("x-frame-options", "DENY"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=(), clipboard-write=(self)"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
)


@dataclass(frozen=True, slots=True)
class _File:
    content: bytes
    content_type: str
    tag: str  # for etag: changes with the content


@cache
def _files() -> dict[str, _File]:
    """Give all files of the page by name: what a request says is looked up here and never reaches the file system."""
    folder = Path(__file__).with_name("page")
    found = {}
    for path in sorted(folder.iterdir()):
        if path.suffix in CONTENT_TYPES:
            content = path.read_bytes()
            tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
            found[path.name] = _File(content, CONTENT_TYPES[path.suffix], tag)
    return found


async def root(request: Request, state: "State", account: Account) -> Response:
    """Answer a browser with the page, and whoever else asks with the health of the server, as TEI does.

    Raises:
        Problem: If it was no browser that asked, and the server can't embed now.
    """
    if state.settings.page and "text/html" in request.header("accept"):
        return _answer(request, _files()["index.html"])
    return await health(request, state, account)


async def file(request: Request, state: "State", account: Account) -> Response:
    """Answer with a file of the page.

    Raises:
        Problem: If there is none of that name, or no page.
    """
    name = request.path.removeprefix("/page/")
    found = _files().get(name) if state.settings.page else None
    if found is None or name == "index.html":
        raise Problem(Kind.NO_ROUTE, f"there is nothing at {request.path[:80]}; the page is at /.")
    return _answer(request, found)


def _answer(request: Request, found: _File) -> Response:
    headers: list[Header] = [("etag", found.tag), ("cache-control", "no-cache"), ("vary", "accept"), *PROTECTION]
    if found.tag in request.header("if-none-match"):
        return Response(status=304, content_type=found.content_type, headers=headers)
    return Response(body=found.content, content_type=found.content_type, headers=headers)


ROUTES: Final = (
    Route(
        method="GET",
        path="/",
        dialect=TEI,
        handler=root,
        summary="The page to try things out, for browsers; health for everybody else.",
        response_text="HTML, or nothing.",
        is_open=True,
    ),
    Route(
        method="GET",
        path="/page/{name}",
        dialect=TEI,
        handler=file,
        summary="A file of the page.",
        response_text="A style sheet, a script or a picture.",
        is_open=True,
    ),
)
