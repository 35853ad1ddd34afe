"""A model whose vectors the test names: a second implementation of what `evaluate` needs."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from gtekit.arrays import Floats
from gtekit.config import OnTruncation
from gtekit.truncation import Truncation

# unit vectors whose cosines with (1, 0) are exact enough to know by heart
EAST, NEAR, FAR, NORTH, WEST = (1.0, 0.0), (0.8, 0.6), (0.6, 0.8), (0.0, 1.0), (-1.0, 0.0)


class FixedModel:
    """Gives each text its vector; a token is a word."""

    name = "fixed"
    fingerprint = "0123456789abcdef"
    precision = "float32"

    def __init__(
        self,
        vectors: Mapping[str, Sequence[float]],
        *,
        max_tokens: int = 512,
        prompts: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.vectors = vectors
        self.max_tokens = max_tokens
        self.prompts = prompts
        self.asked: list[tuple[str, list[str]]] = []  # the method and its texts, call by call

    def encode(self, texts: Sequence[str], *, on_truncation: OnTruncation) -> Floats:
        return self._encode("encode", texts)

    def encode_query(self, queries: Sequence[str], *, on_truncation: OnTruncation) -> Floats:
        return self._encode("encode_query", queries)

    def encode_document(self, documents: Sequence[str], *, on_truncation: OnTruncation) -> Floats:
        return self._encode("encode_document", documents)

    def truncation_report(self, texts: Sequence[str], *, prompt_name: str | None = None) -> list[Truncation]:
        prompt = self.prompts[prompt_name] if prompt_name else ""
        counts = [len((prompt + text).split()) for text in texts]
        return [
            Truncation(
                index=index,
                token_count=count,
                tokens_kept=self.max_tokens,
                tokens_lost=count - self.max_tokens,
                cut_at=0,
            )
            for index, count in enumerate(counts)
            if count > self.max_tokens
        ]

    def _encode(self, method: str, texts: Sequence[str]) -> Floats:
        self.asked.append((method, list(texts)))
        return np.array([self.vectors[text] for text in texts], np.float32)
