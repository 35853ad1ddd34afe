"""What is said of a model, in TEI's /info and in our own /model."""

from typing import Any

import msgspec

from gtekit.serving.served_models import ServedModel


class ModelFacts(msgspec.Struct, kw_only=True):
    """What `gtekit.load` says of a model, and the name that it is served under."""

    name: str
    served_name: str
    revision: str | None
    fingerprint: str  # equal fingerprints, one space
    dimension: int
    max_tokens: int
    prompts: dict[str, str]
    default_prompt_name: str | None
    pooling: str
    normalize: bool
    precision: str
    isa: str
    threads: int


def facts_of(served: ServedModel) -> dict[str, Any]:
    """Give the fields of ModelFacts. The fingerprint is computed where nobody has asked for it yet."""
    model = served.model
    facts = ModelFacts(
        name=model.name,
        served_name=served.name,
        revision=model.revision,
        fingerprint=model.fingerprint,
        dimension=model.dimension,
        max_tokens=model.max_tokens,
        prompts=dict(model.prompts),
        default_prompt_name=model.checkpoint.default_prompt_name,
        pooling=model.pooling,
        normalize=model.normalize,
        precision=model.precision,
        isa=model.isa,
        threads=model.threads,
    )
    return msgspec.structs.asdict(facts)
