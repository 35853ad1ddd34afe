"""How texts are embedded that are to be alike, neither queries nor documents."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from gtekit.any_model import AnyModel
from gtekit.config import EncodeKeywords
from gtekit.errors import ArgumentError, SpaceError
from gtekit.inputs import DOCUMENT_PROMPTS, QUERY_PROMPTS, choose_prompt, read_options


class MarkingModel(Protocol):
    """What choosing a prompt needs of a model; a loaded one has it."""

    @property
    def prompts(self) -> Mapping[str, str]:
        """What goes before a text, by name."""


@dataclass(frozen=True, slots=True)
class EmbeddedAs:
    """What decides the cosines of texts beside the model: what was fitted with one does not fit another."""

    prompt: str  # before every text
    dimension: int  # of the vectors, all or the first so many

    @classmethod
    def of(cls, model: AnyModel, options: EncodeKeywords) -> "EmbeddedAs":
        """Say how `alike_options` make a model embed."""
        chosen = read_options(alike_options(model, options), dimension=model.dimension)
        prompt = choose_prompt(model.prompts, model.checkpoint.default_prompt_name, chosen)
        return cls(prompt, int(chosen.dimensions or model.dimension))

    def check(self, used: "EmbeddedAs", what: str) -> None:
        """Make sure that texts are embedded as they were for a fit.

        Raises:
            SpaceError: If they are not.
        """
        if used != self:
            raise SpaceError(
                f"{what} was fitted to vectors of {self.dimension} dimensions with the prompt {self.prompt!r}, and "
                f"these have {used.dimension} and {used.prompt!r}: cosines of one mean nothing to the other. Embed as "
                f"it was fitted, or fit again."
            )


def alike_options(model: MarkingModel, options: EncodeKeywords) -> EncodeKeywords:
    """Add what comparing texts with their like needs: vectors of length 1, and the same prompt before all of them.

    A model that marks both queries and documents (E5) has to have a mark, and its card asks for that of queries. A
    prompt that the caller chose stays.

    Raises:
        ArgumentError: If other lengths are asked for: cosines have no use for them.
    """
    if options.get("normalize") is False:
        raise ArgumentError("normalize=False is not possible here: texts are compared by cosines. Leave it out.")
    return {**marked_options(model, options), "normalize": True}


def marked_options(model: MarkingModel, options: EncodeKeywords) -> EncodeKeywords:
    """Add the prompt alone, as `alike_options` does."""
    chosen: EncodeKeywords = {**options}
    if chosen.get("prompt") is None and chosen.get("prompt_name") is None:
        query = next((name for name in QUERY_PROMPTS if model.prompts.get(name)), None)
        if query is not None and any(model.prompts.get(name) for name in DOCUMENT_PROMPTS):
            chosen["prompt_name"] = query
    return chosen
