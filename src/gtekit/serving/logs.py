"""A line for each request on standard error, as JSON or for people: never a text, never a key, never a query string."""

import sys
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal, TextIO

import orjson

from gtekit.serving.messages import Account, Request
from gtekit.serving.problems import Kind

Level = Literal["info", "warning", "error"]
MOST_WAITING: Final = 20_000  # lines, some 400 bytes each, that a slow reader may fall behind
GATHER_S: Final = 0.02  # lines of so long are written at once: one system call and one wake-up for all of them
CLOSE_S: Final = 2.0  # how long the end waits for a reader that has stopped reading


@dataclass(slots=True, kw_only=True)
class Answered:
    """What is known of a request when its answer is out."""

    request: Request
    route: str  # the path as the table of routes has it, "" where there is no such route
    status: int
    seconds: float
    account: Account
    bytes_in: int
    bytes_out: int
    problem: str = ""  # the kind of problem, "" for a good answer


class RequestLog:
    """Writes lines from a thread of its own, so that a slow pipe holds up no request.

    What does not fit into the queue is dropped and counted; the count is said once there is room.

    Args:
        form: json, text or off. Errors of the server itself are written even if off.
        stream: Where to; None: standard error.
    """

    def __init__(self, form: Literal["json", "text", "off"], stream: TextIO | None = None) -> None:
        self._form = form
        self._stream = stream
        self._lines: deque[str] = deque()
        self._dropped = 0
        self._is_waiting = threading.Event()  # lines are
        self._is_closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def write(self, answered: Answered) -> None:
        """Log an answered request. Returns at once."""
        if self._form == "off":
            return
        self._put(_as_text(answered) if self._form == "text" else _as_json(answered))

    def say(self, message: str, level: Level = "info", **fields: object) -> None:
        """Log what the server does: where it listens, that it drains, what failed. Returns at once.

        Args:
            message: For people. Never holds a text or a key.
            level: How bad it is. "error" is also written where requests are not.
            **fields: More to know, such as request_id.
        """
        if self._form == "off" and level != "error":
            return
        if self._form == "json":
            line = orjson.dumps({"time": _now(), "level": level, "message": message, **fields}, default=str).decode()
        else:
            more = "".join(f" {name}={value}" for name, value in fields.items())
            line = f"{_clock()} {'' if level == 'info' else level + ': '}{message}{more}"
        self._put(line)

    def close(self) -> None:
        """Write what waits, and stop. Gives up after two seconds where nobody reads."""
        self._is_closing.set()
        self._is_waiting.set()
        if self._thread is not None:
            self._thread.join(CLOSE_S)

    def _put(self, line: str) -> None:
        if len(self._lines) >= MOST_WAITING:
            self._dropped += 1
            return
        self._lines.append(line)
        if not self._is_waiting.is_set():
            self._is_waiting.set()
            if self._thread is None:
                self._start()

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="gtekit-log", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            self._is_waiting.wait()
            self._is_closing.wait(GATHER_S)
            self._is_waiting.clear()
            is_last = self._is_closing.is_set()
            self._write_waiting()
            if is_last and not self._lines:
                return

    def _write_waiting(self) -> None:
        lines = [self._lines.popleft() for _ in range(len(self._lines))]
        if self._dropped:
            dropped, self._dropped = self._dropped, 0
            lines.append(self._of_dropped(dropped))
        stream = self._stream or sys.stderr
        with suppress(OSError, ValueError):  # a reader that has gone away must not end the server
            stream.write("\n".join(lines) + "\n" if lines else "")
            stream.flush()

    def _of_dropped(self, count: int) -> str:
        message = f"{count} log lines were dropped: whoever reads standard error is too slow."
        if self._form == "json":
            return orjson.dumps({"time": _now(), "level": "warning", "message": message, "dropped": count}).decode()
        return f"{_clock()} warning: {message}"


def _as_json(answered: Answered) -> str:
    account = answered.account
    line = {
        "time": _now(),
        "level": _level(answered),
        "request_id": answered.request.request_id,
        "method": answered.request.method[:16],
        "route": answered.route or None,
        "status": answered.status,
        "ms": round(answered.seconds * 1000, 3),
        "key": answered.request.key.name if answered.request.key else None,
        "bytes_in": answered.bytes_in,
        "bytes_out": answered.bytes_out,
    }
    if answered.problem:
        line["problem"] = answered.problem
    if account.model:
        line |= {
            "model": account.model,
            "lane": account.lane,
            "texts": account.texts,
            "tokens": account.tokens,
            "truncated": account.truncated,
            "cached": account.cached,
            "deduplicated": account.deduplicated,
            "tokenization_ms": round(account.tokenization_s * 1000, 3),
            "queue_ms": round(account.queue_s * 1000, 3),
            "inference_ms": round(account.inference_s * 1000, 3),
        }
    return orjson.dumps(line).decode()


def _as_text(answered: Answered) -> str:
    account, request = answered.account, answered.request
    method = request.method[:16] if request.method.isalpha() else "?"
    parts = [_clock(), method, answered.route or "(no such route)", str(answered.status)]
    parts.append(f"{answered.seconds * 1000:.1f} ms")
    if answered.problem:
        parts.append(answered.problem)
    if account.model:
        parts.append(f"{account.texts} texts {account.tokens} tokens {account.lane}")
        parts += [
            f"{count} {what}" for what, count in (("cut", account.truncated), ("cached", account.cached)) if count
        ]
    if request.key:
        parts.append(f"key={request.key.name}")
    return " ".join([*parts, f"id={request.request_id}"])


def _level(answered: Answered) -> Level:
    if answered.status < 400:
        return "info"
    is_fault = answered.status >= 500 and answered.problem != Kind.DEADLINE.value  # that one is the client's, or load
    return "error" if is_fault else "warning"


def _now() -> str:
    """The time in RFC 3339, UTC, with milliseconds."""
    now = time.time()
    return f"{_second(int(now))}.{int(now * 1000) % 1000:03d}Z"


@lru_cache(maxsize=2)  # spelled once a second: 2 of the 4 microseconds that a line takes would go there
def _second(since_1970: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(since_1970))


def _clock() -> str:
    return time.strftime("%H:%M:%S")
