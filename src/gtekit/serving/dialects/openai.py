"""OpenAI's embeddings and models, with Jina's and some fields of our own that clients send beside them.

OpenAI takes 2,048 texts in a request and refuses more; here --max-texts says how many, and the queue splits them.

Source:
    openai-openapi f85dbe2 and openai-python e43b422; of Jina's fields only what its clients send.
"""

import time
from collections.abc import AsyncIterator, Sequence, Set
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
import orjson

from gtekit.arrays import Floats
from gtekit.serving.answers import (
    SLICE_ROWS,
    RowWriter,
    base64_rows,
    binary_rows,
    float_rows,
    octet_body,
    shape_header,
    slices,
    space_headers,
    truncation_headers,
    ubinary_rows,
)
from gtekit.serving.encoding import Encoded, EncodeJob, Truncation
from gtekit.serving.field_types import Dimensions, PromptName, Text, Texts
from gtekit.serving.inputs import (
    POLICIES,
    Role,
    check_dimensions,
    check_texts,
    embed,
    find_model,
    find_prompt,
    lane_of,
    read_json,
    shown,
    truncation_for,
)
from gtekit.serving.messages import OCTETS, Account, Request, Response
from gtekit.serving.problems import Kind, Problem
from gtekit.serving.routes import Dialect, Route

if TYPE_CHECKING:
    from gtekit.serving.served_models import ServedModel
    from gtekit.serving.settings import ServerSettings
    from gtekit.serving.state import State

EmbeddingType = Literal["float", "base64", "binary", "ubinary"]

WRITERS: dict[EmbeddingType, RowWriter] = {
    "float": float_rows,
    "base64": base64_rows,
    "binary": binary_rows,
    "ubinary": ubinary_rows,
}
ROLES: dict[str, Role | None] = {  # what Jina, Cohere, Voyage and NVIDIA call them
    "query": "query",
    "retrieval.query": "query",
    "search_query": "query",
    "document": "document",
    "passage": "document",
    "retrieval.passage": "document",
    "search_document": "document",
    "text-matching": None,
    "classification": None,
    "clustering": None,
    "separation": None,
}
RoleName = Annotated[str, msgspec.Meta(extra_json_schema={"enum": list(ROLES)})]
STARTED = int(time.time())


class EmbeddingsRequest(msgspec.Struct, kw_only=True):
    """Texts to embed. Fields that are not here are passed over."""

    input: Text | Texts
    model: str | None = None  # None: the first that is served
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: Dimensions | None = None
    user: str | None = None
    # Jina's
    task: RoleName | None = None
    embedding_type: EmbeddingType | None = None  # wins over encoding_format, which OpenAI's client always sends
    normalized: bool | None = None
    truncate: bool | None = None
    late_chunking: Annotated[bool, msgspec.Meta(extra_json_schema={"enum": [False]})] | None = None
    # ours
    on_truncation: Literal["error", "cut", "chunk"] | None = None
    prompt_name: PromptName | None = None
    input_type: RoleName | None = None


class Embedding(msgspec.Struct, kw_only=True):
    """The vector of one text: numbers, or base64 of float32, little-endian."""

    object: Literal["embedding"]
    index: int
    embedding: list[float] | str
    truncated: bool = False  # only there where it is true


class EmbeddingsUsage(msgspec.Struct, kw_only=True):
    """Tokens that were read, and how many texts were cut."""

    prompt_tokens: int
    total_tokens: int
    truncated_inputs: int


class EmbeddingsAnswer(msgspec.Struct, kw_only=True):
    """Vectors in the order of the texts."""

    object: Literal["list"]
    data: list[Embedding]
    model: str
    usage: EmbeddingsUsage


class Model(msgspec.Struct, kw_only=True):
    """One model that is served."""

    id: str
    object: Literal["model"] = "model"
    created: int = STARTED
    owned_by: str = "gtekit"
    dimension: int
    max_tokens: int


class ModelList(msgspec.Struct, kw_only=True):
    """All models that are served, the default one first."""

    object: Literal["list"] = "list"
    data: list[Model]


def error_body(problem: Problem, status: int, request_id: str) -> bytes:
    """Say what is wrong as OpenAI does: nested, its code a string."""
    kind = "server_error" if status >= 500 else "rate_limit_error" if status == 429 else "invalid_request_error"
    fields = {"message": problem.message, "type": kind, "param": problem.param, "code": problem.kind.value}
    return orjson.dumps({"error": fields})


OPENAI = Dialect("openai", error_body)


async def embeddings(request: Request, state: "State", account: Account) -> Response:
    """Embed one text or several."""
    body = await read_json(request, EmbeddingsRequest)
    served = find_model(state, body.model)
    encoded = await embed(served, _job(body, request, served, state.settings), account)
    headers = truncation_headers(encoded) + space_headers(served)
    if OCTETS in request.header("accept"):
        headers.append(shape_header(encoded.embeddings))
        return Response(body=octet_body([encoded.embeddings]), content_type=OCTETS, headers=headers)
    parts = _Answer(encoded, body.embedding_type or body.encoding_format or "float", served.name)
    is_short = len(encoded.embeddings) <= SLICE_ROWS
    return Response(body=parts.whole() if is_short else parts.stream(), headers=headers)


