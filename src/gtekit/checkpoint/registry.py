"""The models that are known by name: what to expect of each, and the prompts that their files lack."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from gtekit.config import Pooling

E5_PROMPTS: Mapping[str, str] = MappingProxyType({"query": "query: ", "document": "passage: "})
BGE_PROMPTS: Mapping[str, str] = MappingProxyType(
    {"query": "Represent this sentence for searching relevant passages: ", "document": ""}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownModel:
    """One line of the table. Sizes and prompts are those of the model's page on the hub."""

    hub_id: str
    dimension: int
    layers: int
    download_mb: int  # of model.safetensors
    max_tokens: int = 512
    language: str = "English"
    pooling: Pooling = "mean"  # used only where a checkpoint has no modules.json, like normalize
    normalize: bool = True
    prompts: Mapping[str, str] = field(default_factory=dict)  # used only where a checkpoint's files have none

    @property
    def short_name(self) -> str:
        """The name without its owner: what a person types."""
        return self.hub_id.rpartition("/")[2]


MINILM = "sentence-transformers/all-MiniLM-L6-v2"

KNOWN_MODELS = (
    KnownModel(hub_id="thenlper/gte-small", dimension=384, layers=12, download_mb=67),
    KnownModel(hub_id="thenlper/gte-base", dimension=768, layers=12, download_mb=219),
    KnownModel(hub_id="thenlper/gte-large", dimension=1024, layers=24, download_mb=670),
    KnownModel(hub_id=MINILM, dimension=384, layers=6, download_mb=91, max_tokens=256),
    KnownModel(
        hub_id="sentence-transformers/all-MiniLM-L12-v2", dimension=384, layers=12, download_mb=133, max_tokens=128
    ),
    KnownModel(hub_id="intfloat/e5-small-v2", dimension=384, layers=12, download_mb=133, prompts=E5_PROMPTS),
    KnownModel(hub_id="intfloat/e5-base-v2", dimension=768, layers=12, download_mb=438, prompts=E5_PROMPTS),
    KnownModel(hub_id="intfloat/e5-large-v2", dimension=1024, layers=24, download_mb=1340, prompts=E5_PROMPTS),
    KnownModel(
        hub_id="BAAI/bge-small-en-v1.5", dimension=384, layers=12, download_mb=133, pooling="cls", prompts=BGE_PROMPTS
    ),
    KnownModel(
        hub_id="BAAI/bge-base-en-v1.5", dimension=768, layers=12, download_mb=438, pooling="cls", prompts=BGE_PROMPTS
    ),
    KnownModel(
        hub_id="BAAI/bge-large-en-v1.5", dimension=1024, layers=24, download_mb=1340, pooling="cls", prompts=BGE_PROMPTS
    ),
    KnownModel(
        hub_id="thenlper/gte-small-zh", dimension=512, layers=6, download_mb=60, pooling="cls", language="Chinese"
    ),
    KnownModel(
        hub_id="thenlper/gte-base-zh", dimension=768, layers=12, download_mb=205, pooling="cls", language="Chinese"
    ),
    KnownModel(
        hub_id="thenlper/gte-large-zh", dimension=1024, layers=24, download_mb=651, pooling="cls", language="Chinese"
    ),
)

_BY_NAME = {name: model for model in KNOWN_MODELS for name in (model.hub_id.lower(), model.short_name.lower())}


def find_known(name: str) -> KnownModel | None:
    """The known model with this hub id or short name; None for every other name."""
    return _BY_NAME.get(name.lower())


def hub_id_of(name: str) -> str:
    """The hub id behind a short name such as gte-small; any other name is a hub id already."""
    known = find_known(name)
    return known.hub_id if known else name


def short_names() -> list[str]:
    """Every short name, in the order of the table."""
    return [model.short_name for model in KNOWN_MODELS]
