"""Bodies and errors of Cohere v2.

Source:
    cohere-python bc495da, generated from Cohere's API definition. Fields that Cohere has not are marked.
"""

from typing import Annotated, Final, Literal

import msgspec
import orjson

from gtekit.config import FEWEST_TOKENS
from gtekit.serving.field_types import Text, Texts
from gtekit.serving.problems import Problem
from gtekit.serving.routes import Dialect

Truncate = Literal["NONE", "START", "END"]
EmbeddingType = Literal["float", "int8", "uint8", "binary", "ubinary", "base64"]
InputType = Literal["search_document", "search_query", "classification", "clustering", "image"]
Tokens = Annotated[int, msgspec.Meta(ge=FEWEST_TOKENS)]


class Content(msgspec.Struct, kw_only=True):
    """A part of an input: text, as images are refused."""

    type: Annotated[Literal["text", "image_url"], msgspec.Meta(extra_json_schema={"not": {"const": "image_url"}})]
    text: str | None = None


class Input(msgspec.Struct, kw_only=True):
    """An input in parts, which become one text with a newline between them."""

    content: Annotated[list[Content], msgspec.Meta(extra_json_schema={"minItems": 1})]


class EmbedV2Request(msgspec.Struct, kw_only=True):
    """Body of /v2/embed: `texts` or `inputs`."""

    model: str
    input_type: Annotated[InputType, msgspec.Meta(extra_json_schema={"not": {"const": "image"}})]
    texts: Texts | None = None
    inputs: Annotated[list[Input], msgspec.Meta(extra_json_schema={"minItems": 1})] | None = None
    images: Annotated[list[str], msgspec.Meta(extra_json_schema={"maxItems": 0})] | None = None  # refused
    max_tokens: Tokens | None = None
    output_dimension: Annotated[int, msgspec.Meta(ge=1)] | None = None
    embedding_types: list[EmbeddingType] | None = None  # None: float
    truncate: Truncate | None = None  # None: END, unless the server is set to something else
    priority: Annotated[int, msgspec.Meta(ge=0)] = 0  # above 0: the bulk lane


class BilledUnits(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What Cohere would charge."""

    input_tokens: int | None = None
    search_units: int | None = None


class Version(msgspec.Struct, kw_only=True):
    """Of the API."""

    version: str = "2"


class TokenCounts(msgspec.Struct, kw_only=True):
    """Tokens that were read."""

    input_tokens: int


class Meta(msgspec.Struct, kw_only=True):
    """What a request took, and what was cut."""

    api_version: Version
    billed_units: BilledUnits
    tokens: TokenCounts
    warnings: list[str] | msgspec.UnsetType = msgspec.UNSET
    int8_scale: float | msgspec.UnsetType = msgspec.UNSET  # ours: a byte times this is the number


class Vectors(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The types that were asked for, each as long as `texts`."""

    float_: list[list[float]] | None = msgspec.field(default=None, name="float")
    int8: list[list[int]] | None = None
    uint8: list[list[int]] | None = None
    binary: list[list[int]] | None = None
    ubinary: list[list[int]] | None = None
    base64: list[str] | None = None


class EmbedV2Answer(msgspec.Struct, kw_only=True):
    """Answer of /v2/embed."""

    id: str
    embeddings: Vectors
    texts: list[str]
    response_type: Literal["embeddings_by_type"]
    meta: Meta


class RerankV2Request(msgspec.Struct, kw_only=True):
    """Body of /v2/rerank."""

    model: str
    query: Text
    documents: Texts
    top_n: Annotated[int, msgspec.Meta(ge=1)] | None = None  # None: all
    max_tokens_per_doc: Tokens = 4096
    priority: Annotated[int, msgspec.Meta(ge=0)] = 0  # above 0: the bulk lane


class RerankV2Result(msgspec.Struct, kw_only=True):
    """One document. The score is its cosine with the query, 0 where that is below 0; the order is the cosine's."""

    index: int
    relevance_score: Annotated[float, msgspec.Meta(ge=0, le=1)]


class RerankV2Answer(msgspec.Struct, kw_only=True):
    """Answer of /v2/rerank, the best first."""

    id: str
    results: list[RerankV2Result]
    meta: Meta


def error_body(problem: Problem, status: int, request_id: str) -> bytes:
    """Give {"message": ..., "id": ...}."""
    return orjson.dumps({"message": problem.message, "id": request_id})


COHERE: Final = Dialect("cohere", error_body)
