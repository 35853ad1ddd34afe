"""From an exchange to its answer: id, route, key, rate, handler, errors in the words of the dialect, log."""

import asyncio
import math
import re
import secrets
import sys
import time
import traceback
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from gtekit.serving.bodies import BodyReader
from gtekit.serving.compression import compress
from gtekit.serving.cors import Cors, is_this_machine
from gtekit.serving.exchange import Exchange
from gtekit.serving.keys import check_scope, presented
from gtekit.serving.logs import Answered, RequestLog
from gtekit.serving.memory import Lease
from gtekit.serving.messages import JSON, Account, Header, Request, Response
from gtekit.serving.metered_body import MeteredBody
from gtekit.serving.problems import Kind, Problem
from gtekit.serving.rates import Rates, Reservation
from gtekit.serving.route_table import PLAIN, RouteTable
from gtekit.serving.routes import Dialect, Route

if TYPE_CHECKING:
    from gtekit.serving.state import State

HARMLESS_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,128}")
MOST_TIMEOUT_MS: Final = 86_400_000  # a day
RETRY_AFTER_S: Final = 1.0  # where nothing better is known
METRICS: Final = "/metrics"


class App:
    """Answers exchanges. One for each server, used on its event loop alone."""

    def __init__(self, state: "State", table: RouteTable, log: RequestLog) -> None:
        self._state = state
        self._table = table
        self._log = log
        self._rates = Rates()
        self._cors = Cors(state.settings.cors_origin)
        settings = state.settings
        # everybody on this machine may call, so a web page that is shown on it must not
        self._is_local = not state.keys.is_used and settings.unix_socket is None and is_this_machine(settings.host)

    async def handle(self, exchange: Exchange) -> None:
        """Answer one exchange. Raises nothing."""
        metrics = self._state.metrics
        metrics.requests_in_flight += 1
        lease = Lease(metrics, self._state.settings.max_memory_bytes)
        path, query = _split(exchange.target)
        request = Request(
            method=exchange.method,
            path=unquote(path) if "%" in path else path,
            query=query,
            headers=exchange.headers,
            request_id=_request_id(exchange.headers.get("x-request-id", "")),
            client=exchange.client,
            disconnect=exchange.disconnect,
            lease=lease,
            read=BodyReader(exchange, self._state.settings, lease),
        )
        account = Account()
        work = _Work(exchange, request, account, path)
        try:
            await self._answer(work, lease)
        except Exception:
            self._log_failure(work)
            exchange.abort()
        finally:
            lease.release()
            if work.timer is not None:
                work.timer.cancel()
            metrics.requests_in_flight -= 1
            self._note(work)

    def refuse(self, problem: Problem) -> tuple[int, str, bytes]:
        """Give status, headers and body for what never became a request."""
        self._state.metrics.observe_problem(problem.kind)
        request_id = _request_id("")
        status = PLAIN.status(problem.kind)
        headers = [("x-request-id", request_id), ("content-type", JSON), *_retry_headers(problem, status)]
        self._log.say(problem.message, "warning", status=status, request_id=request_id, problem=problem.kind.value)
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
        return status, lines, PLAIN.error_body(problem, status, request_id)

    async def _answer(self, work: "_Work", lease: Lease) -> None:
        exchange = work.exchange
        try:
            response = await compress(await self._respond(work), exchange.headers, exchange.client)
            headers = self._headers(work, response)
            if isinstance(response.body, bytes):
                _lease_answer(lease, len(response.body))
                await exchange.answer(response.status, headers, response.body)
            else:
                await exchange.answer_in_parts(response.status, headers, response.body, lease)
            return
        except Problem as problem:
            found = problem
        except asyncio.CancelledError:
            found = self._ended(exchange)
        except Exception:
            self._log_failure(work)
            found = Problem(Kind.INTERNAL, f"The server has failed; its log says where: {work.request.request_id}.")
        work.problem = found.kind
        if exchange.disconnect.is_gone:
            return
        if exchange.status:  # the answer has begun
            exchange.abort()
            return
        response = self._of_problem(work, found)
        await exchange.answer(response.status, self._headers(work, response), response.body)  # type: ignore[arg-type]

    async def _respond(self, work: "_Work") -> Response:
        state, request, exchange = self._state, work.request, work.exchange
        if request.method == "OPTIONS":
            methods = self._table.allowed(work.path)
            preflight = self._cors.preflight(request.headers, methods) if methods else None
            if preflight is not None:
                return Response(204, headers=preflight)
        route = self._table.find(request.method, work.path)
        work.route = route
        exchange.timeout_s = state.settings.request_timeout_s
        if "x-timeout-ms" in request.headers:
            request.deadline = exchange.started + _timeout_s(request.headers["x-timeout-ms"])
            work.timer = asyncio.get_running_loop().call_at(request.deadline, exchange.give_up)
        if self._is_local:
            self._cors.refuse_foreign(request.method, request.headers, is_open=route.is_open)
        if not route.is_open:
            self._admit(work, route)
        exchange.give_up_at = exchange.started + exchange.timeout_s
        return await route.handler(request, state, work.account)

    def _admit(self, work: "_Work", route: Route) -> None:
        state, request = self._state, work.request
        if state.keys.is_used and not (route.path == METRICS and state.settings.open_metrics):
            request.key = state.keys.find(presented(request.headers))
            check_scope(request.key, "metrics" if route.path == METRICS else "embed")
        if state.phase != "ready" and route.method == "POST":
            doing = "still loading its model" if state.phase == "starting" else "shutting down"
            raise Problem(Kind.UNAVAILABLE, f"The server is {doing}. Try again shortly.", retry_after_s=RETRY_AFTER_S)
        if route.path != METRICS:
            work.reservation = self._rates.admit(request.key)
        if work.reservation is not None:
            request.read = MeteredBody(request, work.reservation, work.account)

    def _headers(self, work: "_Work", response: Response) -> list[Header]:
        headers = [("x-request-id", work.request.request_id)]
        if response.status not in (204, 304):
            headers.append(("content-type", response.content_type))
        headers += response.headers
        headers += self._cors.headers(work.request.headers)
        if work.request.key is not None:
            work.settle()
            headers += self._rates.headers(work.request.key)
        return headers

    def _of_problem(self, work: "_Work", problem: Problem) -> Response:
        dialect: Dialect = work.route.dialect if work.route else self._table.dialect(work.path)
        status = dialect.status(problem.kind)
        headers = _retry_headers(problem, status)
        if problem.kind is Kind.METHOD:
            headers.append(("allow", ", ".join(self._table.allowed(work.path))))
        if problem.kind is Kind.UNAUTHORIZED:
            headers.append(("www-authenticate", "Bearer"))
        return Response(status, dialect.error_body(problem, status, work.request.request_id), JSON, headers)

    def _ended(self, exchange: Exchange) -> Problem:
        if exchange.disconnect.is_gone:
            return Problem(Kind.GONE, "The client has hung up.")
        if not exchange.has_given_up:
            message = f"The server had to stop before this was done (--drain-s {self._state.settings.drain_s:g})."
            return Problem(Kind.UNAVAILABLE, message, retry_after_s=RETRY_AFTER_S)
        milliseconds = 1000 * (time.monotonic() - exchange.started)
        limit_s, limit = exchange.timeout_s, f"the server gives {exchange.timeout_s:g} s (--request-timeout-s)"
        asked_ms = exchange.headers.get("x-timeout-ms", "")
        if asked_ms and _timeout_s(asked_ms) < limit_s:
            limit = f"its header x-timeout-ms gives {int(asked_ms):,} ms"
        message = f"The request has taken {milliseconds:,.0f} ms; {limit}. Give it more time, or send fewer texts."
        return Problem(Kind.DEADLINE, message)

    def _note(self, work: "_Work") -> None:
        exchange, request, account = work.exchange, work.request, work.account
        seconds = time.monotonic() - exchange.started
        status = exchange.status
        if work.problem is Kind.GONE or not status:
            status = 499
        route = work.route.path if work.route else ""
        self._state.metrics.observe_request(
            route, request.method, status, seconds, account, request.key.name if request.key else ""
        )
        if work.problem is not None:
            self._state.metrics.observe_problem(work.problem)
        work.settle()
        self._log.write(
            Answered(
                request=request,
                route=route,
                status=status,
                seconds=seconds,
                account=account,
                bytes_in=exchange.bytes_in,
                bytes_out=exchange.bytes_out,
                problem=work.problem.value if work.problem else "",
            )
        )

    def _log_failure(self, work: "_Work") -> None:
        """Say where it was and of which type, without the messages of exceptions: they may hold a text."""
        kind, _, trace = sys.exc_info()
        self._log.say(
            f"{kind.__name__ if kind else 'failure'} in {work.route.path if work.route else work.request.method}",
            "error",
            request_id=work.request.request_id,
            traceback="".join(traceback.format_tb(trace)),
        )


