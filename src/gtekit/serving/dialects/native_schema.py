"""The bodies of gtekit's own routes. A field that is not known is refused: a misspelled option must not pass unseen."""

from typing import Annotated, Literal

import msgspec

from gtekit.serving.dialects.model_facts import ModelFacts
from gtekit.serving.field_types import Dimensions, MaxTokens, PromptName
from gtekit.serving.inputs import Role

Policy = Literal["warn", "error", "ignore", "chunk"]  # as in EncodeOptions; "warn" and "ignore" cut, and headers say so
Integer = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]  # that every reader of JSON has


class TextsRequest(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Texts for the tokenizer."""

    texts: list[str]
    model: str | None = None


class ReportRequest(TextsRequest, kw_only=True):
    """Texts of which some may be too long."""

    prompt_name: PromptName | None = None
    prompt: str | None = None  # wins over prompt_name
    max_tokens: MaxTokens | None = None  # fewer than the model reads


class StatesRequest(ReportRequest, kw_only=True):
    """Texts whose tokens get a vector each."""

    on_truncation: Annotated[Policy, msgspec.Meta(extra_json_schema={"not": {"const": "chunk"}})] | None = None


class ChunksRequest(ReportRequest, kw_only=True):
    """Texts to embed in pieces of at most `max_tokens`."""

    overlap_tokens: Annotated[int, msgspec.Meta(extra_json_schema={"minimum": 0})] | None = None
    normalize: bool | None = None
    dimensions: Dimensions | None = None


class EncodeOptions(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """How texts are embedded: fields of a JSON body, and the query string of a stream."""

    model: str | None = None
    input_type: Role | None = None  # chooses the model's prompt where none is named
    prompt_name: PromptName | None = None
    prompt: str | None = None  # wins over prompt_name
    max_tokens: MaxTokens | None = None  # fewer than the model reads
    on_truncation: Policy | None = None  # None: as the server is set, "warn" unless told otherwise
    normalize: bool | None = None
    dimensions: Dimensions | None = None  # keep the first so many, then normalize again
    encoding: Literal["float", "base64"] = "float"  # of vectors in JSON


class EncodeRequest(EncodeOptions, kw_only=True):
    """Texts to embed."""

    texts: list[str]
    return_lengths: bool = False  # the tokens of each text before any cut: in JSON, or as int32 behind the vectors


class EncodeLine(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One line of a stream; a plain JSON string does as well."""

    text: str
    id: str | Integer | None = None  # comes back with the vector


class EncodeAnswer(msgspec.Struct, kw_only=True):
    """Vectors as JSON."""

    model: str
    embeddings: list[list[float] | str]  # numbers, or base64 of little-endian float32
    tokens: int  # that were read
    truncated: list[int]  # the texts that were cut
    lengths: list[int] | None = None


class ChunksAnswer(msgspec.Struct, kw_only=True):
    """Vectors of pieces as JSON."""

    model: str
    embeddings: list[list[float]]
    text_index: list[int]  # which text each piece is of
    offsets: list[Annotated[list[int], msgspec.Meta(min_length=2, max_length=2)]]  # from and to in characters
    tokens: int


class CountsAnswer(msgspec.Struct):
    """How many tokens each text has."""

    counts: list[int]


class TokensAnswer(msgspec.Struct):
    """The tokens of each text as the model sees them, not cut."""

    tokens: list[list[str]]


class TokenPlaces(msgspec.Struct):
    """The tokens of one text, special tokens left out, and the characters that each comes from."""

    token_ids: list[int]
    starts: list[int]
    ends: list[int]
    is_word_start: list[bool]


class PlacesAnswer(msgspec.Struct):
    """Where the tokens of each text are."""

    texts: list[TokenPlaces]


class Cut(msgspec.Struct, kw_only=True):
    """One text that is longer than the model reads."""

    index: int
    token_count: int
    tokens_kept: int
    tokens_lost: int
    cut_at: int  # the character where the cut falls


class ReportAnswer(msgspec.Struct):
    """The texts that would be cut."""

    truncations: list[Cut]


class ModelAnswer(ModelFacts, kw_only=True):
    """What a client has to know of a model and its server."""

    cls_id: int
    sep_id: int
    max_texts: int  # of a request
    max_text_chars: int  # of each text
    max_body_bytes: int
    requests_per_minute: int | None  # of the key that asks; null: it has no limit, or none is needed
    tokens_per_minute: int | None
    version: str  # of gtekit
