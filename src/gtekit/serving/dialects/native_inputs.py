"""What the native routes check, in their own words: an empty text is one here, as it is for a local model."""

from typing import TYPE_CHECKING, Final

import orjson

from gtekit.config import FEWEST_TOKENS
from gtekit.serving.dialects.native_schema import ChunksRequest, EncodeOptions, Policy, ReportRequest, StatesRequest
from gtekit.serving.encoding import EncodeJob, Truncation
from gtekit.serving.inputs import find_prompt, lane_of, truncation_for
from gtekit.serving.messages import OCTETS, Request
from gtekit.serving.problems import Kind, Problem
from gtekit.serving.routes import Dialect
from gtekit.serving.settings import ServerSettings

if TYPE_CHECKING:
    from gtekit.serving.served_models import ServedModel

CHARS_OF_TOKEN: Final = 20  # of a prompt, at most: longer words are none
CUT_FIX: Final = 'ask for its beginning with "on_truncation": "warn"'
CHUNK_FIX: Final = f'{CUT_FIX} or for all of it, in pieces, with "on_truncation": "chunk"'
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
        max_tokens=check_range("max_tokens", asked.max_tokens, FEWEST_TOKENS, served.model.max_tokens),
        prompt=prompt_of(served, asked),
        truncation=policy,
        lane=lane_of(request),
        deadline=request.deadline,
        disconnect=request.disconnect,
        lease=request.lease,
        too_long_fix=CHUNK_FIX if isinstance(asked, EncodeOptions) else CUT_FIX,
    )
    if isinstance(asked, EncodeOptions):
        job.normalize = asked.normalize
        job.dimensions = check_range("dimensions", asked.dimensions, 1, served.model.dimension)
    return job


def prompt_of(served: "ServedModel", asked: EncodeOptions | ReportRequest | ChunksRequest) -> str:
    """Give what goes before each text.

    Raises:
        Problem: If the model has no prompt of the name that was asked for, or a prompt leaves no room for a text.
    """
    if asked.prompt is None:
        role = asked.input_type if isinstance(asked, EncodeOptions) else None
        return find_prompt(served, name=asked.prompt_name, role=role)
    # it goes before every text: a million characters would be copied and tokenized ten thousand times
    most = CHARS_OF_TOKEN * served.model.max_tokens
    if len(asked.prompt) > most:
        raise Problem(
            Kind.INVALID_VALUE,
            f"prompt has {len(asked.prompt):,} characters, at most {most:,} are taken. It goes before every text: "
            "shorten it.",
            param="prompt",
        )
    room_for_text(served, asked, asked.prompt)
    return asked.prompt


def room_for_text(served: "ServedModel", asked: EncodeOptions | ReportRequest | ChunksRequest, prompt: str) -> int:
    """Count the tokens that a prompt leaves for a text, at least 1.

    Raises:
        Problem: If it leaves none.
    """
    limit = asked.max_tokens or served.model.max_tokens
    tokens = len(served.model.tokenizer.encode_with_offsets(prompt).token_ids)
    if tokens > limit - FEWEST_TOKENS:
        raise Problem(
            Kind.INVALID_VALUE,
            f"the prompt has {tokens} tokens, which leaves no room in {limit}.",  # in the words of chunk_texts
            param="prompt_name" if asked.prompt is None else "prompt",
        )
    return limit - FEWEST_TOKENS - tokens + 1


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
