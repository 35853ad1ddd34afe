"""What a model got wrong, with the texts: enough to see why."""

from dataclasses import dataclass
from typing import TypeAlias

MOST_MISSES = 25  # the worst; more of them say little more


@dataclass(frozen=True, slots=True, kw_only=True)
class GradedMiss:
    """A pair that the model and people rank differently. Rank 1 is the most alike."""

    place: str  # line 2, index 0
    texts: tuple[str, str]
    value: float  # of people
    cosine: float
    rank: float  # by people; equal values share their mean rank
    model_rank: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BinaryMiss:
    """A pair on the wrong side of the threshold."""

    place: str
    texts: tuple[str, str]
    label: int
    cosine: float
    threshold: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TripleMiss:
    """A triple whose negative is as near as its positive, or nearer."""

    place: str
    anchor: str
    positive: str
    negative: str
    positive_cosine: float
    negative_cosine: float


@dataclass(frozen=True, slots=True)
class RankedDocument:
    """A document of one query."""

    id: str
    text: str
    grade: int  # from 1 up is relevant; 0 also where nobody has judged it
    rank: int | None  # from 1; None: not among those that were found
    cosine: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryMiss:
    """A query whose relevant documents are not all at the top."""

    query_id: str
    text: str
    ndcg: float  # at 10
    relevant: tuple[RankedDocument, ...]  # a few, the best found first
    relevant_count: int  # in all
    found: tuple[RankedDocument, ...]  # at the top


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelMiss:
    """A text that was given another label by a classifier that had not seen it."""

    place: str
    text: str
    label: str
    predicted: str
    confidence: float  # 0 to 1


Miss: TypeAlias = GradedMiss | BinaryMiss | TripleMiss | QueryMiss | LabelMiss