class _Work:
    """What is known of a request while it is answered."""

    __slots__ = ("account", "exchange", "path", "problem", "request", "reservation", "route", "timer")

    def __init__(self, exchange: Exchange, request: Request, account: Account, path: str) -> None:
        self.exchange = exchange
        self.request = request
        self.account = account
        self.path = path  # as it was sent
        self.route: Route | None = None
        self.problem: Kind | None = None
        self.reservation: Reservation | None = None  # where its key has a limit of tokens
        self.timer: asyncio.TimerHandle | None = None  # of the time that the client gives

    def settle(self) -> None:
        """Let the key pay what is known of the cost by now."""
        if self.reservation is not None:
            self.reservation.settle(self.account.tokens, self.problem)


def _lease_answer(lease: Lease, size: int) -> None:
    """Hold a whole answer in place of all that it was made of, which nobody holds any more."""
    lease.release()
    lease.take(size)


def _split(target: bytes) -> tuple[str, str]:
    text = target.decode("latin-1").partition("#")[0]
    if not text.startswith("/") and "://" in text:  # as to a proxy
        text = "/" + text.partition("://")[2].partition("/")[2]
    path, _, query = text.partition("?")
    return path, query


def _request_id(sent: str) -> str:
    return sent if sent and HARMLESS_ID.fullmatch(sent) else secrets.token_hex(16)


def _timeout_s(text: str) -> float:
    if not text.isascii() or not text.isdigit() or len(text) > 20 or not 0 < int(text) <= MOST_TIMEOUT_MS:
        raise Problem(
            Kind.INVALID_VALUE,
            f"The header x-timeout-ms is {text[:80]!r}; expected whole milliseconds, 1 to {MOST_TIMEOUT_MS:,}.",
            param="x-timeout-ms",
        )
    return int(text) / 1000


def _retry_headers(problem: Problem, status: int) -> list[Header]:
    if problem.retry_after_s is None and status not in (429, 503):
        return []
    wait_s = problem.retry_after_s if problem.retry_after_s is not None else RETRY_AFTER_S
    return [("retry-after", str(max(1, math.ceil(wait_s)))), ("retry-after-ms", str(max(1, math.ceil(wait_s * 1000))))]
