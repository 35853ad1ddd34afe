"""What the native routes check, in their own words: an empty text is one here, as it is for a local model."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import orjson

from gtekit.config import FEWEST_TOKENS
from gtekit.errors import GtekitError
from gtekit.serving.dialects.native_schema import ChunksRequest, EncodeOptions, Policy, ReportRequest, StatesRequest
from gtekit.serving.encoding import EncodeJob, Truncation
from gtekit.serving.inputs import find_prompt, lane_of, truncation_for
from gtekit.serving.messages import OCTETS, Request
from gtekit.serving.problems import Kind, Problem
from gtekit.serving.routes import Dialect
from gtekit.serving.settings import ServerSettings

if TYPE_CHECKING:
    from gtekit.serving.served_models import ServedModel

T = TypeVar("T")
POLICIES: dict[Policy, Truncation] = {"warn": "end", "ignore": "end", "error": "error", "chunk": "chunk"}


def error_values(problem: Problem) -> dict[str, str | None]:
    """Give what a body says of a problem."""
    return {"kind": problem.kind.value, "message": problem.message, "param": problem.param}


def _error_body(problem: Problem, status: int, request_id: str) -> bytes:
    return orjson.dumps({"error": {**error_values(problem), "request_id": request_id}})


NATIVE = Dialect("native", _error_body)


def check_list(texts: list[str], settings: ServerSettings) -> None:
    """Make sure that texts are not too many and none has too many characters.

    Raises:
        Problem: If they are.
    """
    if len(texts) > settings.max_texts:
        raise Problem(
            Kind.TOO_MANY,
            f"texts has {len(texts):,} texts, the limit is {settings.max_texts:,}. Send them in several requests, as "
            "lines of application/x-ndjson, or start the server with a larger --max-texts.",
            param="texts",
        )
    longest = max(map(len, texts), default=0)
    if longest > settings.max_text_chars:
        index = next(index for index, text in enumerate(texts) if len(text) == longest)
        raise Problem(
            Kind.TOO_LARGE,
            f"texts[{index}] has {longest:,} characters, the limit is {settings.max_text_chars:,}. Split it, or start "
            "the server with a larger --max-text-chars.",
            param="texts",
        )


def make_job(
    served: "ServedModel",
    asked: EncodeOptions | StatesRequest,
    texts: list[str],
    settings: ServerSettings,
    request: Request,
) -> EncodeJob:
    """Give the job that a request asks for, with everything checked that can be before it is queued.

    Raises:
        Problem: If a value is not possible.
    """
    policy = truncation_for(settings, "end") if asked.on_truncation is None else POLICIES[asked.on_truncation]
    job = EncodeJob(
        texts=texts,
        prompt=prompt_of(served, asked),
        truncation=policy,
        max_tokens=check_range("max_tokens", asked.max_tokens, FEWEST_TOKENS, served.model.max_tokens),
        lane=lane_of(request),
        deadline=request.deadline,
        disconnect=request.disconnect,
    )
    if isinstance(asked, EncodeOptions):
        job.normalize = asked.normalize
        job.dimensions = check_range("dimensions", asked.dimensions, 1, served.model.dimension)
    return job


def prompt_of(served: "ServedModel", asked: EncodeOptions | ReportRequest | ChunksRequest) -> str:
    """Give what goes before each text.

    Raises:
        Problem: If the model has no prompt of the name that was asked for.
    """
    if asked.prompt is not None:
        return asked.prompt
    role = asked.input_type if isinstance(asked, EncodeOptions) else None
    return find_prompt(served, name=asked.prompt_name, role=role)


def check_range(name: str, value: int | None, least: int, most: int) -> int | None:
    """Make sure that a number is possible.

    Raises:
        Problem: If it is not.
    """
    if value is not None and not least <= value <= most:
        raise Problem(
            Kind.INVALID_VALUE, f"{name} is {value}; choose a whole number, {least:,} to {most:,}.", param=name
        )
    return value


def wants_octets(request: Request) -> bool:
    """Say whether the client asks for float32 in place of JSON."""
    return OCTETS in request.header("accept").lower()


async def in_thread(work: Callable[[], T]) -> T:
    """Do what takes longer than the event loop has, such as tokenizing.

    Raises:
        Problem: If the work raises an error of gtekit: the request is wrong.
    """
    try:
        return await asyncio.to_thread(work)
    except GtekitError as error:
        raise Problem(Kind.INVALID_VALUE, str(error)) from None
