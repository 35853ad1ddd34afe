"""What requests bring, checked once for all dialects: bodies, texts, names of models and prompts, numbers."""

import re
from collections.abc import Hashable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, NoReturn, TypeVar, cast
from urllib.parse import parse_qs

import msgspec
import numpy as np

from gtekit.config import EncodeOptions
from gtekit.errors import ArgumentError
from gtekit.inputs import DOCUMENT_PROMPTS, QUERY_PROMPTS, choose_prompt
from gtekit.serving.encoding import Encoded, EncodeJob, Lane, Truncation
from gtekit.serving.messages import Account, Request
from gtekit.serving.problems import Kind, Problem
from gtekit.serving.refused_bodies import TOKEN_IDS, UNREADABLE, problem_of
from gtekit.serving.settings import ServerSettings

if TYPE_CHECKING:
    from gtekit.serving.served_models import ServedModel, ServedModels
    from gtekit.serving.state import State

T = TypeVar("T")
Role = Literal["query", "document"]

MOST_STRINGS = 1_000_000  # of a body: '"a",' is 4 bytes on the wire and 65 in memory, so 32 MB would become 530 MB
SHOWN_CHARS = 80  # of what a client sent, in a message
MOST_NAME_CHARS = 1000  # of a model, which may be a folder: a longer one is not there, and is not repeated whole
POLICIES: dict[str, Truncation] = {"error": "error", "cut": "end", "chunk": "chunk"}  # of --on-truncation
ROLE_PROMPTS: dict[Role, Sequence[str]] = {"query": QUERY_PROMPTS, "document": DOCUMENT_PROMPTS}


async def read_json(request: Request, kind: type[T], models: "ServedModels | None" = None) -> T:
    """Give the body of a request as `kind`.

    It is decoded on the event loop: msgspec keeps the interpreter to itself, in a thread too, and takes 0.7 ms per MB.

    Args:
        request: What came.
        kind: What its body should be.
        models: Those to choose from, where the body has to name one.

    Raises:
        Problem: If it is not said to be JSON, or is not, or not of that type; or if it can't be received.
    """
    check_content_type(request)
    body = await request.body()
    try:
        return decode(kind, body)
    except Problem as problem:
        if models is None or problem.param != "model":
            raise
        message = f"{problem.message} Models here: {', '.join(models.names())}."
        raise Problem(problem.kind, message, param="model") from None


def check_content_type(request: Request) -> None:
    """Make sure that a body is said to be JSON in UTF-8: a web page can't say so unless it was allowed to call.

    Raises:
        Problem: If it is not.
    """
    found = request.header("content-type")
    media, _, parameters = found.partition(";")
    charset = re.search(r"charset\s*=\s*\"?([^\s\";]+)", parameters, re.IGNORECASE)
    if media.strip().lower() != "application/json" or (charset and charset[1].lower() not in ("utf-8", "utf8")):
        raise Problem(
            Kind.MEDIA_TYPE,
            f"content-type is {shown(found)}, expected application/json in UTF-8; with curl: "
            "-H 'content-type: application/json'.",
        )


def decode(kind: type[T], body: bytes) -> T:
    """Give JSON as `kind`; fields that it does not know are passed over.

    Raises:
        Problem: If it is not JSON, of other types, holds token ids, or more strings than a server should keep.
    """
    if body.count(b'"') > 2 * MOST_STRINGS and _count_strings(body) > MOST_STRINGS:
        raise Problem(
            Kind.TOO_MANY, f"the body holds more than {MOST_STRINGS:,} strings; send fewer in each of several requests."
        )
    try:
        return cast("T", _decoder(cast("Hashable", kind)).decode(body))
    except UNREADABLE as error:
        raise problem_of(error, kind, body) from None


@cache
def _decoder(kind: Hashable) -> "msgspec.json.Decoder[Any]":
    return msgspec.json.Decoder(cast("type[Any]", kind))


def _count_strings(body: bytes) -> int:
    return body.replace(b"\\\\", b"").replace(b'\\"', b"").count(b'"') // 2


def check_texts(texts: str | Sequence[object], settings: ServerSettings, name: str) -> list[str]:
    """Give the texts of a request as a list.

    Args:
        texts: One, or several.
        settings: How many and how long they may be.
        name: What the client calls them.

    Raises:
        Problem: If there are none or too many, or one is empty, too long, or not a text.
    """
    several = [texts] if isinstance(texts, str) else list(texts)
    if not several:
        raise Problem(Kind.EMPTY, f"{name} is empty; send at least one text.", param=name)
    if len(several) > settings.max_texts:
        raise Problem(
            Kind.TOO_MANY,
            f"{name} has {len(several):,} texts, the limit is {settings.max_texts:,}. Send them in several requests, "
            f"or start the server with --max-texts {len(several)}.",
            param=name,
        )
    if set(map(type, several)) != {str}:
        _refuse_types(several, name)
    checked = cast("list[str]", several)
    if not all(checked):
        where = name if isinstance(texts, str) else f"{name}[{checked.index('')}]"
        raise Problem(
            Kind.EMPTY, f"{where} is an empty string, which has no meaning to embed; leave it out.", param=name
        )
    if len(longest := max(checked, key=len)) > settings.max_text_chars:
        where = name if isinstance(texts, str) else f"{name}[{checked.index(longest)}]"
        raise Problem(
            Kind.TOO_LONG,
            f"{where} has {len(longest):,} characters, the limit is {settings.max_text_chars:,}. Split it, or start "
            f"the server with --max-text-chars {len(longest)}.",
            param=name,
        )
    return checked


