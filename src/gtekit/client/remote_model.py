"""What both clients know of their model without asking again: properties, options, prompts, warnings."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from operator import index
from typing import Any

import numpy as np

from gtekit.arrays import Floats, Ints
from gtekit.client.connection import Connection
from gtekit.client.facts import ServedFacts, read_facts
from gtekit.client.jobs import Context
from gtekit.client.wire import Ask, Reply
from gtekit.config import FEWEST_TOKENS, EncodeKeywords, EncodeOptions, Pooling
from gtekit.cosines import similarity, similarity_pairwise
from gtekit.errors import ArgumentError
from gtekit.inputs import check_count, choose_prompt, read_options
from gtekit.truncation import refuse_truncation
from gtekit.vectors import Vectors


class RemoteModel(ABC):
    """Facts about a served model, and what follows from them."""

    def __init__(self, connection: Connection, facts: ServedFacts | None, max_tokens: int | None) -> None:
        self._connection = connection
        self._known: ServedFacts | None = facts
        self._max_tokens = max_tokens

    @property
    def address(self) -> str:
        """Of the server."""
        return self._connection.address

    @property
    @abstractmethod
    def checkpoint(self) -> ServedFacts:
        """What the server says of the model; also its default prompt."""

    @property
    def name(self) -> str:
        """The hub id, or the folder as the server was given it."""
        return self.checkpoint.name

    @property
    def revision(self) -> str | None:
        """The commit that was loaded, for a model of the hub."""
        return self.checkpoint.revision

    @property
    def fingerprint(self) -> str:
        """Hash of everything that decides the vectors: equal fingerprints, one space."""
        return self.checkpoint.fingerprint

    @property
    def dimension(self) -> int:
        """D, the length of an embedding."""
        return self.checkpoint.dimension

    @property
    def max_tokens(self) -> int:
        """The most tokens of a text that are read, [CLS] and [SEP] included."""
        return self.checkpoint.max_tokens if self._max_tokens is None else self._max_tokens

    @property
    def prompts(self) -> Mapping[str, str]:
        """The prompts that the model was trained with, by name."""
        return self.checkpoint.prompts

    @property
    def pooling(self) -> Pooling:
        """How token vectors become the vector of a text."""
        return self.checkpoint.pooling

    @property
    def normalize(self) -> bool:
        """Whether embeddings have length 1 unless asked otherwise."""
        return self.checkpoint.normalize

    @property
    def threads(self) -> int:
        """The most threads that the server uses for a call."""
        return self.checkpoint.threads

    @property
    def isa(self) -> str:
        """The kernels that run there, such as scalar, avx2, avx512_vnni, neon_dotprod."""
        return self.checkpoint.isa

    @property
    def precision(self) -> str:
        """The number format of the linear layers."""
        return self.checkpoint.precision

    def similarity(self, a: Vectors, b: Vectors) -> Floats:
        """Give the cosine of every vector of a with every vector of b, shape (Q, N). Computed here."""
        return similarity(a, b)

    def similarity_pairwise(self, a: Vectors, b: Vectors) -> Floats:
        """Give the cosine of each vector of a with the vector of b in the same place, shape (N,). Computed here."""
        return similarity_pairwise(a, b)

    def _facts_ask(self) -> Ask:
        from urllib.parse import urlencode

        model = self._connection.model
        return Ask(path="/model" if model is None else "/model?" + urlencode({"model": model}))

    def _learn(self, reply: Reply) -> ServedFacts:
        facts = read_facts(reply, self.address)
        if self._max_tokens is not None:
            check_count("max_tokens", self._max_tokens, least=FEWEST_TOKENS, most=facts.max_tokens)
        self._known = facts
        return facts

    def _context(self) -> Context:
        return Context(
            self.address, self._connection.model, self.checkpoint, self.max_tokens, self._connection.timeout_s
        )

    def _options(self, keywords: EncodeKeywords, without: tuple[str, ...] = ()) -> EncodeOptions:
        return read_options(keywords, dimension=self.dimension, without=without)

    def _prompt(self, options: EncodeOptions) -> str:
        return choose_prompt(self.prompts, self.checkpoint.default_prompt_name, options)

    def _with_prompt(self, keywords: EncodeKeywords, names: Sequence[str]) -> EncodeKeywords:
        if keywords.get("prompt") is None and keywords.get("prompt_name") is None:
            name = next((name for name in names if name in self.prompts), None)
            return {**keywords, "prompt_name": name}
        return keywords

    def _empty(self, options: EncodeOptions) -> Floats:
        return np.empty((0, options.dimensions or self.dimension), np.float32)

    def _encode_fields(self, options: EncodeOptions, prompt: str) -> dict[str, Any]:
        return {
            "prompt": prompt,
            "on_truncation": options.on_truncation,
            "normalize": options.normalize,
            "dimensions": _whole(options.dimensions),
        }

    def _chunk_fields(
        self, options: EncodeOptions, max_tokens: int | None, overlap_tokens: int | None
    ) -> dict[str, Any]:
        return {
            "prompt": self._prompt(options),
            "max_tokens": _whole(max_tokens or self.max_tokens),
            "overlap_tokens": _whole(overlap_tokens),
            "normalize": options.normalize,
            "dimensions": _whole(options.dimensions),
        }

    def _refuse(self, counts: Sequence[int], first_index: int) -> ArgumentError:
        """Give the error of a local model for texts of which the server refused one as too long."""
        lengths: Ints = np.array(counts, np.int64)
        try:
            refuse_truncation(lengths, self.max_tokens, first_index)
        except ArgumentError as error:
            return error
        return ArgumentError(f"{self.address}: refuses a text as too long, and counts none that is. Ask again.")


def _whole(value: int | None) -> int | None:
    """A number of numpy as one of Python, which JSON knows."""
    return None if value is None else index(value)


def check_states_options(options: EncodeOptions) -> None:
    """Make sure that token states are not asked for in pieces.

    Raises:
        ArgumentError: If they are.
    """
    if options.on_truncation == "chunk":
        raise ArgumentError("token_states cuts long texts or refuses them; on_truncation: warn, error, ignore.")