def _job(body: EmbeddingsRequest, request: Request, served: "ServedModel", settings: "ServerSettings") -> EncodeJob:
    if body.late_chunking:
        raise Problem(
            Kind.INVALID_VALUE,
            "late_chunking is not done here: each text is embedded by itself. Leave it out, or send the passages with "
            'their context; on_truncation="chunk" embeds a long text whole.',
            param="late_chunking",
        )
    return EncodeJob(
        texts=check_texts(body.input, settings, "input"),
        prompt=find_prompt(served, name=body.prompt_name, role=_role(body)),
        truncation=_truncation(body, settings),
        normalize=body.normalized,
        dimensions=check_dimensions(served, body.dimensions, settings),
        lane=lane_of(request),
        deadline=request.deadline,
        disconnect=request.disconnect,
        lease=request.lease,
        text_name="input",
    )


def _role(body: EmbeddingsRequest) -> Role | None:
    for name, said in (("input_type", body.input_type), ("task", body.task)):
        if said is not None and said not in ROLES:
            raise Problem(Kind.INVALID_VALUE, f"{name} is {shown(said)}; choose from: {', '.join(ROLES)}.", param=name)
    said = body.task if body.input_type is None else body.input_type
    return None if said is None else ROLES[said]


def _truncation(body: EmbeddingsRequest, settings: "ServerSettings") -> Truncation:
    if body.on_truncation is not None:
        return POLICIES[body.on_truncation]
    if body.truncate is not None:
        return "end" if body.truncate else "error"
    return truncation_for(settings, "error")


class _Answer:
    """The body of an answer, made by joining bytes: no Python object for a number."""

    def __init__(self, encoded: Encoded, kind: EmbeddingType, model: str) -> None:
        self._embeddings: Floats = encoded.embeddings
        self._truncated: Set[int] = frozenset(encoded.truncated)
        self._write = WRITERS[kind]
        self._quote = b'"' if kind == "base64" else b""
        self._tail = b'],"model":%b,"usage":{"prompt_tokens":%d,"total_tokens":%d,"truncated_inputs":%d}}' % (
            orjson.dumps(model),
            encoded.tokens,
            encoded.tokens,
            len(encoded.truncated),
        )

    def whole(self) -> bytes:
        """Give it at once."""
        return b"".join([b'{"object":"list","data":[', *self._items(0, self._write(self._embeddings)), self._tail])

    async def stream(self) -> AsyncIterator[bytes]:
        """Give it in parts as they are sent: a body of 10,000 vectors is 47 MB of JSON and is nowhere whole."""
        parts, first = [b'{"object":"list","data":['], 0
        async for rows in slices(self._write, self._embeddings):
            yield b"".join([*parts, *self._items(first, rows)])
            parts, first = [], first + len(rows)
        yield self._tail

    def _items(self, first: int, rows: Sequence[bytes]) -> list[bytes]:
        quote, parts = self._quote, []
        for index, row in enumerate(rows, first):
            comma = b"," if index else b""
            end = b',"truncated":true}' if index in self._truncated else b"}"
            parts.append(b'%b{"object":"embedding","index":%d,"embedding":%b' % (comma, index, quote))
            parts += (row, quote, end)
        return parts


async def models(request: Request, state: "State", account: Account) -> Response:
    """List the models."""
    find_model(state, None)
    listed = [_described(served) for served in state.models or ()]
    return Response(body=msgspec.json.encode(ModelList(data=listed)))


async def one_model(request: Request, state: "State", account: Account) -> Response:
    """Describe the model of a name or an alias."""
    served = find_model(state, request.path.partition("/models/")[2])
    account.model = served.name
    return Response(body=msgspec.json.encode(_described(served)))


def _described(served: "ServedModel") -> Model:
    return Model(id=served.name, dimension=served.model.dimension, max_tokens=served.model.max_tokens)


def _routes(prefix: str) -> tuple[Route, ...]:
    shared: dict[str, Any] = {"dialect": OPENAI}
    return (
        Route(
            method="POST",
            path=f"{prefix}/embeddings",
            handler=embeddings,
            summary="Embed texts",
            request=EmbeddingsRequest,
            response=EmbeddingsAnswer,
            **shared,
        ),
        Route(
            method="GET",
            path=f"{prefix}/models",
            handler=models,
            summary="List the models",
            response=ModelList,
            **shared,
        ),
        Route(
            method="GET",
            path=f"{prefix}/models/{{model}}",
            handler=one_model,
            summary="Describe a model",
            response=Model,
            **shared,
        ),
    )


ROUTES = (*_routes("/v1"), *_routes(""))  # clients are given a base URL with /v1 or without
