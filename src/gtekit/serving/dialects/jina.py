"""Jina's reranking. Its embeddings have OpenAI's path and are there.

Source:
    Clients and servers that speak it (LocalAI, vLLM, llama.cpp). Errors are a `detail`, with 422 for what FastAPI would
    not let through.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
import orjson

from gtekit.serving.field_types import Text
from gtekit.serving.inputs import check_texts, find_model, lane_of, read_json, truncation_for
from gtekit.serving.messages import Account, Request, Response
from gtekit.serving.problems import Kind, Problem
from gtekit.serving.rerank import Ranking, RankJob, rank_documents, ranking_headers
from gtekit.serving.routes import Dialect, Route

if TYPE_CHECKING:
    from gtekit.serving.state import State


class Document(msgspec.Struct, kw_only=True):
    """A document by its text; other fields are passed over."""

    text: Text


class RerankRequest(msgspec.Struct, kw_only=True):
    """A query and the documents to order for it."""

    query: Text
    documents: Annotated[list[Text | Document], msgspec.Meta(extra_json_schema={"minItems": 1})]
    model: str | None = None  # None: the first that is served
    top_n: Annotated[int, msgspec.Meta(ge=1)] | None = None  # None: all
    return_documents: bool = True


class RerankResult(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One document, by its place among those that were sent."""

    index: int
    relevance_score: float  # the cosine with the query, -1 to 1
    document: Document | None = None  # only there where documents were asked for
    truncated: bool = False  # only there where it is true


class RerankUsage(msgspec.Struct, kw_only=True):
    """Tokens that were read, and how many documents were cut."""

    total_tokens: int
    prompt_tokens: int
    truncated_inputs: int


class RerankAnswer(msgspec.Struct, kw_only=True):
    """The documents, the best first."""

    model: str
    object: Literal["list"] = "list"
    usage: RerankUsage
    results: list[RerankResult]


def error_body(problem: Problem, status: int, request_id: str) -> bytes:
    """Say what is wrong as Jina does."""
    return orjson.dumps({"detail": problem.message})


JINA = Dialect(
    "jina",
    error_body,
    dict.fromkeys(
        (Kind.INVALID_JSON, Kind.INVALID_VALUE, Kind.EMPTY, Kind.TOKEN_IDS, Kind.TOO_LONG, Kind.TOO_MANY), 422
    ),
)


async def rerank(request: Request, state: "State", account: Account) -> Response:
    """Order documents by their cosine with a query."""
    return await rerank_documents(await read_json(request, RerankRequest), request, state, account)


async def rerank_documents(body: RerankRequest, request: Request, state: "State", account: Account) -> Response:
    """Answer a request whose body has been read, whatever its path."""
    served = find_model(state, body.model)
    texts = [document if isinstance(document, str) else document.text for document in body.documents]
    job = RankJob(
        query=check_texts(body.query, state.settings, "query")[0],
        documents=check_texts(texts, state.settings, "documents"),
        truncation=truncation_for(state.settings, "end"),
        lane=lane_of(request),
        deadline=request.deadline,
        disconnect=request.disconnect,
        lease=request.lease,
    )
    ranking = await rank_documents(served, job, account)
    answer = RerankAnswer(
        model=served.name,
        usage=RerankUsage(
            total_tokens=ranking.tokens, prompt_tokens=ranking.tokens, truncated_inputs=len(ranking.truncated)
        ),
        results=_results(ranking, texts if body.return_documents else None, body.top_n),
    )
    return Response(body=msgspec.json.encode(answer), headers=ranking_headers(served, ranking))


def _results(ranking: Ranking, texts: Sequence[str] | None, top_n: int | None) -> list[RerankResult]:
    truncated = frozenset(ranking.truncated)
    return [
        RerankResult(
            index=index,
            relevance_score=score,
            document=Document(text=texts[index]) if texts else None,
            truncated=index in truncated,
        )
        for index, score in zip(ranking.indices[:top_n], ranking.scores[:top_n], strict=True)
    ]


ROUTES = (
    Route(
        method="POST",
        path="/v1/rerank",
        dialect=JINA,
        handler=rerank,
        summary="Order documents for a query",
        request=RerankRequest,
        response=RerankAnswer,
    ),
)
