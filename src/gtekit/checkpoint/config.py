"""config.json -> ModelConfig, or an error that names the architecture found and what loads instead."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gtekit.checkpoint.json_files import kind_of, read_json_object
from gtekit.config import ModelConfig
from gtekit.errors import ArchitectureError, CheckpointError

# The largest of each that is believed. A hostile config.json must not make the loader plan 10**12 layers.
LIMITS = {
    "hidden_size": 65_536,
    "num_hidden_layers": 1_024,
    "num_attention_heads": 4_096,
    "intermediate_size": 1_048_576,
    "vocab_size": 16_777_216,
    "max_position_embeddings": 1_048_576,
    "type_vocab_size": 1_024,
}

# What a BERT encoder says of itself, and the value where config.json is silent (as in transformers).
REQUIRED = {"hidden_act": "gelu", "position_embedding_type": "absolute", "is_decoder": False}
REQUIRED_ABSENT = ("add_cross_attention", "pruned_heads", "quantization_config")

LOADS_INSTEAD = (
    "gtekit runs BERT encoders with absolute positions and exact GELU: gte-small, gte-base, gte-large, "
    "thenlper/gte-*-zh, intfloat/e5-*-v2, BAAI/bge-*-en-v1.5, all-MiniLM-L6-v2"
)
KNOWN_OTHERS = {
    "new": "the architecture of gte-base-en-v1.5 and gte-large-en-v1.5, with rotary positions and code of its own",
    "modernbert": "the architecture of gte-modernbert-base, with rotary positions and local attention",
    "qwen2": "the decoder of gte-Qwen2 and gte-Qwen1.5",
    "qwen3": "the decoder of Qwen3-Embedding",
    "xlm-roberta": "the architecture of multilingual-e5 and bge-m3",
    "mpnet": "the architecture of all-mpnet-base-v2",
}


def read_model_config(path: Path) -> ModelConfig:
    """Read config.json, making sure that it describes an encoder which this package computes exactly.

    `auto_map` (code that would come with a checkpoint) is never followed.

    Raises:
        ArchitectureError: If it is a model of another kind.
        CheckpointError: If the file is damaged, or a number in it is missing or impossible.
    """
    settings = read_json_object(path)
    _check_architecture(path, settings)
    sizes = {name: _size(path, settings, name) for name in LIMITS}
    if sizes["hidden_size"] % sizes["num_attention_heads"]:
        raise CheckpointError(
            f"{path}: expected a hidden_size that num_attention_heads={sizes['num_attention_heads']} divides, "
            f"found {sizes['hidden_size']}."
        )
    return ModelConfig(**sizes, layer_norm_eps=_epsilon(path, settings))


def _check_architecture(path: Path, settings: Mapping[str, Any]) -> None:
    model_type = settings.get("model_type")
    architectures = settings.get("architectures") or []
    names = [name for name in architectures if isinstance(name, str)] if isinstance(architectures, list) else []
    if model_type != "bert" or any(not name.startswith("Bert") for name in names):
        found = f"model_type {model_type!r}" + (f", architecture {', '.join(names)}" if names else "")
        note = KNOWN_OTHERS.get(str(model_type))
        raise ArchitectureError(
            f"{path}: expected model_type 'bert', found {found}{f' ({note})' if note else ''}. {LOADS_INSTEAD}. "
            "Code that comes with a checkpoint is never run."
        )
    for name, expected in REQUIRED.items():
        found = settings.get(name, expected)
        if found != expected or isinstance(found, bool) is not isinstance(expected, bool):
            raise ArchitectureError(f"{path}: expected {name} {expected!r}, found {found!r}. {LOADS_INSTEAD}.")
    for name in REQUIRED_ABSENT:
        if settings.get(name):
            raise ArchitectureError(f"{path}: expected no {name}, found {kind_of(settings[name])}. {LOADS_INSTEAD}.")


def _size(path: Path, settings: Mapping[str, Any], name: str) -> int:
    value = settings.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= LIMITS[name]:
        found = "nothing" if name not in settings else kind_of(value)
        raise CheckpointError(f"{path}: expected {name} from 1 to {LIMITS[name]:,}, found {found}.")
    return value


def _epsilon(path: Path, settings: Mapping[str, Any]) -> float:
    value = settings.get("layer_norm_eps", 1e-12)  # transformers' default for BERT
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1 or not math.isfinite(value):
        raise CheckpointError(f"{path}: expected layer_norm_eps between 0 and 1, found {kind_of(value)}.")
    return float(value)
