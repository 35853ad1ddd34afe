"""Is it alive, has it started, does it answer rightly: routes for whoever runs the server, open without a key.

Readiness embeds a golden text again, through the queue as a request would, and compares bits with the library.
"""

import asyncio
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np

from gtekit.arrays import Floats
from gtekit.serving.dialects.tei_shapes import TEI
from gtekit.serving.encoding import LANES, EncodeJob
from gtekit.serving.messages import Account, Request, Response
from gtekit.serving.own_thread import on_own_thread
from gtekit.serving.problems import Kind, Problem
from gtekit.serving.routes import Route

if TYPE_CHECKING:
    from gtekit.serving.served_models import ServedModel, ServedModels
    from gtekit.serving.state import State

T = TypeVar("T")

GOLDEN: Final = "The quick brown fox jumps over the lazy dog."
CHECK_TIMEOUT_S: Final = 20.0  # a query waits a fraction of a second even beside bulk jobs; longer is stuck
RETRY_S: Final = 1.0


@dataclass(slots=True, eq=False)
class Readiness:
    """What the golden text gave at the start, and how the last check went."""

    vectors: Mapping[str, Floats]  # by name of the model, (D,) each
    checked_at: float = float("-inf")  # of time.monotonic()
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


async def check_ready(state: "State") -> str:
    """Say why the server should get no requests; "" where it should.

    An answer is kept for `ready_check_s` seconds, and whoever asks during a check waits for that one. The first check
    remembers the vectors that later ones are compared with.
    """
    if state.models is None:
        return "The models are being loaded."
    if state.phase == "draining":
        return "The server is stopping."
    if state.readiness is None:
        state.readiness = Readiness({})
    readiness = state.readiness
    async with readiness.lock:
        if time.monotonic() - readiness.checked_at >= state.settings.ready_check_s:
            models = state.models
            if not readiness.vectors:
                readiness.vectors = await on_own_thread(lambda: _remember(models), "ready")
            failure = await _failure(state.models, readiness.vectors, CHECK_TIMEOUT_S)
            if failure is not None:
                state.failure = failure
                state.metrics.observe_ready_check(not failure)
            readiness.checked_at = time.monotonic()
    return state.failure


async def live(request: Request, state: "State", account: Account) -> Response:
    """Answer: that is all there is to know."""
    return Response(body=b'{"status":"live"}')


async def startup(request: Request, state: "State", account: Account) -> Response:
    """Say whether all models are loaded."""
    if state.models is None:
        raise Problem(Kind.UNAVAILABLE, "The models are being loaded.", retry_after_s=RETRY_S)
    return Response(body=b'{"status":"started"}')


async def ready(request: Request, state: "State", account: Account) -> Response:
    """Say whether requests are answered, and answered rightly."""
    await _refuse_unready(state)
    return Response(body=b'{"status":"ready"}')


async def health(request: Request, state: "State", account: Account) -> Response:
    """As `ready`, with the empty body that TEI gives."""
    await _refuse_unready(state)
    return Response(content_type="text/plain; charset=utf-8")


async def _refuse_unready(state: "State") -> None:
    if reason := await check_ready(state):
        raise Problem(Kind.UNAVAILABLE, reason, retry_after_s=RETRY_S)


def _remember(models: "ServedModels") -> dict[str, Floats]:
    """Embed the golden text with each model, past the queue."""
    vectors = {}
    for served in models:
        vectors[served.name] = served.model.encode_one(GOLDEN, prompt="")
        served.model.fingerprint  # noqa: B018 - hashes the weights once, here and not on the event loop
    return vectors


async def _failure(models: "ServedModels", vectors: Mapping[str, Floats], timeout_s: float) -> str | None:
    """Say what is wrong, "" where nothing is, None where it can't be said: a full or a long queue is no fault."""
    for served in models:
        before = served.scheduler.calls
        try:
            async with asyncio.timeout(timeout_s):
                reason = await _failure_of(served, vectors[served.name])
        except TimeoutError:
            if served.scheduler.calls > before and served.scheduler.is_alive:
                return None
            reason = f"the golden text was not embedded within {timeout_s:g} s"
        except Problem as problem:
            if problem.kind is Kind.OVERLOADED:
                return None
            reason = f"the golden text was refused: {problem.message}"
        except Exception as error:
            reason = f"the golden text failed with {type(error).__name__}"
        if reason:
            return f"{served.name}: {reason}. Restart the server; gtekit verify says more."
    return ""


async def _failure_of(served: "ServedModel", golden: Floats) -> str:
    # the queue may have a cache, which knows the golden text: the second text is a new one each time
    new = f"{GOLDEN} {secrets.token_hex(4)}"
    expected = await on_own_thread(lambda: served.model.encode([GOLDEN, new], prompt=""), "ready")
    if not np.array_equal(expected[0], golden):
        return "the golden text has another vector than at the start"
    for lane in LANES:
        encoded = await served.scheduler.encode(EncodeJob(texts=[GOLDEN, new], lane=lane, is_first=True))
        if not np.array_equal(encoded.embeddings, expected):
            return "the queue gave another vector of the golden text than the model"
    return ""


ROUTES: Final = (
    Route(
        method="GET",
        path="/live",
        dialect=TEI,
        handler=live,
        summary="Whether the process answers at all",
        response_text="It does.",
        is_open=True,
    ),
    Route(
        method="GET",
        path="/startup",
        dialect=TEI,
        handler=startup,
        summary="Whether all models are loaded",
        response_text="They are.",
        is_open=True,
    ),
    Route(
        method="GET",
        path="/ready",
        dialect=TEI,
        handler=ready,
        summary="Whether a golden text still has its vector, to the last bit",
        response_text="It has; 503 with the reason otherwise.",
        is_open=True,
    ),
    Route(
        method="GET",
        path="/health",
        dialect=TEI,
        handler=health,
        summary="As /ready, with TEI's empty body",
        response_text="Empty.",
        is_open=True,
    ),
    Route(
        method="GET",
        path="/ping",
        dialect=TEI,
        handler=health,
        summary="As /health",
        response_text="Empty.",
        is_open=True,
    ),
)
