"""Cohere v2: /v2/embed and /v2/rerank.

Cohere takes 96 texts at a time; here a request may hold as many as the server allows. Images are refused.

`int8` comes without a scale, so it has to be the same for every vector: 127 stands for INT8_REACH / sqrt(D), and
`meta.int8_scale` says what 1 stands for; `uint8` is 128 more. A scale for each vector, as `gtekit.to_int8` has it, is
kinder to cosines and useless for products: of the 10 nearest among 3,000 lines of text, by the products of bytes,
67 % were right with it and 99 % with this one (all-MiniLM-L6-v2).
"""

from collections.abc import AsyncIterator, Sequence
from math import sqrt
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np
import orjson

from gtekit.arrays import Floats
from gtekit.serving.answers import (
    SLICE_ROWS,
    RowWriter,
    base64_rows,
    binary_rows,
    float_rows,
    slices,
    space_headers,
    truncation_headers,
    ubinary_rows,
)
from gtekit.serving.dialects.cohere_shapes import (
    COHERE,
    BilledUnits,
    EmbeddingType,
    EmbedV2Answer,
    EmbedV2Request,
    InputType,
    Meta,
    RerankV2Answer,
    RerankV2Request,
    RerankV2Result,
    TokenCounts,
    Truncate,
    Version,
)
from gtekit.serving.encoding import Encoded, EncodeJob, Lane, Truncation
from gtekit.serving.inputs import (
    check_dimensions,
    check_texts,
    embed,
    find_model,
    find_prompt,
    lane_of,
    read_json,
    truncation_for,
)
from gtekit.serving.messages import Account, Request, Response
from gtekit.serving.problems import Kind, Problem
from gtekit.serving.rerank import Ranking, RankJob, rank_documents, ranking_headers
from gtekit.serving.routes import Route

if TYPE_CHECKING:
    from gtekit.serving.served_models import ServedModel
    from gtekit.serving.settings import ServerSettings
    from gtekit.serving.state import State

INT8_REACH: Final = 6.0  # in standard deviations of a number of a unit vector: MiniLM's go to 4.6
SEARCH_UNIT: Final = 100  # documents that Cohere counts as one
MOST_WARNINGS: Final = 10

TRUNCATIONS: Final[dict[Truncate, Truncation]] = {"NONE": "error", "START": "start", "END": "end"}


async def embed_texts(request: Request, state: "State", account: Account) -> Response:
    """Answer POST /v2/embed."""
    body = await read_json(request, EmbedV2Request, state.models)
    served = find_model(state, body.model)
    name, texts = _texts(body, served, state.settings)
    job = EncodeJob(
        texts=check_texts(texts, state.settings, name),
        prompt=_prompt(served, body.input_type),
        truncation=_truncation(body.truncate, state.settings),
        max_tokens=None if body.max_tokens is None else min(body.max_tokens, served.model.max_tokens),
        normalize=True,  # as Cohere's are, and so that one scale suits all
        dimensions=check_dimensions(served, body.output_dimension, state.settings, "output_dimension"),
        lane=_lane(request, body.priority),
        deadline=request.deadline,
        disconnect=request.disconnect,
        lease=request.lease,
        text_name=name,
        too_long_fix='send "truncate": "END" or "START" and have it cut',
    )
    encoded = await embed(served, job, account)
    parts = _answer(request.request_id, list(dict.fromkeys(body.embedding_types or ["float"])), job, encoded)
    headers = truncation_headers(encoded) + space_headers(served)
    is_short = len(texts) <= SLICE_ROWS
    return Response(body=b"".join([part async for part in parts]) if is_short else parts, headers=headers)


def _texts(body: EmbedV2Request, served: "ServedModel", settings: "ServerSettings") -> tuple[str, list[str]]:
    """Give the texts, and the name of the field that holds them."""
    if body.inputs and len(body.inputs) > settings.max_texts:  # a million take seconds to put together
        raise Problem(
            Kind.TOO_MANY,
            f"inputs has {len(body.inputs):,} texts, the limit is {settings.max_texts:,}. Send them in several "
            f"requests, or start the server with --max-texts {len(body.inputs)}.",
            param="inputs",
        )
    has_image = any(part.type == "image_url" for entry in body.inputs or () for part in entry.content)
    if body.images or body.input_type == "image" or has_image:
        raise Problem(
            Kind.INVALID_VALUE,
            f"{served.name} embeds text alone, images are not taken. Send texts, or inputs with content of the type "
            "text.",
            param="images" if body.images else "input_type" if body.input_type == "image" else "inputs",
        )
    if body.texts is not None and body.inputs is not None:
        raise Problem(Kind.INVALID_VALUE, "texts and inputs are both there; send one of them.", param="inputs")
    if body.inputs:
        return "inputs", ["\n".join(part.text or "" for part in entry.content) for entry in body.inputs]
    return "texts", list(body.texts or ())


def _prompt(served: "ServedModel", input_type: InputType) -> str:
    if input_type == "search_query":
        return find_prompt(served, role="query")
    if input_type == "search_document":
        return find_prompt(served, role="document")
    return find_prompt(served, name=input_type if input_type in served.model.prompts else None)


