"""gtekit's own models, evaluated."""

from collections.abc import Callable, Sequence

import numpy as np

from gtekit.any_model import AnyModel
from gtekit.arrays import Floats, Ints
from gtekit.embedder import Embedder
from gtekit.evaluation.models.interface import ModelFacts
from gtekit.evaluation.models.names import prompts_of, short_name
from gtekit.inputs import DOCUMENT_PROMPTS, QUERY_PROMPTS


class LocalModel:
    """A model of gtekit behind the interface of evaluation."""

    def __init__(self, embedder: AnyModel) -> None:
        self._embedder = embedder
        self._texts_cut = 0

    @property
    def facts(self) -> ModelFacts:
        """What is known of it."""
        model = self._embedder
        own = {name: self._prompt(names) for name, names in (("query", QUERY_PROMPTS), ("document", DOCUMENT_PROMPTS))}
        default = model.checkpoint.default_prompt_name
        return ModelFacts(
            name=short_name(model.name),
            kind="gtekit",
            fingerprint=model.fingerprint,
            precision=model.precision,
            max_tokens=model.max_tokens,
            prompts=prompts_of(model.name, own),
            default_prompt=model.prompts[default] if default else "",
            size_bytes=model.memory_bytes if isinstance(model, Embedder) else None,
            threads=model.threads,
        )

    @property
    def texts_cut(self) -> int:
        """Texts so far that were longer than the model reads."""
        return self._texts_cut

    @property
    def texts_kept(self) -> int:
        """None is kept here."""
        return 0

    def embed(
        self, texts: Sequence[str], *, prompt: str, normalize: bool | None, done: Callable[[int], None]
    ) -> Floats:
        """Embed texts, shape (N, D)."""
        embeddings = np.empty((len(texts), self._embedder.dimension), np.float32)
        finished = 0
        for block in self._embedder.encode_stream(
            texts, prompt=prompt, normalize=normalize, take_lengths=self._count_cuts, progress=False
        ):
            embeddings[finished : finished + len(block)] = block
            finished += len(block)
            done(finished)
        return embeddings

    def _count_cuts(self, lengths: Ints) -> None:
        self._texts_cut += int((lengths > self._embedder.max_tokens).sum())

    def _prompt(self, names: Sequence[str]) -> str:
        return next((self._embedder.prompts[name] for name in names if name in self._embedder.prompts), "")
