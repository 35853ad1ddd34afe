"""A real server in a thread, on a port of its own, with a real model."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from gtekit.serving.route_table import ROUTES
from gtekit.serving.routes import Route
from gtekit.serving.server import Server
from gtekit.serving.settings import ServerSettings

if TYPE_CHECKING:
    from gtekit import Embedder
    from gtekit.serving.state import State

NAME = "all-MiniLM-L6-v2"


class RunningServer:
    """What tests hold: where it listens, and what it consists of."""

    def __init__(self, server: Server, loop: asyncio.AbstractEventLoop, thread: threading.Thread) -> None:
        self.server = server
        self.url = server.url
        self.loop = loop
        self._thread = thread

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    @property
    def state(self) -> "State":
        return self.server.state

    def stop(self) -> None:
        """Drain, and wait for the end."""
        self.server.stop()
        self._thread.join(60)
        assert not self._thread.is_alive()


class StartServer(Protocol):
    """Starts a server with settings of its own; it is stopped after the test."""

    def __call__(self, *, routes: Sequence[Route] = ROUTES, **settings: Any) -> RunningServer: ...


@contextmanager
def running(
    models: "dict[str, Embedder]", settings: ServerSettings, routes: Sequence[Route] = ROUTES
) -> Iterator[RunningServer]:
    """Run a server for as long as the block takes."""
    server = Server(settings, models, routes)
    loop = asyncio.new_event_loop()
    failures: list[BaseException] = []

    def run() -> None:
        try:
            loop.run_until_complete(server.serve())
        except BaseException as error:
            failures.append(error)
        finally:
            loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()

    thread = threading.Thread(target=run, name="server", daemon=True)
    thread.start()
    until(lambda: server.state.phase == "ready" or bool(failures))
    if failures:
        raise failures[0]
    held = RunningServer(server, loop, thread)
    try:
        yield held
    finally:
        held.stop()
        if failures:
            raise failures[0]


def until(condition: Callable[[], bool], timeout_s: float = 30.0) -> None:
    """Wait for something to become true."""
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "It has not come true."
        time.sleep(0.005)


@pytest.fixture(scope="session")
def server(minilm: "Embedder") -> Iterator[RunningServer]:
    """A server of all-MiniLM-L6-v2 in float32, with default settings and no log, shared by all tests."""
    with running({NAME: minilm}, ServerSettings(port=0, model=(NAME,), log="off")) as held:
        yield held


@pytest.fixture
def start_server(minilm: "Embedder") -> Iterator[StartServer]:
    """Start servers of the same model with other settings: start_server(max_texts=3)."""
    with ExitStack() as stack:

        def start(*, routes: Sequence[Route] = ROUTES, **settings: Any) -> RunningServer:
            chosen = ServerSettings(**{"port": 0, "model": (NAME,), "log": "off", **settings})
            return stack.enter_context(running({NAME: minilm}, chosen, routes))

        yield start
