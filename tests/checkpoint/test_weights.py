"""Weights that do not fit the configuration, and the forms in which fitting ones may come."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from gtekit.arrays import Array
from gtekit.checkpoint import load_checkpoint
from gtekit.checkpoint.weights import pickle_refusal
from gtekit.errors import CheckpointError, PickleRefusedError
from tests.checkpoint.builders import change_tensors, edit_json, tensors_of, write_tensors

QUERY = "encoder.layer.1.attention.self.query.weight"


def test_a_missing_tensor_is_named_with_its_shape(folder: Path) -> None:
    change_tensors(folder, lambda tensors: {name: t for name, t in tensors.items() if name != QUERY})
    with pytest.raises(
        CheckpointError, match=rf"model.safetensors: tensor '{QUERY}': expected with shape \[32, 32\], f"
    ):
        load_checkpoint(folder)


def test_a_wrong_shape_is_named_with_both(folder: Path) -> None:
    change_tensors(folder, lambda tensors: tensors | {QUERY: tensors[QUERY][:, :16].copy()})
    with pytest.raises(CheckpointError, match=rf"tensor '{QUERY}': expected shape \[32, 32\], found \[32, 16\]"):
        load_checkpoint(folder)


def test_a_transposed_tensor_is_noticed(folder: Path) -> None:
    name = "encoder.layer.0.intermediate.dense.weight"
    change_tensors(folder, lambda tensors: tensors | {name: tensors[name].T.copy()})
    with pytest.raises(CheckpointError, match=rf"tensor '{name}': expected shape \[64, 32\], found \[32, 64\]"):
        load_checkpoint(folder)


@pytest.mark.parametrize(("dtype", "word"), [("float64", "F64"), ("int64", "I64")])
def test_a_dtype_that_is_no_weight_is_refused(folder: Path, dtype: str, word: str) -> None:
    change_tensors(folder, lambda tensors: tensors | {QUERY: tensors[QUERY].astype(dtype)})
    with pytest.raises(CheckpointError, match=rf"tensor '{QUERY}': expected dtype F32, F16 or BF16, found {word}"):
        load_checkpoint(folder)


def test_dtypes_may_be_mixed_in_a_file(folder: Path) -> None:
    change_tensors(folder, lambda tensors: tensors | {QUERY: tensors[QUERY].astype(np.float32)})
    tensors = load_checkpoint(folder).tensors
    assert tensors[QUERY].dtype == np.float32
    assert tensors["embeddings.word_embeddings.weight"].dtype == np.float16


def test_the_old_names_of_layer_norm_are_understood(folder: Path) -> None:
    before = tensors_of(folder)

    def rename(tensors: dict[str, Array]) -> dict[str, Array]:
        old = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}
        for new_name, old_name in old.items():
            tensors = {name.replace(new_name, old_name): tensor for name, tensor in tensors.items()}
        return tensors

    change_tensors(folder, rename)
    assert b"LayerNorm.gamma" in (folder / "model.safetensors").read_bytes()
    after = load_checkpoint(folder).tensors
    for name, tensor in before.items():
        np.testing.assert_array_equal(after[name], tensor)


def test_more_layers_than_the_configuration_says_are_noticed(folder: Path) -> None:
    edit_json(folder / "config.json", num_hidden_layers=1)
    with pytest.raises(CheckpointError, match=r"tensor 'encoder.layer.1.*expected 1 layers as config.json says"):
        load_checkpoint(folder)


def test_fewer_layers_than_the_configuration_says_are_noticed(folder: Path) -> None:
    edit_json(folder / "config.json", num_hidden_layers=3)
    with pytest.raises(CheckpointError, match=r"tensor 'encoder.layer.2.attention.self.query.weight': expected"):
        load_checkpoint(folder)


def test_weights_of_another_model_are_noticed(folder: Path) -> None:
    edit_json(folder / "config.json", hidden_size=64)
    with pytest.raises(
        CheckpointError, match=r"word_embeddings.weight': expected shape \[2048, 64\], found \[2048, 32\]"
    ):
        load_checkpoint(folder)


def test_a_file_of_something_else_says_what_it_holds(folder: Path) -> None:
    write_tensors(folder / "model.safetensors", {"unet.conv.weight": np.zeros((2, 2), np.float32)})
    expected = (
        r"tensor 'embeddings.word_embeddings.weight': expected once, .*found 0 of them among 1 tensors: unet.conv"
    )
    with pytest.raises(CheckpointError, match=expected):
        load_checkpoint(folder)


def test_two_models_in_one_file_are_not_chosen_between(folder: Path) -> None:
    change_tensors(folder, lambda tensors: tensors | {f"bert.{name}": tensor for name, tensor in tensors.items()})
    with pytest.raises(CheckpointError, match=r"expected once, .*found 2 of them"):
        load_checkpoint(folder)


@pytest.mark.parametrize("dtype", ["float16", "float32", "bfloat16"])
@pytest.mark.parametrize("value", [np.nan, -np.nan, np.inf, -np.inf])
def test_a_value_that_is_not_finite_is_found(folder: Path, dtype: str, value: float) -> None:
    def damage(tensors: dict[str, Array]) -> dict[str, Array]:
        damaged = tensors[QUERY].astype(np.float32)
        damaged[3, 5] = np.copysign(np.float32(abs(value)), np.float32(value)) if np.isinf(value) else value
        if dtype == "bfloat16":
            return tensors | {QUERY: (damaged.view(np.uint32) >> 16).astype(np.uint16)}
        return tensors | {QUERY: damaged.astype(dtype)}

    change_tensors(folder, damage)
    with pytest.raises(CheckpointError, match=rf"tensor '{QUERY}': expected finite numbers, found .* at index 101\."):
        load_checkpoint(folder)


def test_the_largest_finite_values_are_fine(folder: Path) -> None:
    def grow(tensors: dict[str, Array]) -> dict[str, Array]:
        largest = np.where(tensors[QUERY] < 0, -65504, 65504).astype(np.float16)
        return tensors | {QUERY: largest}

    change_tensors(folder, grow)
    assert load_checkpoint(folder).tensors[QUERY].max() == 65504


def shard(folder: Path) -> None:
    """Split the weights of a checkpoint into two files and an index."""
    tensors = tensors_of(folder)
    (folder / "model.safetensors").unlink()
    names = sorted(tensors)
    parts = {"model-00001-of-00002.safetensors": names[:9], "model-00002-of-00002.safetensors": names[9:]}
    for file, members in parts.items():
        write_tensors(folder / file, {name: tensors[name] for name in members})
    weight_map = {name: file for file, members in parts.items() for name in members}
    edit_json(folder / "model.safetensors.index.json", metadata={"total_size": 1}, weight_map=weight_map)


def test_weights_in_several_files_are_one_model(tiny_checkpoint: Path, folder: Path) -> None:
    shard(folder)
    expected = load_checkpoint(tiny_checkpoint)
    found = load_checkpoint(folder)
    for name, tensor in expected.tensors.items():
        np.testing.assert_array_equal(found.tensors[name], tensor)
    assert found.fingerprint == expected.fingerprint


def test_a_missing_shard_is_named(folder: Path) -> None:
    shard(folder)
    (folder / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"model-00002-of-00002.safetensors: expected a file, found none"):
        load_checkpoint(folder)


def test_an_index_that_promises_too_much_is_named(folder: Path) -> None:
    shard(folder)
    index = folder / "model.safetensors.index.json"
    weight_map = json.loads(index.read_text("utf-8"))["weight_map"]
    edit_json(index, weight_map=weight_map | {"ghost": "model-00001-of-00002.safetensors"})
    with pytest.raises(CheckpointError, match=r"index.json: tensor 'ghost': expected in model-00001-of-00002"):
        load_checkpoint(folder)


@pytest.mark.parametrize("place", ["../model.safetensors", "/etc/passwd", "..", "", "a\\b", 3, None])
def test_an_index_can_not_point_out_of_the_folder(folder: Path, place: object) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {QUERY: place}}), "utf-8")
    with pytest.raises(CheckpointError, match=rf"index.json: tensor '{QUERY}': expected the name of a file beside"):
        load_checkpoint(folder)


@pytest.mark.parametrize("weight_map", [None, [], {}, "model.safetensors"])
def test_an_index_without_a_map_is_refused(folder: Path, weight_map: object) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}), "utf-8")
    with pytest.raises(CheckpointError, match=r"index.json: expected a weight_map from tensors to files, found"):
        load_checkpoint(folder)


def test_a_pickle_is_refused_with_reason_and_ways_out(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(PickleRefusedError) as caught:
        load_checkpoint(folder)
    assert str(caught.value) == pickle_refusal(str(folder / "pytorch_model.bin"))
    for part in ("can run any code", "model.safetensors", "refs/pr/", "SentenceTransformer as S; S('MODEL').save("):
        assert part in str(caught.value)


def test_safetensors_win_over_a_pickle_beside_them(folder: Path) -> None:
    shutil.copy(folder / "model.safetensors", folder / "pytorch_model.bin")
    assert load_checkpoint(folder).tensors


def test_weights_in_another_format_are_named(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "tf_model.h5").touch()
    with pytest.raises(CheckpointError, match=r"expected model.safetensors .*found tf_model.h5"):
        load_checkpoint(folder)


def test_no_weights_at_all_are_an_error(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match="found no weights at all"):
        load_checkpoint(folder)
