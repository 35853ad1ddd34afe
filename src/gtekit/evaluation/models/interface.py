"""What a model must do to be evaluated, wherever it runs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from gtekit.arrays import Floats
from gtekit.evaluation.results import ModelKind

Role = Literal["query", "document", "symmetric"]  # symmetric: neither asks for the other, as in similarity or classes


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """What is known of a model before it embeds anything."""

    name: str  # short, such as gte-small
    kind: ModelKind
    fingerprint: str  # of the space; for an endpoint its address and name, which is all that is known of it
    precision: str  # float32, int8; "" where nobody outside knows
    max_tokens: int | None  # None where nobody outside knows
    prompts: Mapping[str, str]  # by the names "query" and "document", those that the model has
    default_prompt: str  # before a text that is neither; "" for most
    size_bytes: int | None  # of the weights in memory
    threads: int | None = None  # that it computes with; None where nobody outside knows


class EvaluatedModel(Protocol):
    """A model to evaluate."""

    @property
    def facts(self) -> ModelFacts:
        """What is known of it."""
        ...

    @property
    def texts_cut(self) -> int | None:
        """Texts so far that were longer than the model reads; None where nobody outside can know."""
        ...

    @property
    def texts_kept(self) -> int:
        """Texts so far whose vectors were kept from before, and not computed."""
        ...

    def embed(
        self, texts: Sequence[str], *, prompt: str, normalize: bool | None, done: Callable[[int], None]
    ) -> Floats:
        """Embed texts.

        Args:
            texts: All different; order is kept.
            prompt: Goes before every text; "" for none.
            normalize: Whether vectors get length 1; None: as the model itself says.
            done: Called with the number of texts finished so far, now and then.

        Returns:
            Shape (N, D).
        """
        ...
