"""A server as a whole: it starts, it drains, it ends."""

import asyncio
import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from gtekit import Embedder
from gtekit.errors import ArgumentError, GtekitError
from gtekit.serving.server import Server, load_models
from gtekit.serving.settings import ServerSettings
from tests.serving.conftest import NAME, StartServer, until
from tests.serving.sockets import Wire, get, post

PROGRAM = """
import sys
from gtekit.serving.server import Server, load_models
from gtekit.serving.settings import ServerSettings
sys.exit(Server(ServerSettings(port=0, model=(sys.argv[1],), drain_s=float(sys.argv[2]))).run())
"""
LONG = (
    b'{"inputs":[' + b",".join(b'"text %d %s"' % (number, b"word " * 100) for number in range(120)) + b"]}"
)  # seconds


class Process:
    """A server in a process of its own, and what it has logged."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.lines: list[dict[str, Any]] = []
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(json.loads(line))

    @property
    def port(self) -> int:
        return int(self.lines[0]["url"].rsplit(":", 1)[1])

    def says(self, message: str) -> bool:
        return any(line.get("message", "").startswith(message) for line in self.lines)

    def wait_for_a_request(self) -> None:
        """Wait until there is one under way beside that which asks."""

        def is_there() -> bool:
            return "gtekit_requests_in_flight 2.0" in httpx.get(f"http://127.0.0.1:{self.port}/metrics").text

        until(is_there)

    def end(self) -> int:
        code = self.process.wait(60)
        self._reading.join(10)
        return code


@contextmanager
def program(drain_s: float = 30.0, code: str = PROGRAM) -> Iterator[Process]:
    command = [sys.executable, "-c", code, NAME, str(drain_s)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as started:
        try:
            held = Process(started)
            until(lambda: held.says("ready") or started.poll() is not None, timeout_s=60)
            yield held
        finally:
            started.kill()


def test_a_request_under_way_at_sigterm_is_answered_and_a_new_one_is_not(minilm: Embedder) -> None:
    with program() as server, Wire(server.port) as old, Wire(server.port) as new:
        assert new.send(get("/live")).receive().status == 200
        old.send(post("/embed", LONG))
        server.wait_for_a_request()
        server.process.send_signal(signal.SIGTERM)
        until(lambda: server.says("draining"))
        refused = new.send(post("/embed", b'{"inputs":"a"}')).receive()
        assert (refused.status, refused.headers["connection"]) == (503, "close")
        assert int(refused.headers["retry-after"]) >= 1
        with Wire(server.port) as late:
            answer = late.send(get("/live")).receive()
            assert (answer.status, answer.headers["connection"]) == (200, "close")
        found = old.receive()
        assert server.end() == 0
    assert found.status == 200
    texts = json.loads(LONG)["inputs"]
    np.testing.assert_array_equal(np.array(found.json, np.float32), minilm.encode(texts))
    assert server.lines[-1]["message"] == "stopped"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_an_idle_server_at_once_with_0(number: signal.Signals) -> None:
    with program() as server, Wire(server.port):
        server.process.send_signal(number)
        assert server.end() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_does_not_wait(number: signal.Signals) -> None:
    with program() as server, Wire(server.port) as wire:
        wire.send(post("/embed", LONG[:1000], length=len(LONG)))  # never whole
        server.wait_for_a_request()
        server.process.send_signal(number)
        until(lambda: server.says("draining"))
        server.process.send_signal(number)
        assert server.end() == 128 + number


def test_what_is_not_done_in_time_gets_503(minilm: Embedder) -> None:
    with program(drain_s=0.2) as server, Wire(server.port) as wire:
        wire.send(post("/embed", LONG[:1000], length=len(LONG)))
        server.wait_for_a_request()
        server.process.send_signal(signal.SIGTERM)
        answer = wire.receive()
        assert answer.status == 503
        assert "--drain-s" in answer.json["error"]
        assert server.end() == 1


ENDLESS = """
import asyncio, sys, threading
from gtekit.serving.messages import Response
from gtekit.serving.route_table import ROUTES
from gtekit.serving.routes import Route
from gtekit.serving.server import Server, load_models
from gtekit.serving.settings import ServerSettings

async def wait(request, state, account):
    work = lambda stop: threading.Event().wait()
    if request.query == "tokenizer":
        await state.tokenizing.run(request, 1_000_000, work)
    elif request.query == "queue":
        await asyncio.get_running_loop().run_in_executor(next(iter(state.models)).scheduler._left, work, None)
    else:
        await asyncio.to_thread(work, None)
    return Response()

