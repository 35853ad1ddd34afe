"""What a model has to do here, and texts through it: each different text once, and no cut unseen."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import numpy as np

from gtekit.arrays import Floats
from gtekit.config import OnTruncation
from gtekit.inputs import DOCUMENT_PROMPTS, QUERY_PROMPTS
from gtekit.truncation import Truncation


class Model(Protocol):
    """A model to evaluate: what `gtekit.load` gives, or anything with the same few methods."""

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    @property
    def fingerprint(self) -> str:
        """Hash of everything that decides the vectors."""
        ...

    @property
    def precision(self) -> str:
        """The number format it computes in."""
        ...

    @property
    def max_tokens(self) -> int:
        """The most tokens of a text that are read."""
        ...

    @property
    def prompts(self) -> Mapping[str, str]:
        """What goes before a text, by name."""
        ...

    def encode(self, texts: Sequence[str], *, on_truncation: OnTruncation) -> Floats:
        """Embed texts, shape (N, D)."""
        ...

    def encode_query(self, queries: Sequence[str], *, on_truncation: OnTruncation) -> Floats:
        """Embed queries, shape (Q, D)."""
        ...

    def encode_document(self, documents: Sequence[str], *, on_truncation: OnTruncation) -> Floats:
        """Embed documents, shape (N, D)."""
        ...

    def truncation_report(self, texts: Sequence[str], *, prompt_name: str | None = None) -> Sequence[Truncation]:
        """Say which texts are longer than the model reads."""
        ...


class Encoder:
    """Embeds the texts of one evaluation and counts those that the model cuts."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._texts = self._cut = self._tokens_lost = 0

    def encode(self, texts: Sequence[str]) -> Floats:
        """Embed texts that are neither queries nor documents, shape (N, D).

        A model that marks both (E5) has to have a mark, and its card asks for that of queries.
        """
        if self._has(QUERY_PROMPTS) and self._has(DOCUMENT_PROMPTS):
            return self._embed(self._model.encode_query, texts, QUERY_PROMPTS)
        return self._embed(self._model.encode, texts, ())

    def encode_query(self, queries: Sequence[str]) -> Floats:
        """Embed queries, shape (Q, D)."""
        return self._embed(self._model.encode_query, queries, QUERY_PROMPTS)

    def encode_document(self, documents: Sequence[str]) -> Floats:
        """Embed documents, shape (N, D)."""
        return self._embed(self._model.encode_document, documents, DOCUMENT_PROMPTS)

    def note_of_cuts(self) -> str:
        """Say how much was cut; "" where nothing was."""
        if not self._cut:
            return ""
        return (
            f"{self._cut:,} of {self._texts:,} texts {'is' if self._cut == 1 else 'are'} longer than the "
            f"{self._model.max_tokens} tokens that the model reads: {self._tokens_lost:,} of their tokens have no part "
            f"in the scores. model.truncation_report(texts) says where the cuts fall."
        )

    def _has(self, names: Sequence[str]) -> bool:
        return any(self._model.prompts.get(name) for name in names)

    def _embed(self, encode: Callable[..., Floats], texts: Sequence[str], prompts: Sequence[str]) -> Floats:
        rows: dict[str, int] = {}
        for text in texts:
            rows.setdefault(text, len(rows))
        different = list(rows)
        prompt_name = next((name for name in prompts if name in self._model.prompts), None)
        cuts = self._model.truncation_report(different, prompt_name=prompt_name)
        self._texts += len(different)
        self._cut += len(cuts)
        self._tokens_lost += sum(cut.tokens_lost for cut in cuts)
        embeddings = encode(different, on_truncation="ignore")  # it is said once, of all texts: note_of_cuts
        return embeddings[np.fromiter((rows[text] for text in texts), np.int64, len(texts))]
