"""Seeded checkpoints: the layout of gte-small, the same numbers everywhere, and hard enough on an encoder."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from gtekit.checkpoint import load_checkpoint
from gtekit.checkpoint.seeded import Dtype, Size, seeded_config, seeded_tensors, to_bfloat16, write_seeded_checkpoint
from gtekit.checkpoint.seeded_vocabulary import seeded_vocabulary

# Recorded once on x86-64 with numpy 2.4; any machine and any numpy must give the same.
WEIGHTS_SHA256 = "f1870148fb95e68ce3ddb8bf4e3ec7a61b293a400354dc072a8c0b36c7f2b290"
VOCABULARY_SHA256 = "a117c6410dc87466cd650522be6298ec14fb79ed4c35b1a74f205d0373c1f72a"
FINGERPRINT = "b037f05d8213ffbf113bd609f1a4125900f99eb22222279fdd9379e58891f99d"


def test_the_numbers_are_the_same_on_every_machine() -> None:
    digest = hashlib.sha256()
    for name, values in sorted(seeded_tensors(seeded_config("tiny"), seed=0).items()):
        digest.update(name.encode() + values.astype("<f4").tobytes())
    assert digest.hexdigest() == WEIGHTS_SHA256
    assert hashlib.sha256("\n".join(seeded_vocabulary()).encode()).hexdigest() == VOCABULARY_SHA256


def test_the_fingerprint_is_the_same_on_every_machine(tiny_checkpoint: Path) -> None:
    assert load_checkpoint(tiny_checkpoint).fingerprint == FINGERPRINT


def test_another_seed_gives_other_weights() -> None:
    one, two = (seeded_tensors(seeded_config("tiny"), seed) for seed in (0, 1))
    assert all((one[name] != two[name]).any() for name in one)


def test_weights_are_spread_and_layer_norms_uneven(small_checkpoint: Path) -> None:
    for name, tensor in load_checkpoint(small_checkpoint).tensors.items():
        values = tensor.astype(np.float64)
        if name.endswith("LayerNorm.weight"):
            assert np.sort(values)[-3:].min() >= 3.5
            assert np.quantile(values, 0.01) < 0.6
            assert np.quantile(values, 0.98) > 1.3
        else:
            assert values.std() == pytest.approx(0.05, rel=0.15)
            assert abs(values.mean()) < 0.01


@pytest.mark.parametrize(
    ("size", "hidden", "layers", "heads", "feed_forward"),
    [("small", 384, 12, 12, 1536), ("base", 768, 12, 12, 3072), ("large", 1024, 24, 16, 4096)],
)
def test_sizes_are_those_of_the_gte_models(size: Size, hidden: int, layers: int, heads: int, feed_forward: int) -> None:
    config = seeded_config(size)
    assert (config.hidden_size, config.num_hidden_layers, config.num_attention_heads) == (hidden, layers, heads)
    assert (config.intermediate_size, config.vocab_size, config.max_position_embeddings) == (feed_forward, 30522, 512)


@pytest.mark.parametrize("dtype", ["float16", "float32", "bfloat16"])
def test_the_safetensors_package_accepts_the_file(tmp_path: Path, dtype: Dtype) -> None:
    safetensors = pytest.importorskip("safetensors")
    write_seeded_checkpoint(tmp_path, size="tiny", dtype=dtype, prefix="bert.")
    with safetensors.safe_open(tmp_path / "model.safetensors", framework="numpy") as file:
        assert "bert.pooler.dense.weight" in file.keys()  # noqa: SIM118  a safe_open is no mapping
        assert file.get_tensor("bert.embeddings.position_ids").tolist() == [list(range(64))]
        if dtype != "bfloat16":
            assert file.get_tensor("bert.embeddings.word_embeddings.weight").dtype == np.dtype(dtype)


def test_the_tokenizers_package_accepts_the_tokenizer(small_checkpoint: Path) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    tokenizer = tokenizers.Tokenizer.from_file(str(small_checkpoint / "tokenizer.json"))
    tokenizer.no_padding()
    assert tokenizer.token_to_id("[MASK]") == 103
    assert tokenizer.get_vocab_size() == 30522
    tokens = tokenizer.encode("How to implement Quick sort in python? zq~").tokens
    assert tokens[1:-1] == ["how", "to", "implement", "quick", "sort", "in", "python", "?", "z", "##q", "~"]
    vocabulary = tokenizers.models.WordPiece.read_file(str(small_checkpoint / "vocab.txt"))
    assert vocabulary == tokenizer.get_vocab()


def test_every_printable_ascii_character_is_known() -> None:
    known = set(seeded_vocabulary())
    for character in map(chr, range(33, 127)):
        assert character.lower() in known
        assert not character.isalnum() or f"##{character.lower()}" in known


def test_bfloat16_rounds_to_nearest_and_ties_to_even() -> None:
    values = np.array([1.0, 1.00390625, 1.01171875, -1.0 - 2**-8 - 2**-20], np.float32)
    rounded = (to_bfloat16(values).astype(np.uint32) << 16).view(np.float32)
    assert rounded.tolist() == [1.0, 1.0, 1.015625, -1.0078125]


def test_the_files_are_those_of_gte_small(tiny_checkpoint: Path) -> None:
    names = {path.relative_to(tiny_checkpoint).as_posix() for path in tiny_checkpoint.rglob("*") if path.is_file()}
    assert names == {
        "config.json",
        "model.safetensors",
        "modules.json",
        "1_Pooling/config.json",
        "sentence_bert_config.json",
        "special_tokens_map.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "vocab.txt",
    }
    assert json.loads((tiny_checkpoint / "config.json").read_text("utf-8"))["architectures"] == ["BertModel"]
