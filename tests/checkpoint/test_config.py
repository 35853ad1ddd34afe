"""config.json: which architectures load, and what the others are told."""

import re
from pathlib import Path
from typing import Any

import pytest

from gtekit.checkpoint import load_checkpoint
from gtekit.checkpoint.config import read_model_config
from gtekit.errors import ArchitectureError, CheckpointError
from tests.checkpoint.builders import edit_json

# What the config.json of each model on the hub says.
OTHERS: list[tuple[str, dict[str, Any], str]] = [
    (
        "gte-base-en-v1.5",
        {"model_type": "new", "architectures": ["NewModel"], "auto_map": {"AutoModel": "x--y"}},
        "NewModel",
    ),
    ("gte-modernbert-base", {"model_type": "modernbert", "architectures": ["ModernBertModel"]}, "ModernBertModel"),
    ("gte-Qwen2-1.5B-instruct", {"model_type": "qwen2", "architectures": ["Qwen2ForCausalLM"]}, "Qwen2ForCausalLM"),
    ("multilingual-e5", {"model_type": "xlm-roberta", "architectures": ["XLMRobertaModel"]}, "XLMRobertaModel"),
    (
        "jina v2",
        {"model_type": "bert", "architectures": ["JinaBertModel"], "position_embedding_type": "alibi"},
        "JinaBert",
    ),
]


@pytest.mark.parametrize(("model", "changes", "architecture"), OTHERS, ids=[name for name, _, _ in OTHERS])
def test_another_architecture_is_named_with_what_loads_instead(
    folder: Path, model: str, changes: dict[str, Any], architecture: str
) -> None:
    edit_json(folder / "config.json", **changes)
    with pytest.raises(ArchitectureError) as caught:
        load_checkpoint(folder)
    message = str(caught.value)
    assert architecture in message
    assert repr(changes["model_type"]) in message
    assert str(folder / "config.json") in message
    assert "gte-small, gte-base, gte-large" in message
    assert "never run" in message


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("hidden_act", "gelu_new"),
        ("hidden_act", "gelu_pytorch_tanh"),
        ("hidden_act", "relu"),
        ("position_embedding_type", "relative_key"),
        ("is_decoder", True),
        ("is_decoder", 0),
        ("add_cross_attention", True),
        ("pruned_heads", {"0": [1]}),
        ("quantization_config", {"load_in_8bit": True}),
    ],
)
def test_another_kind_of_bert_is_refused_by_name(folder: Path, key: str, value: object) -> None:
    edit_json(folder / "config.json", **{key: value})
    with pytest.raises(ArchitectureError, match=rf"config.json: expected .*{key}.*found"):
        read_model_config(folder / "config.json")


def test_code_that_a_bert_checkpoint_names_is_ignored(folder: Path) -> None:
    edit_json(folder / "config.json", auto_map={"AutoModel": "evil--repository.Model"})
    assert read_model_config(folder / "config.json").hidden_size == 32


def test_the_defaults_of_bert_hold_where_the_file_is_silent(folder: Path) -> None:
    edit_json(folder / "config.json", hidden_act=None, position_embedding_type=None, layer_norm_eps=None)
    assert read_model_config(folder / "config.json").layer_norm_eps == 1e-12


@pytest.mark.parametrize("value", [0, -1, 1.5, 384.0, True, "384", None, [], 10**12, 10**300])
@pytest.mark.parametrize("key", ["hidden_size", "num_hidden_layers", "vocab_size"])
def test_an_impossible_size_names_key_and_value(folder: Path, key: str, value: object) -> None:
    edit_json(folder / "config.json", **{key: value})
    with pytest.raises(CheckpointError, match=rf"config.json: expected {key} from 1 to [\d,]+, found"):
        read_model_config(folder / "config.json")


@pytest.mark.parametrize("value", [0, 1, -1e-12, True, "1e-12", float("nan"), float("inf")])
def test_an_impossible_epsilon_is_refused(folder: Path, value: object) -> None:
    edit_json(folder / "config.json", layer_norm_eps=value)
    with pytest.raises(CheckpointError, match="expected layer_norm_eps between 0 and 1, found"):
        read_model_config(folder / "config.json")


def test_heads_must_divide_the_width(folder: Path) -> None:
    edit_json(folder / "config.json", num_attention_heads=5)
    expected = re.escape("expected a hidden_size that num_attention_heads=5 divides, found 32")
    with pytest.raises(CheckpointError, match=expected):
        read_model_config(folder / "config.json")
