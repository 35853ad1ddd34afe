"""The servers that are measured, each a process of its own that stands still while others have their turn."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.machine import ROOT
from benchmarks.serving.load import HOST
from benchmarks.serving.wire import MODEL, PATH

START_S = 120.0
STOP_S = 60.0
SETTLE_S = 0.3  # as in benchmarks/worker.py: threads of OpenMP spin for a while after their work


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A server that can be measured."""

    name: str
    title: str
    precision: str
    is_ours: bool = False
    python: str = sys.executable
    arguments: Sequence[str]  # after the interpreter; {model} and {port} are filled in
    versions: Sequence[str] = ()  # packages whose versions are recorded
    environment: Mapping[str, str] = field(default_factory=dict)
    key: str = ""  # where callers need one

    def command(self, model: Path, port: int) -> list[str]:
        return [self.python, *(part.format(model=model, port=port) for part in self.arguments)]


def own(precision: str, *more: str, key: str = "") -> Program:
    """Give gtekit with the defaults of `gtekit serve`, and with more flags."""
    arguments = ["-m", "gtekit", "serve", "--model", f"{MODEL}={{model}}", "--port", "{port}", "--log", "off"]
    return Program(
        name=f"gtekit-{precision}",
        title=f"gtekit serve, {precision}",
        precision=precision,
        is_ours=True,
        arguments=[*arguments, "--precision", precision, *more],
        versions=["httptools", "msgspec", "orjson", "numpy", "tokenizers"],
        key=key,
    )


def infinity(python: str) -> Program:
    """Give infinity-emb on torch, which is its default engine, without telemetry."""
    arguments = ["-m", "infinity_emb.cli", "v2", "--model-id", "{model}", "--served-model-name", MODEL]
    arguments += ["--url-prefix", "/v1", "--host", HOST, "--port", "{port}", "--device", "cpu", "--engine", "torch"]
    return Program(
        name="infinity",
        title="infinity-emb, torch",
        precision="float32",
        python=python,
        arguments=[*arguments, "--dtype", "float32", "--no-bettertransformer", "--log-level", "error"],
        versions=["infinity_emb", "torch", "sentence-transformers", "transformers", "numpy", "uvicorn", "fastapi"],
        environment={"DO_NOT_TRACK": "1", "INFINITY_ANONYMOUS_USAGE_STATS": "0"},
    )


def plain(python: str) -> Program:
    """Give FastAPI around sentence-transformers."""
    return Program(
        name="fastapi",
        title="FastAPI + sentence-transformers",
        precision="float32",
        python=python,
        arguments=["-m", "benchmarks.serving.peers.plain", "{model}", "{port}"],
        versions=["sentence-transformers", "torch", "transformers", "numpy", "uvicorn", "fastapi"],
    )


class Server:
    """A running server. It answers one text before it counts as started."""

    def __init__(self, program: Program, model: Path, logs: Path) -> None:
        self.program = program
        self.port = free_port()
        self.log = logs / f"{program.name}.log"
        inherited = {
            **os.environ,
            "GTEKIT_CONFIG": "off",
            "HF_HOME": str(logs),
            "HF_HUB_OFFLINE": "1",
            **program.environment,
        }
        with self.log.open("w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                program.command(model, self.port), cwd=ROOT, env=inherited, stdout=log, stderr=log
            )
        self._wait_until_it_answers()

    def _wait_until_it_answers(self) -> None:
        limit = time.monotonic() + START_S
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > limit:
                self.process.kill()
                tail = "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])
                raise SystemExit(f"{self.program.title} did not start; the end of {self.log}:\n{tail}")
            time.sleep(0.2)

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=30)
        try:
            body = f'{{"input":"a text","model":"{MODEL}","encoding_format":"base64"}}'
            headers = {"content-type": "application/json"}
            if self.program.key:
                headers["authorization"] = f"Bearer {self.program.key}"
            connection.request("POST", PATH, body, headers)
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    @contextmanager
    def awake(self) -> Iterator[int]:
        """Give the port; the process runs while this lasts and gets no processor time afterwards."""
        self.process.send_signal(signal.SIGCONT)
        try:
            yield self.port
        finally:
            time.sleep(SETTLE_S)
            self.process.send_signal(signal.SIGSTOP)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@contextmanager
def running(programs: Sequence[Program], model: Path, logs: Path) -> Iterator[list[Server]]:
    """Start servers one after the other and put each to sleep."""
    logs.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        servers = []
        for program in programs:
            print(f"starting {program.title}", file=sys.stderr)
            server = Server(program, model, logs)
            stack.callback(server.stop)
            with server.awake():
                servers.append(server)
        yield servers


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        port: int = listener.getsockname()[1]
    return port


def versions_of(program: Program) -> dict[str, str]:
    """Read the versions of the packages that a server consists of."""
    code = "import sys; from importlib.metadata import version; print(*map(version, sys.argv[1:]))"
    command = [program.python, "-c", code, *program.versions]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return dict(zip(program.versions, done.stdout.split(), strict=True))
