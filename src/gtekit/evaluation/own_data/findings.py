"""What measuring one kind of data brings to light, in its parts."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gtekit.evaluation.bootstrap import score_interval
from gtekit.evaluation.own_data.misses import Miss
from gtekit.evaluation.samples import Samples


@dataclass(frozen=True, slots=True)
class ScoreRange:
    """Where 95 % of the draws lie, in the scale of the score."""

    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """The result of one kind of data, before anybody is told."""

    scores: Mapping[str, float]  # the first is the main one
    samples: Mapping[str, Samples]  # by measure, where the score comes from items
    misses: tuple[Miss, ...]
    counts: Mapping[str, int]
    notes: tuple[str, ...] = ()
    thresholds: Mapping[str, float] = field(default_factory=dict)  # by measure: the cosine from which on it is a yes


def interval_of(samples: Samples) -> ScoreRange | None:
    """Give the 95 % interval of a score in its own scale; None where there are too few items."""
    found = score_interval(samples)
    return ScoreRange(found.low / 100, found.high / 100) if found else None


def note_of_empty(count: int) -> str:
    """Say how many texts are empty; "" where none is."""
    if not count:
        return ""
    return (
        f"{count:,} text{' is' if count == 1 else 's are'} empty: an empty text has a vector too, which means little."
    )


def count_empty(*texts: list[str]) -> int:
    """Count the texts that hold nothing but white space."""
    return sum(not text.strip() for some in texts for text in some)


def count_things(count: int, one: str, many: str) -> str:
    """Give a number of things as people say it: 1 query, 2 queries."""
    return f"{count:,} {one if count == 1 else many}"
