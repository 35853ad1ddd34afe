"""Bodies and errors of Text Embeddings Inference (TEI), and what all of its routes read in the same way.

Source: huggingface/text-embeddings-inference, router/src/http/types.rs. Fields that TEI has not are marked.
"""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import msgspec
import orjson

from gtekit.serving.encoding import Encoded, EncodeJob, Truncation
from gtekit.serving.field_types import PromptName, Text, Texts
from gtekit.serving.inputs import find_model, find_prompt, lane_of, queried_model, truncation_for
from gtekit.serving.messages import Header, Request
from gtekit.serving.problems import Kind, Problem
from gtekit.serving.routes import Dialect
from gtekit.serving.settings import ServerSettings

if TYPE_CHECKING:
    from gtekit.serving.served_models import ServedModel
    from gtekit.serving.state import State

TOO_LONG_FIX: Final = 'send "truncate": true and have it cut'

Direction = Literal["Right", "Left", "right", "left"]  # TEI writes it large, huggingface_hub small
ONE_KIND: Final[dict[str, Any]] = {
    "minItems": 1,
    "anyOf": [{"items": {"type": "integer"}}, {"items": {"type": "array"}}],
}
TokenId = Annotated[int, msgspec.Meta(extra_json_schema={"minimum": 0})]


class Truncated(msgspec.Struct, kw_only=True):
    """How a text that is too long is treated."""

    truncate: bool | None = None  # None: as the server is set, which is true unless it was told otherwise
    truncation_direction: Direction = "Right"  # the side that is lost


class EmbedOptions(Truncated, kw_only=True):
    """What /embed and POST / can be asked beside the texts."""

    prompt_name: PromptName | None = None
    normalize: bool = True
    dimensions: Annotated[int, msgspec.Meta(ge=1)] | None = None
    model: str | None = None  # not TEI's


class EmbedRequest(EmbedOptions, kw_only=True):
    """Body of /embed."""

    inputs: Text | Texts


class EmbedAllRequest(Truncated, kw_only=True):
    """Body of /embed_all."""

    inputs: Text | Texts
    prompt_name: PromptName | None = None
    model: str | None = None  # not TEI's


class SimilarityInputs(msgspec.Struct, kw_only=True):
    """One sentence, and those that it is compared with."""

    source_sentence: Text
    sentences: Texts


class SimilarityParameters(Truncated, kw_only=True):
    """Options of /similarity."""

    prompt_name: PromptName | None = None


class SimilarityRequest(msgspec.Struct, kw_only=True):
    """Body of /similarity."""

    inputs: SimilarityInputs
    parameters: SimilarityParameters | None = None
    model: str | None = None  # not TEI's


class RootRequest(EmbedOptions, kw_only=True):
    """Body of POST /: that of /embed, or that of /similarity."""

    inputs: Text | Texts | SimilarityInputs
    parameters: SimilarityParameters | None = None


class RankRequest(Truncated, kw_only=True):
    """Body of /rerank."""

    query: Text
    texts: Texts
    raw_scores: bool = False  # changes nothing: scores are cosines either way
    return_text: bool = False
    model: str | None = None  # not TEI's


class RerankKind(msgspec.Struct, kw_only=True):
    """Whether a body of /rerank is TEI's, with `texts`, or Jina's, with `documents`."""

    texts: msgspec.Raw = msgspec.Raw()
    documents: msgspec.Raw = msgspec.Raw()


class Rank(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One entry of the answer of /rerank."""

    index: int
    score: float
    text: str | None = None


class TokenizeRequest(msgspec.Struct, kw_only=True):
    """Body of /tokenize."""

    inputs: Text | Texts
    add_special_tokens: bool = True
    prompt_name: PromptName | None = None
    model: str | None = None  # not TEI's


class Token(msgspec.Struct, kw_only=True):
    """One token; `start` and `stop` are characters of the prompt, where there is one, and the text."""

    id: int
    text: str
    special: bool
    start: int | None
    stop: int | None


class DecodeRequest(msgspec.Struct, kw_only=True):
    """Body of /decode."""

    ids: Annotated[
        list[TokenId | list[TokenId]], msgspec.Meta(extra_json_schema=ONE_KIND)
    ]  # a text, or a list for each
    skip_special_tokens: bool = True
    model: str | None = None  # not TEI's


def error_body(problem: Problem, status: int, request_id: str) -> bytes:
    """Give {"error": ..., "error_type": ...}; types begin with a capital, as in TEI's code and not in its document."""
    return orjson.dumps({"error": problem.message, "error_type": ERROR_TYPES.get(problem.kind, "Validation")})


ERROR_TYPES: Final = {
    Kind.EMPTY: "Empty",
    Kind.RATE_LIMIT: "Overloaded",
    Kind.OVERLOADED: "Overloaded",
    Kind.DEADLINE: "Overloaded",
    Kind.INTERNAL: "Backend",
    Kind.UNAVAILABLE: "Unhealthy",
}
TEI: Final = Dialect(
    "tei",
    error_body,
    dict.fromkeys((Kind.INVALID_JSON, Kind.INVALID_VALUE, Kind.TOKEN_IDS, Kind.TOO_LONG, Kind.TOO_MANY), 422),
)


def model_of(request: Request, state: "State", name: str | None) -> "ServedModel":
    """Give the model that the body names, or the address (?model=NAME), for clients that can change that alone.

    Raises:
        Problem: If there is no such model, or the address asks for something else.
    """
    queried = queried_model(request)
    return find_model(state, queried if name is None else name)


def truncation_of(asked: Truncated, settings: ServerSettings) -> Truncation:
    """Give what happens to a text that is too long. What the request says goes before the settings."""
    truncation = truncation_for(settings, "end")
    if asked.truncate is False:
        return "error"
    if asked.truncate:
        truncation = "end"
    is_left = asked.truncation_direction.lower() == "left"
    return "start" if is_left and truncation == "end" else truncation


def encode_job(
    request: Request,
    served: "ServedModel",
    texts: Sequence[str],
    truncation: Truncation,
    prompt_name: str | None,
) -> EncodeJob:
    """Give what the scheduler needs, with the limits that the headers of the request set."""
    return EncodeJob(
        texts=texts,
        prompt=find_prompt(served, name=prompt_name),
        truncation=truncation,
        lane=lane_of(request),
        deadline=request.deadline,
        disconnect=request.disconnect,
        lease=request.lease,
        text_name="inputs",
        too_long_fix=TOO_LONG_FIX,
    )


def compute_headers(started: float, characters: int, *encoded: Encoded) -> list[Header]:
    """Say what a request took, in whole milliseconds, under TEI's names.

    Args:
        started: Of time.monotonic(), when work on the request began.
        characters: Of all its texts.
        encoded: What was computed side by side.
    """
    total = _milliseconds(time.monotonic() - started)
    return [
        ("x-compute-type", "cpu+optimized"),
        ("x-compute-time", total),
        ("x-compute-characters", str(characters)),
        ("x-compute-tokens", str(sum(one.tokens for one in encoded))),
        ("x-total-time", total),
        ("x-tokenization-time", _milliseconds(max(one.tokenization_s for one in encoded))),
        ("x-queue-time", _milliseconds(max(one.queue_s for one in encoded))),
        ("x-inference-time", _milliseconds(max(one.inference_s for one in encoded))),
    ]


def _milliseconds(seconds: float) -> str:
    return str(int(seconds * 1000))