route = Route(method="POST", path="/wait", dialect=ROUTES[0].dialect, handler=wait, summary="Wait for ever")
settings = ServerSettings(port=0, model=(sys.argv[1],), drain_s=float(sys.argv[2]))
sys.exit(Server(settings, routes=(*ROUTES, route)).run())
"""


@pytest.mark.parametrize("where", ["tokenizer", "queue", "executor"])
def test_the_end_does_not_wait_for_a_thread_that_never_ends(where: str) -> None:
    with program(drain_s=0.1, code=ENDLESS) as server, Wire(server.port) as wire:
        wire.send(post(f"/wait?{where}", b"{}"))
        server.wait_for_a_request()
        server.process.send_signal(signal.SIGTERM)
        assert server.end() == 1
        assert server.lines[-1]["message"] == "stopped"


def test_a_server_in_a_thread_drains(start_server: StartServer) -> None:
    server = start_server()
    with Wire(server.port) as wire:
        wire.send(post("/embed", LONG))
        until(lambda: server.state.metrics.requests_in_flight > 0)
        server.stop()
        assert wire.receive().status == 200
    with pytest.raises(ConnectionError):
        Wire(server.port)


def test_it_listens_on_a_socket_file_too(start_server: StartServer, tmp_path: Path) -> None:
    path = tmp_path / "gtekit.sock"
    server = start_server(unix_socket=path)
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(path)), base_url="http://gtekit") as client:
        assert client.post("/embed", json={"inputs": "a"}).status_code == 200
    server.stop()
    assert not path.exists()


def test_a_socket_file_that_is_in_use_is_left_alone(start_server: StartServer, tmp_path: Path) -> None:
    path = tmp_path / "gtekit.sock"
    start_server(unix_socket=path)
    with pytest.raises(ArgumentError, match="in use"):
        start_server(unix_socket=path)
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(path)), base_url="http://gtekit") as client:
        assert client.get("/live").status_code == 200


def test_a_file_where_the_socket_should_be_is_left_alone(start_server: StartServer, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("mine")
    with pytest.raises(ArgumentError, match=r"notes\.txt"):
        start_server(unix_socket=path)
    assert path.read_text() == "mine"


def test_a_port_in_use_is_an_error_that_names_it(start_server: StartServer) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ArgumentError, match=str(port)):
            start_server(port=port)


def test_a_host_that_is_none_is_an_error_that_names_it(start_server: StartServer) -> None:
    with pytest.raises(ArgumentError, match=r"203\.0\.113\.7"):
        start_server(host="203.0.113.7")  # an address of documentation: no machine has it


def test_a_model_that_is_not_there_ends_the_server_with_its_error() -> None:
    with pytest.raises(GtekitError, match="no-such-model"):
        Server(ServerSettings(port=0, model=("./no-such-model",), log="off")).run()


def test_blanks_around_a_name_belong_to_nothing(minilm: Embedder) -> None:
    models = load_models(ServerSettings(model=(" small = all-MiniLM-L6-v2 ",)))
    assert list(models) == ["small"]
    assert models["small"].fingerprint == minilm.fingerprint


def test_it_says_that_it_is_alive_while_models_are_loaded(monkeypatch: pytest.MonkeyPatch, minilm: Embedder) -> None:
    go_on = threading.Event()

    def load_slowly(settings: ServerSettings) -> dict[str, Embedder]:
        go_on.wait(30)
        return {NAME: minilm}

    monkeypatch.setattr("gtekit.serving.server.load_models", load_slowly)
    server = Server(ServerSettings(port=0, log="off"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
    thread.start()
    until(lambda: bool(server.url))
    assert httpx.get(f"{server.url}/live").status_code == 200
    for path in ("/startup", "/ready", "/health", "/v1/models"):
        assert httpx.get(f"{server.url}{path}").status_code == 503
    answer = httpx.post(f"{server.url}/v1/embeddings", json={"input": "a"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    go_on.set()
    until(lambda: server.state.phase == "ready")
    assert httpx.get(f"{server.url}/startup").status_code == 200
    server.stop()
    thread.join(30)
    assert not thread.is_alive()


def test_several_models_are_served_by_their_names(minilm_folder: str, tiny_checkpoint: Path) -> None:
    models = (f"tiny={tiny_checkpoint}", f"mini={minilm_folder}")
    server = Server(ServerSettings(port=0, model=models, alias=("*=tiny",), log="off"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
    thread.start()
    until(lambda: server.state.phase == "ready")
    sizes = {}
    for name in ("tiny", "mini", "text-embedding-3-small"):
        answer = httpx.post(f"{server.url}/v1/embeddings", json={"input": "a", "model": name})
        sizes[name] = len(answer.json()["data"][0]["embedding"])
    server.stop()
    thread.join(30)
    assert sizes == {"tiny": 32, "mini": 384, "text-embedding-3-small": 32}


def test_a_key_that_is_taken_out_of_the_file_is_refused_soon(start_server: StartServer, tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    entry = '[[key]]\nname = "{}"\nsha256 = "{}"\n'
    file.write_text(entry.format("one", sha256(b"first").hexdigest()))
    server = start_server(keys_file=file)

    def status(key: str) -> int:
        return httpx.get(f"{server.url}/v1/models", headers={"authorization": f"Bearer {key}"}).status_code

    assert (status("first"), status("second")) == (200, 401)
    file.write_text(entry.format("two", sha256(b"second").hexdigest()) + "\n")
    until(lambda: status("second") == 200)
    assert status("first") == 401
