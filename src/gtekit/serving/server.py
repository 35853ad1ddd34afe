"""One process that serves: sockets, models loaded beside them, signals, a quiet end."""

import asyncio
import os
import signal
import socket
import time
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gtekit.embedder import Embedder, load
from gtekit.errors import ArgumentError
from gtekit.serving.app import App
from gtekit.serving.connections import Connections
from gtekit.serving.health import check_ready
from gtekit.serving.keys import Keys
from gtekit.serving.logs import RequestLog
from gtekit.serving.metrics import Metrics
from gtekit.serving.own_thread import on_own_thread
from gtekit.serving.process import allow_connections, keep_what_is_loaded, take_short_turns
from gtekit.serving.protocol import HttpConnection
from gtekit.serving.route_table import ROUTES, RouteTable
from gtekit.serving.routes import Route
from gtekit.serving.scheduler import Scheduler
from gtekit.serving.served_models import ServedModel, ServedModels
from gtekit.serving.settings_checks import split_model
from gtekit.serving.state import State

if TYPE_CHECKING:
    from gtekit.serving.settings import ServerSettings

BACKLOG: Final = 2048  # connections that the system holds until we take them
TICK_S: Final = 0.25  # how often connections are looked at
DRAIN_TICK_S: Final = 0.01  # how often, while draining
SAY_S: Final = 1.0  # within it a model is missed that is not there
KEYS_S: Final = 1.0  # how often the file of keys is looked at
SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


