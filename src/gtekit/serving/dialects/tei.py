"""The routes of Text Embeddings Inference (TEI), those that embed and compare in full.

Two things differ from TEI: a request may hold as many texts as the server allows (TEI refuses more than 32, here they
are split), and token ids in place of texts are refused, not decoded.
"""

import time
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

import msgspec
import orjson

from gtekit.arrays import Floats
from gtekit.serving.answers import (
    float_rows,
    json_body,
    octet_body,
    shape_header,
    slices,
    space_headers,
    truncation_headers,
)
from gtekit.serving.dialects import jina
from gtekit.serving.dialects.tei_info import Info, info
from gtekit.serving.dialects.tei_shapes import (
    TEI,
    TOO_LONG_FIX,
    DecodeRequest,
    EmbedAllRequest,
    EmbedOptions,
    EmbedRequest,
    Rank,
    RankRequest,
    RerankKind,
    RootRequest,
    SimilarityInputs,
    SimilarityParameters,
    SimilarityRequest,
    Token,
    TokenizeRequest,
    compute_headers,
    encode_job,
    model_of,
    truncation_of,
)
from gtekit.serving.dialects.tei_tokens import decode_ids, tokenize
from gtekit.serving.inputs import (
    add_cost,
    check_content_type,
    check_dimensions,
    check_texts,
    decode,
    embed,
    find_prompt,
    lane_of,
    read_json,
)
from gtekit.serving.messages import OCTETS, Account, Header, Request, Response
from gtekit.serving.problems import Kind, Problem
from gtekit.serving.rerank import Ranking, RankJob, rank_documents, ranking_headers
from gtekit.serving.routes import Handler, Route

if TYPE_CHECKING:
    from gtekit.serving.served_models import ServedModel
    from gtekit.serving.settings import ServerSettings
    from gtekit.serving.state import State

STATE_BYTES = 16  # of one number of a hidden state: as float32, and as JSON


async def embed_inputs(request: Request, state: "State", account: Account) -> Response:
    """Answer POST /embed."""
    body = await read_json(request, EmbedRequest)
    return await _embed(body, body.inputs, request, state, account)


async def root(request: Request, state: "State", account: Account) -> Response:
    """Answer POST /: what huggingface_hub sends to a server that is named by its address alone."""
    body = await read_json(request, RootRequest)
    if not isinstance(body.inputs, SimilarityInputs):
        return await _embed(body, body.inputs, request, state, account)
    similar = SimilarityRequest(inputs=body.inputs, parameters=body.parameters, model=body.model)
    return await _similarity(similar, request, state, account)


async def _embed(
    body: EmbedOptions, inputs: str | list[str], request: Request, state: "State", account: Account
) -> Response:
    started = time.monotonic()
    served = model_of(request, state, body.model)
    texts = check_texts(inputs, state.settings, "inputs")
    job = encode_job(request, served, texts, truncation_of(body, state.settings), body.prompt_name)
    job.normalize = body.normalize
    job.dimensions = check_dimensions(served, body.dimensions, state.settings)
    encoded = await embed(served, job, account)
    headers = compute_headers(started, sum(map(len, texts)), encoded)
    headers += truncation_headers(encoded) + space_headers(served)
    embeddings = encoded.embeddings
    if OCTETS in request.header("accept"):
        headers.append(shape_header(embeddings))
        return Response(body=octet_body([embeddings]), content_type=OCTETS, headers=headers)
    return Response(body=json_body(b"[", float_rows, embeddings, b"]"), headers=headers)


async def embed_all(request: Request, state: "State", account: Account) -> Response:
    """Answer POST /embed_all: the last hidden state of every token, [CLS] and [SEP] included."""
    started = time.monotonic()
    body = await read_json(request, EmbedAllRequest)
    served = model_of(request, state, body.model)
    texts = check_texts(body.inputs, state.settings, "inputs")
    tokens = _check_states(served, texts, state.settings)
    truncation = truncation_of(body, state.settings)
    if truncation == "chunk":
        truncation = "end"  # pieces have a mean, their tokens have none
    job = encode_job(request, served, texts, truncation, body.prompt_name)
    account.model, account.texts = served.name, len(texts)
    states, encoded = await served.scheduler.token_states(job, tokens, account)
    add_cost(account, encoded)
    headers = compute_headers(started, sum(map(len, texts)), encoded)
    headers += truncation_headers(encoded) + space_headers(served)
    return Response(body=_states_in_parts(states), headers=headers)


