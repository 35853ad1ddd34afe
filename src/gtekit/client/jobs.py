"""What a method asks of the server and makes of the answers: nothing here sends anything, so both clients share it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np

from gtekit.arrays import Floats, Ints
from gtekit.chunking import Chunks
from gtekit.client.facts import ServedFacts, check_space
from gtekit.client.plan import MAX_CHARS, STATE_CHARS, limits_of, plan_requests
from gtekit.client.wire import JSON, OCTETS, Ask, Reply, Rows, not_ours, post, read_rows, read_values
from gtekit.protocols import Report

Result = TypeVar("Result", covariant=True)


class Job(Protocol[Result]):
    """Requests, and what their answers make together."""

    @property
    def count(self) -> int:
        """How many requests there are."""

    @property
    def in_turn(self) -> bool:
        """Whether each request waits for the answer of the one before."""

    def ask(self, place: int) -> Ask:
        """Make a request; they may be sent in any order. Only now: a long list is not held a second time as JSON."""

    def take(self, place: int, reply: Reply) -> None:
        """Take the answer of a request."""

    def result(self) -> Result:
        """Give what all answers make."""


@dataclass(frozen=True, slots=True)
class Context:
    """Who is asked."""

    address: str
    model: str | None  # as the server is to find it
    facts: ServedFacts
    max_tokens: int  # of the client: the model's, or fewer
    timeout_s: float  # of a request

    def fields(self) -> dict[str, Any]:
        """Give what every request says."""
        return {"model": self.model}

    def limited(self) -> dict[str, Any]:
        """Give what requests say that may cut texts."""
        is_less = self.max_tokens < self.facts.max_tokens
        return {"model": self.model, "max_tokens": self.max_tokens if is_less else None}

    @property
    def has_rate(self) -> bool:
        """Whether the key has a limit: requests at once would take each other's turn until their retries are over."""
        return self.facts.tokens_per_minute is not None or self.facts.requests_per_minute is not None

    def rows(self, reply: Reply, count: int | None, *, numbers_a_row: int = 0, numbers: int = 0) -> Rows:
        """Read vectors of this model; `count` rows, None for any number."""
        check_space(self.facts, reply, self.address)
        rows = read_rows(reply, self.address, numbers_a_row=numbers_a_row, numbers=numbers)
        if count is not None and len(rows.vectors) != count:
            raise not_ours(self.address, f"an answer has {len(rows.vectors):,} vectors for {count:,} texts")
        return rows


class _TextsJob:
    """Texts cut into requests of one route."""

    accept = OCTETS

    def __init__(
        self,
        context: Context,
        texts: Sequence[str],
        path: str,
        fields: Mapping[str, Any],
        *,
        max_chars: int = MAX_CHARS,
        first_index: int = 0,
    ) -> None:
        self._context, self._texts, self._path, self._fields = context, texts, path, fields
        self._spans = plan_requests(
            texts,
            limits_of(context.facts, context.timeout_s, max_chars),
            other_bytes=len(post(path, [], fields).body or b""),
            prompt_bytes=len((fields.get("prompt") or "").encode()),
            first_index=first_index,
        )

    @property
    def count(self) -> int:
        """How many requests there are."""
        return len(self._spans)

    @property
    def in_turn(self) -> bool:
        """Whether each request waits for the answer of the one before."""
        return self._context.has_rate

    def ask(self, place: int) -> Ask:
        """Make a request."""
        span = self._spans[place]
        return post(self._path, self._texts[span.start : span.stop], self._fields, accept=self.accept)


class VectorsJob(_TextsJob):
    """A vector for each text.

    Args:
        context: Who is asked.
        texts: At least one.
        fields: How they are embedded.
        report: Gets the texts and tokens that are done.
        first_index: The place of the first text in its list, for error messages.
    """

    def __init__(
        self,
        context: Context,
        texts: Sequence[str],
        fields: Mapping[str, Any],
        report: Report,
        first_index: int = 0,
    ) -> None:
        asked = {**context.limited(), **fields, "return_lengths": True}
        super().__init__(context, texts, "/encode", asked, first_index=first_index)
        self._report = report
        self._embeddings = np.empty((len(texts), fields.get("dimensions") or context.facts.dimension), np.float32)
        self._lengths = np.empty(len(texts), np.int64)
        self._texts_done = self._tokens_done = 0

    def take(self, place: int, reply: Reply) -> None:
        """Put the vectors of one request where they belong."""
        span = self._spans[place]
        rows = self._context.rows(reply, len(span), numbers_a_row=1)
        if rows.vectors.shape[1] != self._embeddings.shape[1]:
            raise not_ours(self._context.address, f"an answer has vectors of {rows.vectors.shape[1]} dimensions")
        self._embeddings[span.start : span.stop] = rows.vectors
        self._lengths[span.start : span.stop] = rows.numbers
        self._texts_done += len(span)
        self._tokens_done += int(np.minimum(rows.numbers, self._context.max_tokens).sum())
        self._report(self._texts_done, self._tokens_done)

    def result(self) -> tuple[Floats, Ints]:
        """Give the vectors (N, D) and the tokens of each text before any cut (N,)."""
        return self._embeddings, self._lengths


