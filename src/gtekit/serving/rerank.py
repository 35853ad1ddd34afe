"""Documents in the order of their cosine with a query: what the rerank routes of all dialects call."""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gtekit.nearest import nearest
from gtekit.serving.answers import space_headers, truncation_headers
from gtekit.serving.encoding import Encoded, EncodeJob, Lane, Truncation
from gtekit.serving.inputs import embed, find_prompt
from gtekit.serving.messages import Account, Disconnect, Header

if TYPE_CHECKING:
    from gtekit.serving.memory import Lease
    from gtekit.serving.served_models import ServedModel

INLINE_ROWS = 2048  # more documents are compared in a thread: 2,048 of 384 numbers take 0.3 ms, 10,000 take 2


@dataclass(slots=True, kw_only=True)
class RankJob:
    """A query, the documents to compare with it, and how both become vectors. Checked by the dialect that made it."""

    query: str
    documents: Sequence[str]
    query_prompt: str | None = None  # None: the model's own for queries
    document_prompt: str | None = None  # None: the model's own for documents
    truncation: Truncation = "end"  # of both
    max_tokens_per_doc: int | None = None  # fewer than the model reads; the query is not cut to it
    lane: Lane | None = None
    deadline: float | None = None
    disconnect: Disconnect | None = None
    lease: "Lease | None" = None
    query_name: str = "query"  # as the client calls it, for messages
    documents_name: str = "documents"
    too_long_fix: str = "send the part that matters"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """All documents, the best first; of equal cosines the earlier document."""

    indices: list[int]  # in the documents as they were given
    scores: list[float]  # the cosine of each, -1 to 1, in the order of `indices`
    query: Encoded
    documents: Encoded

    @property
    def tokens(self) -> int:
        """That were read, the query included."""
        return self.query.tokens + self.documents.tokens

    @property
    def truncated(self) -> list[int]:
        """The places of the documents that were cut, ascending."""
        return self.documents.truncated

    def scores_in_order(self) -> list[float]:
        """Give the cosines in the order of the documents."""
        scores = [0.0] * len(self.indices)
        for index, score in zip(self.indices, self.scores, strict=True):
            scores[index] = score
        return scores


def ranking_headers(served: "ServedModel", ranking: Ranking) -> list[Header]:
    """Say what was cut, the query too, and which model gave the order."""
    cut_query = [("x-truncated-query", "true")] if ranking.query.truncated else []
    return [*truncation_headers(ranking), *cut_query, *space_headers(served)]


async def rank_documents(served: "ServedModel", job: RankJob, account: Account) -> Ranking:
    """Order documents by their cosine with a query.

    The cosines have the bits of `gtekit.tasks.rank`: neither the other documents nor their number can change one.

    Args:
        served: Puts its query prompt before the query and its document prompt before the documents.
        job: At least one document.
        account: Gets what both cost.

    Raises:
        Problem: As the scheduler says: too long, overloaded, too late.
    """
    query_job = EncodeJob(
        texts=[job.query],
        prompt=find_prompt(served, role="query") if job.query_prompt is None else job.query_prompt,
        text_name=job.query_name,
    )
    documents_job = EncodeJob(
        texts=job.documents,
        prompt=find_prompt(served, role="document") if job.document_prompt is None else job.document_prompt,
        max_tokens=None if job.max_tokens_per_doc is None else min(job.max_tokens_per_doc, served.model.max_tokens),
        text_name=job.documents_name,
    )
    for one in (query_job, documents_job):
        one.truncation, one.normalize, one.lane = job.truncation, True, job.lane
        one.deadline, one.disconnect, one.lease = job.deadline, job.disconnect, job.lease
        one.too_long_fix = job.too_long_fix
    query, documents = await _both(embed(served, query_job, account), embed(served, documents_job, account))
    if len(documents.embeddings) > INLINE_ROWS:
        indices, scores = await asyncio.to_thread(_order, query, documents, served.model.threads)
    else:
        indices, scores = _order(query, documents, 1)
    return Ranking(indices=indices, scores=scores, query=query, documents=documents)


async def _both(first: Coroutine[Any, Any, Encoded], second: Coroutine[Any, Any, Encoded]) -> tuple[Encoded, Encoded]:
    """Run two jobs side by side; where one fails, the other is given up."""
    tasks = [asyncio.ensure_future(first), asyncio.ensure_future(second)]
    try:
        query, documents = await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        raise
    return query, documents


def _order(query: Encoded, documents: Encoded, threads: int) -> tuple[list[int], list[float]]:
    scores, rows = nearest(query.embeddings, documents.embeddings, len(documents.embeddings), threads=threads)
    return rows[0].tolist(), np.clip(scores[0], -1, 1).tolist()