def _truncation(asked: Truncate | None, settings: "ServerSettings") -> Truncation:
    return truncation_for(settings, "end") if asked is None else TRUNCATIONS[asked]


def _lane(request: Request, priority: int) -> Lane | None:
    return lane_of(request) or ("bulk" if priority else None)


async def _answer(
    request_id: str, types: Sequence[EmbeddingType], job: EncodeJob, encoded: Encoded
) -> AsyncIterator[bytes]:
    yield b'{"id":%b,"embeddings":{' % orjson.dumps(request_id)
    for place, kind in enumerate(types):
        begin, quote = b'%b"%b":[' % (b"," if place else b"", kind.encode()), b'"' if kind == "base64" else b""
        async for rows in slices(WRITERS[kind], encoded.embeddings):
            yield begin + b",".join(quote + row + quote for row in rows)
            begin = b","
        yield b"]"
    meta = _meta(BilledUnits(input_tokens=encoded.tokens), encoded.tokens, _warnings(job, encoded))
    if "int8" in types or "uint8" in types:
        meta.int8_scale = 1 / int8_factor(encoded.embeddings.shape[1])
    yield b'},"texts":%b,"response_type":"embeddings_by_type","meta":%b}' % (
        orjson.dumps(job.texts),
        msgspec.json.encode(meta),
    )


def int8_factor(dimension: int) -> float:
    """Give what a number of a unit vector is multiplied with to become a byte."""
    return 127 * sqrt(dimension) / INT8_REACH


def _int8_rows(embeddings: Floats) -> list[bytes]:
    return _bytes_rows(_to_bytes(embeddings))


def _uint8_rows(embeddings: Floats) -> list[bytes]:
    return _bytes_rows(_to_bytes(embeddings) + 128)


def _to_bytes(embeddings: Floats) -> Floats:
    numbers: Floats = np.rint(embeddings * np.float32(int8_factor(embeddings.shape[1])))
    return np.clip(numbers, np.float32(-127), np.float32(127), out=numbers)


def _bytes_rows(rows: Floats) -> list[bytes]:
    return [orjson.dumps(row, option=orjson.OPT_SERIALIZE_NUMPY) for row in rows.astype(np.int32)]


WRITERS: Final[dict[EmbeddingType, RowWriter]] = {
    "float": float_rows,
    "int8": _int8_rows,
    "uint8": _uint8_rows,
    "binary": binary_rows,
    "ubinary": ubinary_rows,
    "base64": base64_rows,
}


def _meta(billed: BilledUnits, tokens: int, warnings: list[str]) -> Meta:
    return Meta(
        api_version=Version(),
        billed_units=billed,
        tokens=TokenCounts(input_tokens=tokens),
        warnings=warnings or msgspec.UNSET,
    )


def _warnings(job: EncodeJob, encoded: Encoded) -> list[str]:
    side = "beginning" if job.truncation == "start" else "end"
    return _cut(job.text_name, encoded, side)


def _cut(name: str, encoded: Encoded, side: str) -> list[str]:
    """Say which texts were cut, the first few of them by name."""
    places = encoded.truncated
    said = [
        f"{name}[{place}] has {int(encoded.lengths[place]):,} tokens and was cut at its {side}."
        for place in places[:MOST_WARNINGS]
    ]
    more = len(places) - MOST_WARNINGS
    return [*said, f"{more:,} more of {name} were cut."] if more > 0 else said


async def rerank(request: Request, state: "State", account: Account) -> Response:
    """Answer POST /v2/rerank."""
    body = await read_json(request, RerankV2Request, state.models)
    served = find_model(state, body.model)
    job = RankJob(
        query=check_texts(body.query, state.settings, "query")[0],
        documents=check_texts(body.documents, state.settings, "documents"),
        truncation=truncation_for(state.settings, "end"),
        max_tokens_per_doc=body.max_tokens_per_doc,
        lane=_lane(request, body.priority),
        deadline=request.deadline,
        disconnect=request.disconnect,
        lease=request.lease,
    )
    ranking = await rank_documents(served, job, account)
    answer = RerankV2Answer(id=request.request_id, results=_results(ranking, body.top_n), meta=_rank_meta(ranking))
    return Response(body=msgspec.json.encode(answer), headers=ranking_headers(served, ranking))


def _results(ranking: Ranking, top_n: int | None) -> list[RerankV2Result]:
    return [
        RerankV2Result(index=index, relevance_score=max(score, 0.0))
        for index, score in zip(ranking.indices[:top_n], ranking.scores[:top_n], strict=True)
    ]


def _rank_meta(ranking: Ranking) -> Meta:
    units = -(-len(ranking.indices) // SEARCH_UNIT)
    warnings = _cut("query", ranking.query, "end") + _cut("documents", ranking.documents, "end")
    return _meta(BilledUnits(search_units=units), ranking.tokens, warnings)


ROUTES = (
    Route(
        method="POST",
        path="/v2/embed",
        dialect=COHERE,
        handler=embed_texts,
        summary="Embed texts",
        request=EmbedV2Request,
        response=EmbedV2Answer,
    ),
    Route(
        method="POST",
        path="/v2/rerank",
        dialect=COHERE,
        handler=rerank,
        summary="Order documents for a query",
        request=RerankV2Request,
        response=RerankV2Answer,
    ),
)