class ChunksJob(_TextsJob):
    """Vectors of pieces."""

    def __init__(self, context: Context, texts: Sequence[str], fields: Mapping[str, Any], report: Report) -> None:
        super().__init__(context, texts, "/encode_chunks", {**context.limited(), **fields})
        self._spans = self._spans or [range(0)]  # of no texts too, only the server knows whether the prompt leaves room
        self._report = report
        self._parts: list[Rows | None] = [None] * len(self._spans)
        self._texts_done = 0

    def take(self, place: int, reply: Reply) -> None:
        """Keep the pieces of one request."""
        self._parts[place] = self._context.rows(reply, None, numbers_a_row=3)
        self._texts_done += len(self._spans[place])
        self._report(self._texts_done, 0)

    def result(self) -> Chunks:
        """Give all pieces in the order of the texts."""
        parts = [part for part in self._parts if part is not None]
        places = [
            part.numbers.reshape(-1, 3) + np.array([span.start, 0, 0])
            for part, span in zip(parts, self._spans, strict=True)
        ]
        every = np.concatenate(places)
        vectors = np.concatenate([part.vectors for part in parts])
        return Chunks(vectors, np.ascontiguousarray(every[:, 0]), np.ascontiguousarray(every[:, 1:]))


class StatesJob(_TextsJob):
    """The last hidden state of every token."""

    def __init__(self, context: Context, texts: Sequence[str], fields: Mapping[str, Any], report: Report) -> None:
        super().__init__(context, texts, "/token_states", {**context.limited(), **fields}, max_chars=STATE_CHARS)
        self._report = report
        self._states: list[Floats] = [np.empty((0, 0), np.float32)] * len(texts)
        self._lengths = np.empty(len(texts), np.int64)
        self._texts_done = 0

    def take(self, place: int, reply: Reply) -> None:
        """Put the states of one request where they belong."""
        span = self._spans[place]
        rows = self._context.rows(reply, None, numbers=2 * len(span))
        counts, self._lengths[span.start : span.stop] = np.split(rows.numbers, 2)
        if int(counts.sum()) != len(rows.vectors):
            raise not_ours(self._context.address, "an answer has other rows than it says")
        self._states[span.start : span.stop] = np.split(rows.vectors, np.cumsum(counts)[:-1])
        self._texts_done += len(span)
        self._report(self._texts_done, 0)

    def result(self) -> tuple[list[Floats], Ints]:
        """Give an array (L, D) for each text, and the tokens of each before any cut."""
        return self._states, self._lengths


class ListJob(_TextsJob):
    """One value for each text, or entries about some of them.

    Args:
        context: Who is asked.
        texts: In any number.
        path: Of the route.
        name: Of the list in its answer.
        fields: More of the request.
        has_all: Whether there is a value for every text; otherwise entries have an `index`, which is put right.
    """

    accept = JSON

    def __init__(
        self,
        context: Context,
        texts: Sequence[str],
        path: str,
        name: str,
        fields: Mapping[str, Any] | None = None,
        *,
        has_all: bool = True,
    ) -> None:
        super().__init__(context, texts, path, {**context.fields(), **(fields or {})})
        self._name, self._has_all = name, has_all
        self._parts: list[list[Any]] = [[] for _ in self._spans]

    def take(self, place: int, reply: Reply) -> None:
        """Keep the list of one request."""
        span = self._spans[place]
        found = read_values(reply, self._name, len(span) if self._has_all else None, self._context.address)
        if not self._has_all:
            for entry in found:
                entry["index"] += span.start
        self._parts[place] = found

    def result(self) -> list[Any]:
        """Give the lists of all requests as one."""
        return [value for part in self._parts for value in part]
