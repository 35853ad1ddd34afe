"""One space, one name: what must not change a fingerprint, and what must."""

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gtekit.arrays import Array
from gtekit.checkpoint import load_checkpoint
from gtekit.checkpoint.fingerprint import default_cache, widen
from gtekit.checkpoint.seeded import SeededLayout, seeded_config, to_bfloat16, write_seeded_checkpoint
from gtekit.errors import CheckpointError
from tests.checkpoint.builders import change_tensors, copy_checkpoint, edit_json

LAYOUTS = st.fixed_dictionaries(
    {
        "dtype": st.sampled_from(["float16", "float32"]),
        "prefix": st.sampled_from(["", "bert.", "model.", "0.auto_model."]),
        "extra_tensors": st.booleans(),
        "tokenizer": st.sampled_from(["json", "vocab"]),
    }
)


def fingerprint_of(folder: Path) -> str:
    return load_checkpoint(folder).fingerprint


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(LAYOUTS)
def test_how_the_files_are_laid_out_does_not_change_it(
    tiny_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory, layout: SeededLayout
) -> None:
    other = write_seeded_checkpoint(tmp_path_factory.mktemp("layout"), size="tiny", **layout)
    assert fingerprint_of(other) == fingerprint_of(tiny_checkpoint)
    assert re.fullmatch("[0-9a-f]{64}", fingerprint_of(other))


def test_bfloat16_and_float32_of_equal_values_are_one_space(folder: Path, tmp_path: Path) -> None:
    def to_bits(tensors: dict[str, Array]) -> dict[str, Array]:
        return {name: to_bfloat16(tensor.astype(np.float32)) for name, tensor in tensors.items()}

    change_tensors(folder, to_bits)
    wide = copy_checkpoint(folder, tmp_path / "wide")
    change_tensors(wide, lambda tensors: {name: widen(tensor) for name, tensor in tensors.items()})
    assert load_checkpoint(wide).tensors["embeddings.LayerNorm.bias"].dtype == np.float32
    assert fingerprint_of(folder) == fingerprint_of(wide)


HARMLESS: dict[str, tuple[str, dict[str, Any]]] = {
    "truncation": ("tokenizer.json", {"truncation": None}),
    "padding": ("tokenizer.json", {"padding": None}),
    "decoder": ("tokenizer.json", {"decoder": {"type": "WordPiece", "prefix": "##", "cleanup": False}}),
    "version": ("tokenizer.json", {"version": "2.0"}),
    "a processor of another kind that does the same": (
        "tokenizer.json",
        {"post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 102], "cls": ["[CLS]", 101]}},
    ),
    "length": ("sentence_bert_config.json", {"max_seq_length": 32}),
    "prompts": ("config_sentence_transformers.json", {"prompts": {"query": "query: "}}),
    "dropout": ("config.json", {"hidden_dropout_prob": 0.3}),
    "pooling in new keys": ("1_Pooling/config.json", {"pooling_mode": "mean"}),
    "accents that go with case anyway": ("tokenizer_config.json", {"strip_accents": True}),
}


@pytest.mark.parametrize(("name", "changes"), HARMLESS.values(), ids=HARMLESS.keys())
def test_what_leaves_the_vectors_alone_does_not_change_it(
    tiny_checkpoint: Path, folder: Path, name: str, changes: dict[str, Any]
) -> None:
    edit_json(folder / name, **changes)
    assert fingerprint_of(folder) == fingerprint_of(tiny_checkpoint)


def _change_vocabulary(folder: Path) -> None:
    tokenizer = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    vocabulary = tokenizer["model"]["vocab"]
    vocabulary["the"], vocabulary["of"] = vocabulary["of"], vocabulary["the"]
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer), "utf-8")


def _change_model(folder: Path, **changes: Any) -> None:
    tokenizer = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    edit_json(folder / "tokenizer.json", model=tokenizer["model"] | changes)


def _change_weight(folder: Path) -> None:
    def nudge(tensors: dict[str, Array]) -> dict[str, Array]:
        tensors["encoder.layer.1.output.dense.weight"].view(np.uint16)[7, 11] ^= 1  # the last bit of one number
        return tensors

    change_tensors(folder, nudge)


def _drop_normalize(folder: Path) -> None:
    steps = json.loads((folder / "modules.json").read_text("utf-8"))
    (folder / "modules.json").write_text(json.dumps(steps[:2]), "utf-8")