def _check_states(served: "ServedModel", texts: Sequence[str], settings: "ServerSettings") -> int:
    """Make sure that hidden states fit into an eighth of the memory: a text has as many as 3 MB of them.

    Returns:
        How many tokens there are at most.
    """
    row_bytes = served.model.dimension * STATE_BYTES
    tokens = sum(min(len(text) + 2, served.model.max_tokens) for text in texts)
    most = max(settings.max_memory_bytes // (8 * row_bytes), served.model.max_tokens)
    if tokens > most:
        raise Problem(
            Kind.TOO_MANY,
            f"inputs may have {tokens:,} tokens, whose vectors take {tokens * row_bytes:,} bytes; the limit is "
            f"{most:,} tokens, a character counted as one. Send fewer texts in each of several requests.",
            param="inputs",
        )
    return tokens


async def _states_in_parts(states: Sequence[Floats]) -> AsyncIterator[bytes]:
    for index, state in enumerate(states):
        begin = b",[" if index else b"[["
        async for rows in slices(float_rows, state):
            yield begin + b",".join(rows)
            begin = b","
        yield b"]"
    yield b"]"


async def similarity(request: Request, state: "State", account: Account) -> Response:
    """Answer POST /similarity."""
    return await _similarity(await read_json(request, SimilarityRequest), request, state, account)


async def _similarity(body: SimilarityRequest, request: Request, state: "State", account: Account) -> Response:
    started = time.monotonic()
    served = model_of(request, state, body.model)
    options = body.parameters or SimilarityParameters()
    prompt = find_prompt(served, name=options.prompt_name)
    job = RankJob(
        query=check_texts(body.inputs.source_sentence, state.settings, "inputs.source_sentence")[0],
        documents=check_texts(body.inputs.sentences, state.settings, "inputs.sentences"),
        query_prompt=prompt,
        document_prompt=prompt,
        truncation=truncation_of(options, state.settings),
        lane=lane_of(request),
        deadline=request.deadline,
        disconnect=request.disconnect,
        lease=request.lease,
        query_name="inputs.source_sentence",
        documents_name="inputs.sentences",
        too_long_fix=TOO_LONG_FIX,
    )
    ranking = await rank_documents(served, job, account)
    return Response(body=orjson.dumps(ranking.scores_in_order()), headers=_headers(started, served, job, ranking))


def _headers(started: float, served: "ServedModel", job: RankJob, ranking: Ranking) -> list[Header]:
    characters = len(job.query) + sum(map(len, job.documents))
    return compute_headers(started, characters, ranking.query, ranking.documents) + ranking_headers(served, ranking)


async def rerank(request: Request, state: "State", account: Account) -> Response:
    """Answer POST /rerank: TEI's body has `texts`, and one with `documents` gets Jina's answer."""
    started = time.monotonic()
    check_content_type(request)
    content = await request.body()
    if b'"documents"' in content:
        kind = decode(RerankKind, content)
        if kind.documents and not kind.texts:
            return await jina.rerank_documents(decode(jina.RerankRequest, content), request, state, account)
    body = decode(RankRequest, content)
    served = model_of(request, state, body.model)
    job = RankJob(
        query=check_texts(body.query, state.settings, "query")[0],
        documents=check_texts(body.texts, state.settings, "texts"),
        truncation=truncation_of(body, state.settings),
        lane=lane_of(request),
        deadline=request.deadline,
        disconnect=request.disconnect,
        lease=request.lease,
        documents_name="texts",
        too_long_fix=TOO_LONG_FIX,
    )
    ranking = await rank_documents(served, job, account)
    ranks = [
        Rank(index=index, score=score, text=job.documents[index] if body.return_text else None)
        for index, score in zip(ranking.indices, ranking.scores, strict=True)
    ]
    return Response(body=msgspec.json.encode(ranks), headers=_headers(started, served, job, ranking))


def _post(path: str, handler: Handler, summary: str, request: object, response: object) -> Route:
    return Route(
        method="POST", path=path, dialect=TEI, handler=handler, summary=summary, request=request, response=response
    )


ROUTES = (
    _post("/embed", embed_inputs, "Embed texts", EmbedRequest, list[list[float]]),
    _post("/", root, "Embed texts, or compare sentences", RootRequest, list[list[float] | float]),
    _post("/embed_all", embed_all, "The vector of every token", EmbedAllRequest, list[list[list[float]]]),
    _post("/similarity", similarity, "Compare a sentence with others", SimilarityRequest, list[float]),
    _post("/rerank", rerank, "Order texts for a query", RankRequest, list[Rank] | jina.RerankAnswer),
    _post("/tokenize", tokenize, "Show the tokens of texts", TokenizeRequest, list[list[Token]]),
    _post("/decode", decode_ids, "Turn token ids into text", DecodeRequest, list[str]),
    Route(method="GET", path="/info", dialect=TEI, handler=info, summary="Describe server and models", response=Info),
)
