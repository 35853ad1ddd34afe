"""The data of one evaluation, read and checked, and the names of the four kinds."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain
from typing import Literal, TypeAlias, get_args

from gtekit.evaluation.samples import Doubles

Kind = Literal["pairs", "triples", "retrieval", "labelled"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Two texts and how alike people find them, or whether they belong together (0 or 1)."""

    source: str  # the file, or what the values were passed as
    places: list[str]  # where each row stands: line 2, index 0
    first: list[str]
    second: list[str]
    values: Doubles  # (N,)

    @property
    def is_binary(self) -> bool:
        """Whether every value is 0 or 1."""
        return bool(((self.values == 0) | (self.values == 1)).all())

    def digest(self) -> str:
        """Hash the rows: equal hashes, equal data."""
        return _digest(zip(self.first, self.second, self.values.tolist(), strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Triples:
    """A text, one that belongs to it, and one that does not."""

    source: str
    places: list[str]
    anchors: list[str]
    positives: list[str]
    negatives: list[str]

    def digest(self) -> str:
        """Hash the rows: equal hashes, equal data."""
        return _digest(zip(self.anchors, self.positives, self.negatives, strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """Texts, each with the name of its class."""

    source: str
    places: list[str]
    texts: list[str]
    labels: list[str]

    def digest(self) -> str:
        """Hash the rows: equal hashes, equal data."""
        return _digest(zip(self.texts, self.labels, strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrieval:
    """Queries, documents, and which of these people find relevant to which query."""

    source: str
    queries: Mapping[str, str]  # text by id
    documents: Mapping[str, str]  # title and text, by id
    qrels: Mapping[str, Mapping[str, int]]  # by query: grade by document; relevant from 1 up

    def digest(self) -> str:
        """Hash texts and judgements: equal hashes, equal data."""
        parts = (self.queries.items(), [None], self.documents.items(), [None], self.qrels.items())
        return _digest(chain.from_iterable(parts))


OwnData: TypeAlias = Pairs | Triples | Retrieval | Labelled


def _digest(rows: Iterable[object]) -> str:
    found = sha256()
    for row in rows:
        found.update(json.dumps(row).encode() + b"\n")
    return found.hexdigest()