class Server:
    """`gtekit serve`, as an object.

    Args:
        settings: All of them.
        models: Loaded already, by the names under which they are served; None: what the settings name is loaded.
        routes: The operations.

    Raises:
        FileFormatError: If the file of keys can't be used.
    """

    def __init__(
        self,
        settings: "ServerSettings",
        models: Mapping[str, Embedder] | None = None,
        routes: Sequence[Route] = ROUTES,
    ) -> None:
        self.settings = settings
        self.log = RequestLog(settings.log)
        self.state = State(settings=settings, models=None, keys=Keys(settings.keys_file), metrics=Metrics())
        self.url = ""  # once it listens
        self._models = models
        self._table = RouteTable(routes)
        self._connections: Connections | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._exit_code = 0

    def run(self) -> int:
        """Serve until a signal comes; give the exit code.

        Raises:
            GtekitError: If a model can't be loaded, or the address can't be listened on.
        """
        if warning := allow_connections(self.settings.max_connections):
            self.log.say(warning, "warning")
        take_short_turns()
        return asyncio.run(self.serve(is_alone=True))

    def stop(self) -> None:
        """Drain, as at SIGTERM. May be called from any thread."""
        if self._loop is not None and self._stopping is not None:
            with suppress(RuntimeError):  # it has ended already
                self._loop.call_soon_threadsafe(self._stopping.set)

    async def serve(self, *, is_alone: bool = False) -> int:
        """Serve until `stop`, or until a signal where the process is ours alone; give the exit code.

        Raises:
            GtekitError: As `run`.
        """
        self._loop = loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        app = App(self.state, self._table, self.log)
        self._connections = connections = Connections(settings=self.settings, handle=app.handle, refuse=app.refuse)
        if is_alone:
            loop.set_exception_handler(self._on_loop_error)
            for number in SIGNALS:
                loop.add_signal_handler(number, self._on_signal, number)
        listener = _listen(self.settings)
        listening = await loop.create_server(lambda: HttpConnection(connections), sock=listener, backlog=BACKLOG)
        self.url = _url(listener, self.settings)
        tending = [loop.create_task(work()) for work in (self._tend, self._reload_keys, self._check_ready)]
        loading = loop.create_task(self._load())
        stopping = loop.create_task(self._stopping.wait())
        try:
            await self._say_where(loading, stopping)
            await asyncio.wait((loading, stopping), return_when=asyncio.FIRST_COMPLETED)
            if loading.done():
                await self._begin(loading.result())
                if is_alone:
                    keep_what_is_loaded()
                await stopping
                await self._drain()
        finally:
            listening.close()
            for task in (*tending, loading, stopping):
                task.cancel()
            self._end(has_served=not _has_failed(loading), is_late=is_alone and self._exit_code != 0)
        return self._exit_code

    async def _say_where(self, loading: "asyncio.Task[dict[str, Embedder]]", stopping: "asyncio.Task[bool]") -> None:
        """Log where it listens. A moment later, as an error of the model would be lost behind it."""
        await asyncio.wait((loading, stopping), timeout=SAY_S, return_when=asyncio.FIRST_COMPLETED)
        if not _has_failed(loading):
            self.log.say(f"listening on {self.url}", url=self.url)

    def _end(self, *, has_served: bool, is_late: bool) -> None:
        """Close what is open. A process that is late does not wait for threads that are at work yet: it ends here."""
        connections = self._connections
        assert connections is not None
        for connection in tuple(connections.open):
            connection.transport.abort()
        for served in () if is_late else self.state.models or ():
            served.scheduler.close()
        if self.settings.unix_socket is not None:
            self.settings.unix_socket.unlink(missing_ok=True)
        if has_served:
            self.log.say("stopped")
        self.log.close()
        if is_late:
            os._exit(self._exit_code)

    async def _load(self) -> dict[str, Embedder]:
        if self._models is not None:
            return dict(self._models)
        return await on_own_thread(lambda: load_models(self.settings), "load")  # it may be a download of minutes

    async def _begin(self, models: dict[str, Embedder]) -> None:
        served = [
            ServedModel(name, model, Scheduler(model, self.settings, self.state.metrics, name))
            for name, model in models.items()
        ]
        self.state.models = ServedModels(served, _aliases(self.settings))
        if failure := await check_ready(self.state):
            self.log.say(failure, "error")
        self.state.phase = "ready"
        self.log.say(f"ready: {', '.join(models)}")

    async def _tend(self) -> None:
        connections = self._connections
        assert connections is not None
        settings = self.settings
        tick_s = min(
            TICK_S, *(each / 5 for each in (settings.header_timeout_s, settings.body_timeout_s, settings.keep_alive_s))
        )
        while True:
            connections.look_after()
            self.state.metrics.connections = len(connections.open)
            await asyncio.sleep(tick_s)

    async def _reload_keys(self) -> None:
        while True:
            await asyncio.sleep(KEYS_S)
            if said := self.state.keys.reload_if_changed():
                self.log.say(said.message, "info" if said.is_good else "warning")

    async def _check_ready(self) -> None:
        """Embed the golden text now and then, so that metrics know of a failure that nobody has asked about."""
        failure = self.state.failure
        while True:
            await asyncio.sleep(self.settings.ready_check_s)
            if self.state.phase == "ready":
                await check_ready(self.state)
                if self.state.failure != failure:
                    failure = self.state.failure
                    self.log.say(failure or "ready again", "error" if failure else "info")

    async def _drain(self) -> None:
        connections, state = self._connections, self.state
        assert connections is not None
        self.log.say("draining", requests=len(connections.tasks))
        state.phase = "draining"
        connections.drain()
        end = time.monotonic() + self.settings.drain_s
        while connections.is_busy and time.monotonic() < end:
            await asyncio.sleep(DRAIN_TICK_S)
        if connections.is_busy:
            self.log.say(f"{len(connections.tasks)} requests were not done within {self.settings.drain_s:g} s", "error")
            self._exit_code = 1
            connections.give_up()
            await asyncio.sleep(10 * DRAIN_TICK_S)

    def _on_loop_error(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Log what went wrong between requests, without messages of exceptions: they may hold a text."""
        error = context.get("exception")
        trace = "".join(traceback.format_tb(error.__traceback__)) if isinstance(error, BaseException) else ""
        self.log.say(f"{type(error).__name__} in the event loop", "error", traceback=trace)

    def _on_signal(self, number: int) -> None:
        assert self._stopping is not None
        if self._stopping.is_set():
            self.log.close()
            os._exit(128 + number)  # threads of the engine would be waited for otherwise
        self._stopping.set()


def load_models(settings: "ServerSettings") -> dict[str, Embedder]:
    """Load what the settings name.

    Returns:
        The models by the names under which they are served, in the order of the settings.

    Raises:
        GtekitError: If one can't be loaded, or two have one name.
    """
    models: dict[str, Embedder] = {}
    for text in settings.model:
        name, path = split_model(text)
        if name in models:
            raise ArgumentError(f"two models have the name {name!r}; give one another: --model NAME=MODEL")
        models[name] = load(
            path,
            revision=settings.revision,
            cache_folder=settings.cache_folder,
            local_files_only=settings.local_files_only,
            threads=settings.threads,
            precision=settings.precision,
            max_tokens=settings.max_tokens,
            language_warning=False,
        )
    return models


def _has_failed(task: "asyncio.Task[dict[str, Embedder]]") -> bool:
    return task.done() and not task.cancelled() and task.exception() is not None


def _aliases(settings: "ServerSettings") -> dict[str, str]:
    return {alias: name for alias, _, name in (text.partition("=") for text in settings.alias)}


def _listen(settings: "ServerSettings") -> socket.socket:
    if settings.unix_socket is not None:
        return _listen_unix(settings.unix_socket)
    try:
        found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        return socket.create_server(found[0][4][:2], family=found[0][0])
    except OSError as error:
        raise ArgumentError(
            f"{settings.host}:{settings.port} can't be listened on: {error.strerror or error}. Choose another: "
            f"--host, --port (0: any that is free)."
        ) from None


def _listen_unix(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if path.is_socket():
            _remove_dead(path)
        listener.bind(str(path))
    except OSError as error:
        listener.close()
        raise ArgumentError(
            f"{path}: can't be listened on: {error.strerror or error}. Choose another: --unix-socket"
        ) from None
    return listener


def _remove_dead(path: Path) -> None:
    """Remove the socket file of a server that was killed; that of a live one is left, and `bind` says so."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()


def _url(listener: socket.socket, settings: "ServerSettings") -> str:
    if settings.unix_socket is not None:
        return f"unix:{settings.unix_socket}"
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
