"""What a model is and how texts become embeddings, as frozen dataclasses."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypedDict

DEFAULT_MODEL = "gte-small"

Pooling = Literal["mean", "cls"]
OnTruncation = Literal["warn", "error", "ignore", "chunk"]
Precision = Literal["float32", "int8"]

FEWEST_TOKENS = 3  # of a limit: [CLS], one token of text, [SEP]
MOST_BATCH_TOKENS = 1_048_576  # scratch memory grows with it, and speed stopped growing long before


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelConfig:
    """Shape of a BERT encoder, in the words of the checkpoint's config.json."""

    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    intermediate_size: int
    vocab_size: int
    max_position_embeddings: int
    type_vocab_size: int
    layer_norm_eps: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenizerFiles:
    """The files that define a checkpoint's tokenizer. At least one of the two paths is there."""

    tokenizer_json: Path | None
    vocab_txt: Path | None
    settings: Mapping[str, Any] = field(default_factory=dict)  # tokenizer_config.json, {} where it is missing


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodeOptions:
    """How texts become embeddings. The defaults suit every GTE checkpoint."""

    prompt_name: str | None = None  # which of the model's prompts goes before each text
    prompt: str | None = None  # a prompt spelled out; wins over prompt_name
    on_truncation: OnTruncation = "warn"  # what happens to the rest of a longer text
    normalize: bool | None = None  # L2; None: as the checkpoint's modules.json says
    dimensions: int | None = None  # keep the first so many, then normalize again
    batch_tokens: int = 256  # per micro-batch: small enough to stay in a core's cache through all layers
    progress: bool | None = None  # None: a bar on a terminal, once the work has run for two seconds


class EncodeKeywords(TypedDict, total=False):
    """The fields of EncodeOptions as keyword arguments: what `encode` and its siblings take."""

    prompt_name: str | None
    prompt: str | None
    on_truncation: OnTruncation
    normalize: bool | None
    dimensions: int | None
    batch_tokens: int
    progress: bool | None
