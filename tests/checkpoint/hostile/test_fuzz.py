"""Random damage to headers, data and configurations: an error of ours, or a checkpoint that is sound. Never a crash."""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gtekit.checkpoint import load_checkpoint
from gtekit.checkpoint.fingerprint import widen
from gtekit.checkpoint.tensors import expected_tensors
from gtekit.errors import CheckpointError
from tests.checkpoint.builders import copy_checkpoint, read_raw, write_raw

SOME = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
NUMBERS = st.integers(-3, 200_000) | st.integers() | st.sampled_from([1 << 31, 1 << 32, 1 << 63, (1 << 64) - 1])


@pytest.fixture(scope="module")
def model(tiny_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_checkpoint(tiny_checkpoint, tmp_path_factory.mktemp("fuzz") / "model")


@pytest.fixture(scope="module")
def whole(model: Path) -> bytes:
    return (model / "model.safetensors").read_bytes()


def sound_or_refused(model: Path) -> None:
    """Load it. What loads has every tensor, in its shape, with finite values; what does not gives our error."""
    refusal = None
    try:
        checkpoint = load_checkpoint(model)
    except CheckpointError as error:
        refusal = str(error)
    if refusal is not None:
        assert str(model) in refusal
        return
    for name, shape in expected_tensors(checkpoint.config).items():
        assert checkpoint.tensors[name].shape == shape
        assert np.isfinite(widen(checkpoint.tensors[name])).all()


@SOME
@given(st.lists(st.tuples(st.integers(0, 1 << 20), st.binary(min_size=1, max_size=8)), min_size=1, max_size=4))
def test_bytes_changed_anywhere(model: Path, whole: bytes, patches: list[tuple[int, bytes]]) -> None:
    content = bytearray(whole)
    for place, patch in patches:
        start = place % len(content)
        content[start : start + len(patch)] = patch[: len(content) - start]
    (model / "model.safetensors").write_bytes(content)
    sound_or_refused(model)


@SOME
@given(st.lists(st.tuples(st.integers(0, 1 << 20), st.binary(min_size=1, max_size=4)), min_size=1, max_size=4))
def test_bytes_changed_in_the_header(model: Path, whole: bytes, patches: list[tuple[int, bytes]]) -> None:
    (size,) = struct.unpack("<Q", whole[:8])
    content = bytearray(whole)
    for place, patch in patches:
        content[place % size : place % size + len(patch)] = patch
    (model / "model.safetensors").write_bytes(content)
    sound_or_refused(model)


@SOME
@given(st.integers(0, 1 << 20))
@example(0)
@example(8)
def test_files_cut_anywhere(model: Path, whole: bytes, length: int) -> None:
    (model / "model.safetensors").write_bytes(whole[: length % len(whole)])
    with pytest.raises(CheckpointError, match=r"model.safetensors"):
        load_checkpoint(model)


@SOME
@given(st.data())
def test_entries_of_the_header_changed(model: Path, whole: bytes, data: st.DataObject) -> None:
    path = model / "model.safetensors"
    path.write_bytes(whole)
    header, values = read_raw(path)
    name = data.draw(st.sampled_from(sorted(header)))
    field = data.draw(st.sampled_from(["dtype", "shape", "data_offsets"]))
    value = data.draw(JSON | st.lists(NUMBERS, max_size=3) | st.sampled_from(["F32", "F16", "BF16", "I64", "F64"]))
    header[name] = header[name] | {field: value} if data.draw(st.booleans()) else value
    write_raw(path, json.dumps(header).encode(), values)
    sound_or_refused(model)


@SOME
@given(st.binary(max_size=200))
def test_files_of_any_bytes(model: Path, content: bytes) -> None:
    (model / "model.safetensors").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"model.safetensors"):
        load_checkpoint(model)


@SOME
@given(st.data())
def test_configurations_changed(model: Path, whole: bytes, tiny_checkpoint: Path, data: st.DataObject) -> None:
    (model / "model.safetensors").write_bytes(whole)
    names = ["config.json", "1_Pooling/config.json", "sentence_bert_config.json", "tokenizer_config.json"]
    name = data.draw(st.sampled_from(names))
    original: dict[str, Any] = json.loads((tiny_checkpoint / name).read_text("utf-8"))
    key = data.draw(st.sampled_from(sorted(original)))
    try:
        (model / name).write_text(json.dumps(original | {key: data.draw(JSON | NUMBERS)}), "utf-8")
        sound_or_refused(model)
    finally:
        (model / name).write_text(json.dumps(original), "utf-8")


@SOME
@given(JSON)
def test_module_lists_of_any_form(model: Path, tiny_checkpoint: Path, whole: bytes, value: object) -> None:
    (model / "model.safetensors").write_bytes(whole)
    try:
        (model / "modules.json").write_text(json.dumps(value), "utf-8")
        sound_or_refused(model)
    finally:
        (model / "modules.json").write_bytes((tiny_checkpoint / "modules.json").read_bytes())
