"""A small real hub: an HTTP server on this machine that speaks as much of the Hugging Face API as a download needs.

GET  /api/models/{id}[/revision/{revision}]         the commit and the names of the files
GET  /api/models/{id}/tree/{revision}               names, sizes and hashes
HEAD, GET /{id}/resolve/{revision}/{file}           a file, with its commit, etag, size; ranges too
"""

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit


@dataclass
class Hub:
    """What the server has and what it was asked."""

    repositories: dict[str, dict[str, Path]] = field(default_factory=dict)  # by id, then by branch or commit
    commits: dict[str, str] = field(default_factory=dict)  # branch -> commit, for all repositories
    gated: set[str] = field(default_factory=set)
    stop_after_bytes: int | None = None  # break the connection in the middle of each larger file
    requests: list[str] = field(default_factory=list)
    url: str = ""

    def add(self, hub_id: str, folder: Path, *, commit: str = "c" * 40, branch: str = "main") -> None:
        self.repositories.setdefault(hub_id, {})[commit] = folder
        self.commits[f"{hub_id}@{branch}"] = commit

    def resolve(self, hub_id: str, revision: str) -> tuple[str, Path] | None:
        commit = self.commits.get(f"{hub_id}@{revision}", revision)
        folder = self.repositories.get(hub_id, {}).get(commit)
        return (commit, folder) if folder else None


@contextmanager
def serve(hub: Hub) -> Iterator[Hub]:
    """Run the server on a free port of this machine."""
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.answer()

    def do_HEAD(self) -> None:
        self.answer()

    def log_message(self, *_: Any) -> None:
        pass

    def answer(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.hub.requests.append(f"{self.command} {path}")
        if match := re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/(revision|tree)/([^/]+)/?)?", path):
            self.answer_about(match[1], match[2] or "revision", match[3] or "main")
        elif match := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            self.answer_file(match[1], match[2], match[3])
        else:
            self.send_json({"error": "Not found"}, status=404)

    def find(self, hub_id: str, revision: str) -> tuple[str, Path] | None:
        if hub_id in self.hub.gated and self.headers.get("Authorization") != "Bearer good-token":
            self.send_json({"error": "Access is restricted"}, status=401, headers={"X-Error-Code": "GatedRepo"})
            return None
        if hub_id not in self.hub.repositories:
            self.send_json({"error": "Repository not found"}, status=404, headers={"X-Error-Code": "RepoNotFound"})
            return None
        found = self.hub.resolve(hub_id, revision)
        if not found:
            self.send_json({"error": "Invalid rev id"}, status=404, headers={"X-Error-Code": "RevisionNotFound"})
        return found

    def answer_about(self, hub_id: str, what: str, revision: str) -> None:
        found = self.find(hub_id, revision)
        if not found:
            return
        commit, folder = found
        files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
        if what == "revision":
            siblings = [{"rfilename": name} for name in files]
            self.send_json({"_id": "1", "id": hub_id, "modelId": hub_id, "sha": commit, "siblings": siblings})
        else:
            entries = [
                {"type": "file", "path": name, "size": path.stat().st_size, "oid": _etag(path)}
                for name, path in files.items()
            ]
            self.send_json(entries)

    def answer_file(self, hub_id: str, revision: str, name: str) -> None:
        found = self.find(hub_id, revision)
        if not found:
            return
        commit, folder = found
        path = folder / name
        if not path.is_file():
            headers = {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": commit}
            self.send_json({"error": "Entry not found"}, status=404, headers=headers)
            return
        content = path.read_bytes()
        begin = 0
        if match := re.match(r"bytes=(\d+)-", self.headers.get("Range", "")):
            begin = int(match[1])
        self.send_response(206 if begin else 200)
        self.send_header("X-Repo-Commit", commit)
        self.send_header("ETag", f'"{_etag(path)}"')
        self.send_header("Accept-Ranges", "bytes")
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - begin))
        self.end_headers()
        if self.command == "HEAD":
            return
        stop = self.hub.stop_after_bytes
        if stop is not None and len(content) > stop:
            self.wfile.write(content[begin : begin + stop])
            self.close_connection = True
            return
        self.wfile.write(content[begin:])

    def send_json(self, value: object, status: int = 200, headers: dict[str, str] | None = None) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, text in (headers or {}).items():
            self.send_header(name, text)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _etag(path: Path) -> str:
    return hashlib.sha1(path.read_bytes(), usedforsecurity=False).hexdigest()
