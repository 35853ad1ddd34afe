"""Retrieval: where the relevant documents of each query stand among the nearest ones."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from gtekit.arrays import Floats, Ints
from gtekit.errors import ArgumentError
from gtekit.evaluation import metrics
from gtekit.evaluation.own_data.data import Retrieval
from gtekit.evaluation.own_data.exact_search import search
from gtekit.evaluation.own_data.findings import Findings, count_empty, count_things, note_of_empty
from gtekit.evaluation.own_data.misses import MOST_MISSES, QueryMiss, RankedDocument
from gtekit.evaluation.own_data.model import Encoder
from gtekit.evaluation.samples import Doubles, Samples

TOP_K = 1_000  # as MTEB: what stands behind it counts as not found
BLOCK_DOCUMENTS = 16_384  # encoded, compared with all queries, and forgotten
QUERIES_AT_ONCE = 500  # given to pytrec_eval, which takes dicts
MEASURES = {  # in the words of trec_eval
    "ndcg@10": "ndcg_cut.10",
    "recall@1": "recall.1",
    "recall@5": "recall.5",
    "recall@10": "recall.10",
    "recall@100": "recall.100",
    "mrr": "recip_rank",
    "map": "map",
}
SHOWN_RELEVANT, SHOWN_FOUND = 5, 3


@dataclass(frozen=True, slots=True)
class _Found:
    """What the search has found for each query, kept as arrays: a million names and numbers take a tenth of the room.

    ids: Of all documents.
    numbers: Which of them were found, shape (Q, K).
    cosines: Shape (Q, K).
    """

    ids: list[str]
    numbers: Ints
    cosines: Floats

    def ranked(self, row: int) -> dict[str, float]:
        """Give the cosines of one query by document, in trec_eval's order: of equal ones the last id comes first."""
        pairs = zip(self.cosines[row].tolist(), self.numbers[row].tolist(), strict=True)
        ordered = sorted(((cosine, self.ids[number]) for cosine, number in pairs), reverse=True)
        return {id_: cosine for cosine, id_ in ordered}


def measure_retrieval(encoder: Encoder, data: Retrieval) -> Findings:
    """Measure retrieval by exact search among all documents.

    Raises:
        ArgumentError: If no query has a relevant document.
    """
    judged = [query for query, grades in data.qrels.items() if any(grade > 0 for grade in grades.values())]
    if not judged:
        raise ArgumentError(
            f"{data.source}: no query has a document of grade 1 or more, so there is nothing to find. Is the grade in "
            f"its column?"
        )
    queries = encoder.encode_query([data.queries[query] for query in judged])
    found = _Found(list(data.documents), *search(queries, _document_blocks(encoder, data), TOP_K))
    values = _judge(data, judged, found)
    # a run that is cut at 10 keeps the first relevant document where that has rank 10 or better
    values["mrr@10"] = np.where(values["mrr"] > 1 / 10.5, values["mrr"], 0.0)
    worst = [int(row) for row in np.argsort(values["ndcg@10"], kind="stable")[:MOST_MISSES]]
    order = ("ndcg@10", "recall@1", "recall@5", "recall@10", "recall@100", "mrr", "mrr@10", "map")
    return Findings(
        scores={name: float(values[name].mean()) for name in order},
        samples={name: Samples("mean", values[name]) for name in order},
        misses=tuple(
            _miss(data, judged[row], found.ranked(row), float(values["ndcg@10"][row]))
            for row in worst
            if values["ndcg@10"][row] < 1
        ),
        counts=_counts(data, judged),
        notes=_notes(data, judged),
    )


def _document_blocks(encoder: Encoder, data: Retrieval) -> Iterator[Floats]:
    texts = list(data.documents.values())
    for begin in range(0, len(texts), BLOCK_DOCUMENTS):
        yield encoder.encode_document(texts[begin : begin + BLOCK_DOCUMENTS])


def _judge(data: Retrieval, judged: Sequence[str], found: _Found) -> dict[str, Doubles]:
    """Give the values of each measure, in the order of the queries."""
    values = {name: np.zeros(len(judged)) for name in MEASURES}
    for begin in range(0, len(judged), QUERIES_AT_ONCE):
        queries = judged[begin : begin + QUERIES_AT_ONCE]
        qrels = {query: {id_: max(grade, 0) for id_, grade in data.qrels[query].items()} for query in queries}
        run = {query: found.ranked(begin + place) for place, query in enumerate(queries)}
        judgements = metrics.rank(qrels, run, MEASURES.values())
        for name, measure in MEASURES.items():
            key = measure.replace(".", "_")
            values[name][begin : begin + len(queries)] = [judgements[query][key] for query in queries]
    return values


def _miss(data: Retrieval, query: str, ranked: Mapping[str, float], ndcg: float) -> QueryMiss:
    grades = data.qrels[query]
    ranks = {id_: rank for rank, id_ in enumerate(ranked, start=1)}

    def document(id_: str) -> RankedDocument:
        return RankedDocument(id_, data.documents[id_], grades.get(id_, 0), ranks.get(id_), ranked.get(id_))

    relevant = sorted((id_ for id_, grade in grades.items() if grade > 0), key=lambda id_: ranks.get(id_, TOP_K + 1))
    return QueryMiss(
        query_id=query,
        text=data.queries[query],
        ndcg=ndcg,
        relevant=tuple(map(document, relevant[:SHOWN_RELEVANT])),
        relevant_count=len(relevant),
        found=tuple(map(document, islice(ranked, SHOWN_FOUND))),
    )


def _counts(data: Retrieval, judged: Sequence[str]) -> dict[str, int]:
    return {
        "queries": len(judged),
        "documents": len(data.documents),
        "relevant": sum(grade > 0 for query in judged for grade in data.qrels[query].values()),
        "queries_without_judgement": len(data.queries) - len(data.qrels),
        "queries_without_relevant": len(data.qrels) - len(judged),
        "empty_texts": count_empty([data.queries[query] for query in judged], list(data.documents.values())),
    }


def _notes(data: Retrieval, judged: Sequence[str]) -> tuple[str, ...]:
    counts = _counts(data, judged)
    unjudged, without = counts["queries_without_judgement"], counts["queries_without_relevant"]
    return (
        f"exact search among all documents; what stands behind the first {TOP_K:,} counts as not found",
        f"left out: {count_things(unjudged, 'query', 'queries')} without a judgement" if unjudged else "",
        f"left out: {count_things(without, 'query', 'queries')} whose judgements are all 0: nothing could be found"
        if without
        else "",
        note_of_empty(counts["empty_texts"]),
    )