def _refuse_types(texts: Sequence[object], name: str) -> NoReturn:
    index, wrong = next((index, text) for index, text in enumerate(texts) if type(text) is not str)
    if all(_is_ids(text) for text in texts):
        raise Problem(Kind.TOKEN_IDS, f"{name}[{index}]: {TOKEN_IDS}", param=name)
    raise Problem(Kind.INVALID_VALUE, f"{name}[{index}] is a {type(wrong).__name__}, expected a string.", param=name)


def _is_ids(text: object) -> bool:
    return type(text) is int or (isinstance(text, list) and all(type(number) is int for number in text))


def find_model(state: "State", name: str | None) -> "ServedModel":
    """Give the model that a request names; the default one for None.

    Raises:
        Problem: If there is no such model, or models are still being loaded.
    """
    if state.models is None:
        raise Problem(Kind.UNAVAILABLE, "the models are being loaded; try again in a moment.", retry_after_s=1.0)
    return state.models.find(name if name is None else name[:MOST_NAME_CHARS])


def queried_model(request: Request) -> str | None:
    """Give the model that the address names, as in ?model=NAME; None where it names none.

    Raises:
        Problem: If the address asks for something else: a misspelled name must not pass unseen.
    """
    asked = parse_qs(request.query, keep_blank_values=True)
    unknown = next((name for name in asked if name != "model"), None)
    if unknown is not None:
        raise Problem(
            Kind.INVALID_VALUE,
            f"the address asks for {shown(unknown)}; only ?model=NAME is known here, all else goes into the body.",
            param=unknown[:SHOWN_CHARS],
        )
    return asked.get("model", [None])[0]


def find_prompt(served: "ServedModel", *, name: str | None = None, role: Role | None = None) -> str:
    """Give what goes before each text, "" for nothing.

    Args:
        served: The model.
        name: Of one of its prompts, as the client wrote it.
        role: What the texts are, where the client says so and names no prompt.

    Raises:
        Problem: If the model has no prompt of that name.
    """
    model = served.model
    if name is None and role is not None:
        name = next((prompt for prompt in ROLE_PROMPTS[role] if prompt in model.prompts), None)
    try:
        return choose_prompt(model.prompts, model.checkpoint.default_prompt_name, EncodeOptions(prompt_name=name))
    except ArgumentError:
        known = ", ".join(map(repr, model.prompts)) or "none"
        raise Problem(
            Kind.INVALID_VALUE,
            f"{served.name} has no prompt named {shown(name or '')}; it has: {known}.",
            param="prompt_name",
        ) from None


def truncation_for(settings: ServerSettings, of_dialect: Truncation) -> Truncation:
    """Give what happens to a text that is too long, where the request does not say."""
    return of_dialect if settings.on_truncation == "dialect" else POLICIES[settings.on_truncation]


def lane_of(request: Request) -> Lane | None:
    """Give the lane that the header x-priority asks for, None where it does not.

    Raises:
        Problem: If it asks for something else.
    """
    found = request.headers.get("x-priority")
    if found in ("interactive", "bulk"):
        return cast("Lane", found)
    if found is not None:
        raise Problem(Kind.INVALID_VALUE, f"x-priority is {shown(found)}; choose from: interactive, bulk.")
    return None


def check_dimensions(
    served: "ServedModel", dimensions: int | None, settings: ServerSettings, name: str = "dimensions"
) -> int | None:
    """Make sure that vectors may be as short as asked.

    Raises:
        Problem: If there is no such length, or the model was not trained to be shortened and nobody allowed it.
    """
    full = served.model.dimension
    if dimensions is None or dimensions == full:
        return None
    if not 1 <= dimensions <= full:
        raise Problem(
            Kind.INVALID_VALUE, f"{name} is {dimensions}; {served.name} gives vectors of 1 to {full}.", param=name
        )
    if not settings.allow_dimensions:
        raise Problem(
            Kind.INVALID_VALUE,
            f"{name} is {dimensions}, and {served.name} was not trained to be shortened (Matryoshka): the first "
            f"{dimensions} of its {full} numbers find less. Leave {name} out, or start the server with "
            "--allow-dimensions.",
            param=name,
        )
    return dimensions


async def embed(served: "ServedModel", job: EncodeJob, account: Account) -> Encoded:
    """Embed the texts of a job and write down what that took.

    Raises:
        Problem: If a text is too long and that is refused, the queue is full, time is up, or nobody waits any more.
    """
    account.model = served.name
    account.texts += len(job.texts)
    encoded = await served.scheduler.encode(job, account)
    add_cost(account, encoded)
    if not np.isfinite(encoded.embeddings).all():
        raise Problem(Kind.INTERNAL, "a vector holds a number that is not finite; it was not sent.")
    return encoded


def add_cost(account: Account, encoded: Encoded) -> None:
    """Add what one job took to what the request has cost."""
    if account.lane != "bulk":  # a request in both lanes is one of a bulk job
        account.lane = encoded.lane
    account.tokens += encoded.tokens
    account.truncated += len(encoded.truncated)
    account.cached += encoded.cached
    account.deduplicated += encoded.deduplicated
    account.tokenization_s += encoded.tokenization_s
    account.queue_s += encoded.queue_s
    account.inference_s += encoded.inference_s


def shown(value: str) -> str:
    """Give what a client sent for a message: quoted, and not all of it where it is long."""
    return repr(value if len(value) <= SHOWN_CHARS else f"{value[:SHOWN_CHARS]}...")
