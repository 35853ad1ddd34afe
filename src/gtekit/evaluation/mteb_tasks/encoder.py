"""A model behind MTEB's protocol for encoders: texts come in batches with a role, vectors go out in order.

It can be given to `mteb.evaluate` as it is.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gtekit.arrays import Floats
from gtekit.evaluation.models.interface import EvaluatedModel, Role
from gtekit.evaluation.results import SettingsName
from gtekit.evaluation.settings import Use, treatment

if TYPE_CHECKING:
    import torch
    from mteb.abstasks.task_metadata import TaskMetadata
    from mteb.models.model_meta import ModelMeta
    from mteb.types import PromptType

UNIT_TOLERANCE = 1e-3  # of a length: servers may compute in float16
KEPT_BYTES = 256 << 20  # of vectors that may come again, as most texts of a clustering task do


class TaskEncoder:
    """One model on one task. It embeds each text once: a vector does not depend on what stands beside the text."""

    def __init__(
        self,
        model: EvaluatedModel,
        settings: SettingsName = "default",
        done: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Stand between MTEB and a model.

        Args:
            model: What embeds.
            settings: Which prompts and which normalization.
            done: Called with the number of texts asked for and answered so far.
        """
        self._model = model
        self._settings = settings
        self._done = done
        self._kept: dict[tuple[str, bool | None, str], Floats] = {}
        self._kept_bytes = 0
        self.texts = 0
        self.texts_embedded = 0
        self.embed_s = 0.0
        self.dimension = 0
        self.prompts: dict[str, str] = {}  # by role, those that were used
        self.normalize: bool | None = None

    @property
    def mteb_model_meta(self) -> "ModelMeta":
        """Name the model to MTEB, which writes it into its own records alone."""
        from mteb.models.model_meta import ModelMeta, ScoringFunction

        return ModelMeta.create_empty(
            {
                "name": f"gtekit/{self._model.facts.name}",
                "revision": self._model.facts.fingerprint,
                "similarity_fn_name": ScoringFunction.COSINE,
            }
        )

    def encode(
        self,
        inputs: "Iterable[Mapping[str, Any]]",
        *,
        task_metadata: "TaskMetadata",
        hf_split: str,
        hf_subset: str,
        prompt_type: "PromptType | None" = None,
        **_: object,
    ) -> Floats:
        """Embed the texts of a data loader, shape (N, D). MTEB's batch size is its loader's; ours is the engine's."""
        texts = [text for batch in inputs for text in batch["text"]]
        role: Role = "symmetric" if prompt_type is None else prompt_type.value
        treated = treatment(self._model.facts, self._settings, Use(task_metadata.name, task_metadata.type, role))
        self.prompts[role] = treated.prompt
        keys = [(treated.prompt, treated.normalize, text) for text in texts]
        new = {key: index for index, key in enumerate(dict.fromkeys(key for key in keys if key not in self._kept))}
        begun = self.texts
        fresh = self._embed([text for *_, text in new], treated.prompt, treated.normalize, begun)
        embeddings = np.stack([fresh[new[key]] if key in new else self._kept[key] for key in keys])
        self._keep(new, fresh)
        self.normalize = treated.normalize if treated.normalize is not None else _have_length_1(embeddings)
        self.texts = begun + len(texts)
        self.dimension = embeddings.shape[1]
        self._done(self.texts)
        return embeddings

    def similarity(self, embeddings1: Floats, embeddings2: Floats) -> "torch.Tensor":
        """Give the cosines of all with all."""
        from mteb.similarity_functions import cos_sim

        return cos_sim(embeddings1, embeddings2)

    def similarity_pairwise(self, embeddings1: Floats, embeddings2: Floats) -> "torch.Tensor":
        """Give the cosines of those in the same place."""
        from mteb.similarity_functions import pairwise_cos_sim

        return pairwise_cos_sim(embeddings1, embeddings2)

    def _embed(self, texts: Sequence[str], prompt: str, normalize: bool | None, begun: int) -> Floats:
        if not texts:
            return np.empty((0, self.dimension), np.float32)
        kept_before = self._model.texts_kept
        started = time.perf_counter()
        embeddings = self._model.embed(
            texts, prompt=prompt, normalize=normalize, done=lambda finished: self._done(begun + finished)
        )
        self.embed_s += time.perf_counter() - started
        self.texts_embedded += len(texts) - (self._model.texts_kept - kept_before)
        return embeddings

    def _keep(self, new: Mapping[tuple[str, bool | None, str], int], fresh: Floats) -> None:
        if self._kept_bytes + fresh.nbytes <= KEPT_BYTES:
            self._kept.update({key: fresh[index] for key, index in new.items()})
            self._kept_bytes += fresh.nbytes


def _have_length_1(embeddings: Floats) -> bool:
    lengths = np.linalg.norm(embeddings, axis=1)
    return bool(np.all(np.abs(lengths - 1) < UNIT_TOLERANCE))
