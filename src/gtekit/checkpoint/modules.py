"""The sentence-transformers part of a checkpoint: modules.json, pooling, lengths, prompts, in old and new keys."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from gtekit.checkpoint.json_files import kind_of, read_json, read_json_object, shorten
from gtekit.config import FEWEST_TOKENS, ModelConfig, Pooling
from gtekit.errors import ArchitectureError, CheckpointError

# The keys of sentence-transformers before version 6, one boolean each; version 6 writes {"pooling_mode": "mean"}.
OLD_POOLING_KEYS = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}
POOLINGS: dict[str, Pooling] = {"mean": "mean", "cls": "cls"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Modules:
    """The steps that modules.json names."""

    encoder: Path  # the folder with config.json, the weights and the tokenizer
    pooling_config: Path
    normalize: bool


def read_modules(folder: Path) -> Modules | None:
    """Read modules.json; None where the folder has no modules.json.

    Raises:
        CheckpointError: If the steps are others than an encoder, a pooling and perhaps a normalization.
    """
    path = folder / "modules.json"
    if not path.exists():
        return None
    steps = [_step(path, position, step) for position, step in enumerate(_list(path))]
    kinds = [kind for kind, _ in steps]
    if kinds[:2] != ["Transformer", "Pooling"] or any(kind != "Normalize" for kind in kinds[2:]):
        raise CheckpointError(
            f"{path}: expected the modules Transformer, Pooling and perhaps Normalize, "
            f"found {', '.join(kinds) or 'none'}. Other modules (Dense, Router, ...) are not computed here."
        )
    for _, step_folder in steps[2:]:
        _check_normalize(folder / step_folder / "config.json")
    return Modules(
        encoder=folder / steps[0][1],
        pooling_config=folder / steps[1][1] / "config.json",
        normalize=len(steps) > 2,
    )


def read_pooling(path: Path) -> Pooling:
    """How token vectors become one, from 1_Pooling/config.json.

    Raises:
        CheckpointError: If it is a kind of pooling other than mean or cls, or several at once.
    """
    settings = read_json_object(path)
    if "pooling_mode" in settings:
        mode = settings["pooling_mode"]
        modes = mode if isinstance(mode, list) else [mode]
    else:
        unknown = [key for key in settings if key.startswith("pooling_mode") and key not in OLD_POOLING_KEYS]
        modes = [mode for key, mode in OLD_POOLING_KEYS.items() if settings.get(key)] + unknown
    if len(modes) != 1 or modes[0] not in POOLINGS:
        found = " and ".join(str(mode)[:80] for mode in modes) or "no mode"
        raise CheckpointError(f"{path}: expected one pooling mode, mean or cls, found {found}.")
    if settings.get("include_prompt", True) is not True:
        raise CheckpointError(
            f"{path}: expected include_prompt true, found {kind_of(settings['include_prompt'])}. Models that leave the "
            "prompt out of the pooling (INSTRUCTOR) are not computed here."
        )
    return POOLINGS[modes[0]]


def read_max_tokens(encoder: Path, tokenizer_settings: Mapping[str, Any], config: ModelConfig) -> int:
    """The most tokens that the model reads, [CLS] and [SEP] included.

    max_seq_length of sentence_bert_config.json, else model_max_length of tokenizer_config.json, never more than the
    model has positions. What a tokenizer.json says about truncation has no say (MiniLM's is 128, its model's 256).

    Raises:
        CheckpointError: If the length is no length, or the file asks for steps that are not computed here.
    """
    path = encoder / "sentence_bert_config.json"
    settings = read_json_object(path) if path.exists() else {}
    _check_transformer(path, settings)
    length = settings.get("max_seq_length")
    if length is None:
        path = encoder / "tokenizer_config.json"
        length = tokenizer_settings.get("model_max_length")
        if isinstance(length, float) and length > config.max_position_embeddings:
            length = None  # transformers writes 1e30 for "no limit"
    if length is None:
        return config.max_position_embeddings
    if not isinstance(length, int) or isinstance(length, bool) or length < FEWEST_TOKENS:
        raise CheckpointError(
            f"{path}: expected a maximum length of at least {FEWEST_TOKENS} tokens, found {kind_of(length)}."
        )
    return min(length, config.max_position_embeddings)


def read_prompts(folder: Path) -> tuple[dict[str, str], str | None]:
    """The prompts of config_sentence_transformers.json and the name of the default one; ({}, None) where it is missing.

    Raises:
        CheckpointError: If the prompts are no texts by name, or the default is not among them.
    """
    path = folder / "config_sentence_transformers.json"
    settings = read_json_object(path) if path.exists() else {}
    kind = settings.get("model_type", "SentenceTransformer")
    if kind != "SentenceTransformer":
        raise ArchitectureError(f"{path}: expected model_type 'SentenceTransformer', found {kind_of(kind)}.")
    prompts = settings.get("prompts") or {}
    if not isinstance(prompts, dict) or not all(isinstance(text, str | None) for text in prompts.values()):
        raise CheckpointError(f"{path}: expected prompts to be texts by name, found {shorten(prompts)}.")
    default = settings.get("default_prompt_name")
    if default is not None and (not isinstance(default, str) or default not in prompts):
        names = ", ".join(prompts) or "none"
        raise CheckpointError(f"{path}: expected default_prompt_name among the prompts ({names}), found {default!r}.")
    return {name: text for name, text in prompts.items() if text is not None}, default


def _list(path: Path) -> list[Any]:
    value = read_json(path)
    if not isinstance(value, list):
        raise CheckpointError(f"{path}: expected a list of modules, found {kind_of(value)}.")
    return value


def _step(path: Path, position: int, step: object) -> tuple[str, str]:
    """Kind and folder of one module. Only classes of sentence-transformers itself are known; none is ever imported."""
    type_name = step.get("type") if isinstance(step, dict) else None
    place = step.get("path", "") if isinstance(step, dict) else None
    if not isinstance(type_name, str) or not isinstance(place, str):
        raise CheckpointError(
            f"{path}: module {position}: expected an object with type and path, found {shorten(step)}."
        )
    if not type_name.startswith("sentence_transformers."):
        raise CheckpointError(
            f"{path}: module {position}: expected a module of sentence-transformers, found {type_name[:80]!r}. "
            "Code that comes with a checkpoint is never run."
        )
    parts = PurePosixPath(place)
    if parts.is_absolute() or ".." in parts.parts or "\\" in place or ":" in place or "\0" in place:
        raise CheckpointError(f"{path}: module {position}: expected a path inside the folder, found {place[:80]!r}.")
    return type_name.rpartition(".")[2], place


def _check_normalize(path: Path) -> None:
    settings = read_json_object(path) if path.exists() else {}
    for key in ("module_input_name", "module_output_name"):
        found = settings.get(key) or "sentence_embedding"
        if found != "sentence_embedding":
            raise CheckpointError(f"{path}: expected {key} 'sentence_embedding', found {kind_of(found)}.")


def _check_transformer(path: Path, settings: Mapping[str, Any]) -> None:
    """What sentence-transformers 6 writes about the encoder: text in, last hidden state out, nothing else."""
    text = settings.get("modality_config", {})
    text = text.get("text", {}) if isinstance(text, dict) else {}
    method = text if isinstance(text, dict) else {}
    found_and_expected = {
        "transformer_task": (settings.get("transformer_task", "feature-extraction"), "feature-extraction"),
        "module_output_name": (settings.get("module_output_name", "token_embeddings"), "token_embeddings"),
        "method": (method.get("method", "forward"), "forward"),
        "method_output_name": (method.get("method_output_name", "last_hidden_state"), "last_hidden_state"),
        "processing_kwargs": (settings.get("processing_kwargs") or None, None),
        "query_length": (settings.get("query_length"), None),
        "document_length": (settings.get("document_length"), None),
        "query_expansion": (settings.get("query_expansion"), None),
    }
    for key, (found, expected) in found_and_expected.items():
        if found != expected:
            raise CheckpointError(f"{path}: expected {key} {expected!r}, found {kind_of(found)}.")