HARMFUL: dict[str, Callable[[Path], None]] = {
    "the last bit of one weight": _change_weight,
    "two tokens swapped": _change_vocabulary,
    "another unknown token": lambda folder: _change_model(folder, unk_token="[MASK]"),
    "shorter words known": lambda folder: _change_model(folder, max_input_chars_per_word=10),
    "capital letters kept": lambda folder: edit_json(folder / "tokenizer_config.json", do_lower_case=False),
    "accents kept": lambda folder: edit_json(folder / "tokenizer_config.json", strip_accents=False),
    "Chinese characters together": lambda f: edit_json(f / "tokenizer_config.json", tokenize_chinese_chars=False),
    "no special tokens around": lambda folder: edit_json(folder / "tokenizer.json", post_processor=None),
    "no added tokens": lambda folder: edit_json(folder / "tokenizer.json", added_tokens=[]),
    "cls pooling": lambda folder: edit_json(folder / "1_Pooling" / "config.json", pooling_mode="cls"),
    "no normalization": _drop_normalize,
    "another epsilon": lambda folder: edit_json(folder / "config.json", layer_norm_eps=1e-5),
    "other heads": lambda folder: edit_json(folder / "config.json", num_attention_heads=2),
}


@pytest.mark.parametrize("change", HARMFUL.values(), ids=HARMFUL.keys())
def test_what_changes_a_vector_changes_it(tiny_checkpoint: Path, folder: Path, change: Callable[[Path], None]) -> None:
    change(folder)
    assert fingerprint_of(folder) != fingerprint_of(tiny_checkpoint)


def test_another_vocabulary_alone_changes_it(tmp_path: Path, tiny_checkpoint: Path) -> None:
    write_seeded_checkpoint(tmp_path, size="tiny", tokenizer="vocab")
    tokens = (tmp_path / "vocab.txt").read_text("utf-8").replace("\nthe\n", "\nthee\n")
    (tmp_path / "vocab.txt").write_text(tokens, "utf-8")
    assert fingerprint_of(tmp_path) != fingerprint_of(tiny_checkpoint)


def test_it_is_not_computed_while_loading_and_kept_on_disk_afterwards(tiny_checkpoint: Path) -> None:
    checkpoint = load_checkpoint(tiny_checkpoint)
    assert not default_cache().exists()
    assert checkpoint.fingerprint == checkpoint.fingerprint
    (entry,) = default_cache().iterdir()
    assert entry.read_text("utf-8").strip() == checkpoint.fingerprint
    entry.write_text("0" * 64, "utf-8")  # a mark: what comes back now was read, not computed
    assert fingerprint_of(tiny_checkpoint) == "0" * 64


def test_a_changed_file_is_not_answered_from_the_cache(folder: Path) -> None:
    before = fingerprint_of(folder)
    status = (folder / "model.safetensors").stat()
    _change_weight(folder)
    os.utime(folder / "model.safetensors", ns=(status.st_atime_ns, status.st_mtime_ns + 1))  # same size, 1 ns later
    assert fingerprint_of(folder) != before


def test_a_file_that_changed_after_loading_is_not_hashed_under_the_loaded_name(folder: Path) -> None:
    checkpoint = load_checkpoint(folder)
    _change_weight(folder)
    os.utime(folder / "model.safetensors", ns=(1, 1))
    with pytest.raises(CheckpointError, match=r"model.safetensors: expected .* as when the model was loaded, found"):
        _ = checkpoint.fingerprint


def test_a_file_that_is_gone_is_an_error_of_ours(folder: Path) -> None:
    checkpoint = load_checkpoint(folder)
    (folder / "tokenizer.json").unlink()
    with pytest.raises(CheckpointError, match=r"tokenizer.json: expected a file, found none"):
        _ = checkpoint.fingerprint


def test_a_cache_that_can_not_be_written_does_no_harm(
    tiny_checkpoint: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = fingerprint_of(tiny_checkpoint)
    (home / "a file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "a file"))
    assert fingerprint_of(tiny_checkpoint) == expected


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"abc", b"g" * 64])
def test_a_damaged_entry_of_the_cache_is_computed_again(tiny_checkpoint: Path, content: bytes) -> None:
    expected = fingerprint_of(tiny_checkpoint)
    (entry,) = default_cache().iterdir()
    entry.write_bytes(content)
    assert fingerprint_of(tiny_checkpoint) == expected
    assert entry.read_text("utf-8").strip() == expected


@pytest.mark.parametrize(
    "changes", [{"model": 3}, {"model": {"vocab": []}}, {"added_tokens": [7]}, {"added_tokens": [{}]}]
)
@pytest.mark.parametrize("processor", [{"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "x"}}]}, None])
def test_a_damaged_tokenizer_is_named(folder: Path, changes: dict[str, Any], processor: object) -> None:
    edit_json(folder / "tokenizer.json", **changes, post_processor=processor)
    with pytest.raises(CheckpointError, match=r"tokenizer.json: expected"):
        fingerprint_of(folder)


def test_a_copy_elsewhere_has_the_same_name(tiny_checkpoint: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_checkpoint, tmp_path / "elsewhere")
    assert fingerprint_of(tmp_path / "elsewhere") == fingerprint_of(tiny_checkpoint)
    assert seeded_config("tiny") == load_checkpoint(tmp_path / "elsewhere").config
