"""int8 on every kernel set: how close to float32, which promises of float32 it keeps, and the timers."""

from random import Random
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gtekit import _core
from gtekit.config import ModelConfig, Precision
from gtekit.engine.native import NativeEngine
from gtekit.errors import ArgumentError
from tests.engine.models import DEEP, TINY, embed, pack, random_tensors, random_texts
from tests.engine.test_bit_identity import budgets, lengths, property_test
from tests.engine.test_native import SHAPES
from tests.reference import Reference, normalized

PARTS = {"embed", "quantize", "query_key_value", "attention", "attention_output", "up", "down", "norm"}


def in_bytes(config: ModelConfig, isa: str | None = None, threads: int | None = None) -> NativeEngine:
    return NativeEngine(config, random_tensors(config), isa=isa, threads=threads, precision="int8")


@pytest.mark.parametrize("config", SHAPES.values(), ids=SHAPES.keys())
def test_any_shape_is_close_to_the_numpy_reference(config: ModelConfig, isa: str) -> None:
    texts = random_texts([1, 2, 3, 31, 40], config)
    right = normalized(Reference(config, random_tensors(config)).embed(texts))
    cosines = (embed(in_bytes(config, isa), texts) * right).sum(axis=1)
    assert cosines.min() > 0.998, cosines


@pytest.mark.parametrize("precision", get_args(Precision))
def test_the_precision_is_told(precision: Precision) -> None:
    assert NativeEngine(TINY, random_tensors(TINY), precision=precision).precision == precision


def test_an_unknown_precision_is_refused_with_those_there_are() -> None:
    with pytest.raises(ArgumentError, match=r"'int4'.*float32, int8"):
        NativeEngine(TINY, random_tensors(TINY), precision="int4")  # type: ignore[arg-type]


def test_int8_takes_a_third_of_the_memory_of_float32_weights() -> None:
    sizes = {}
    for layers in (1, 3):  # the difference is two layers without the embeddings
        config = deeper(layers)
        sizes[layers] = (in_bytes(config).memory_bytes, NativeEngine(config, random_tensors(config)).memory_bytes)
    of_int8, of_float32 = (sizes[3][kind] - sizes[1][kind] for kind in (0, 1))
    assert of_int8 < of_float32 / 3


def deeper(layers: int) -> ModelConfig:
    return ModelConfig(
        hidden_size=384,
        num_hidden_layers=layers,
        num_attention_heads=12,
        intermediate_size=1_536,
        vocab_size=100,
        max_position_embeddings=512,
        type_vocab_size=2,
        layer_norm_eps=1e-12,
    )


@property_test
@given(lengths=lengths, budget=budgets, threads=st.sampled_from([1, 2, 3, 8]), random=st.randoms(use_true_random=False))
def test_order_batch_and_threads_change_no_bit(
    isa: str, lengths: list[int], budget: int, threads: int, random: Random
) -> None:
    texts = random_texts(lengths, TINY)
    single = in_bytes(TINY, isa, 1)
    expected = np.concatenate([embed(single, [text]) for text in texts])
    order = list(range(len(texts)))
    random.shuffle(order)
    shuffled = embed(in_bytes(TINY, isa, threads), [texts[i] for i in order], batch_tokens=budget)
    np.testing.assert_array_equal(shuffled, expected[order])


@pytest.mark.parametrize("precision", get_args(Precision))
def test_a_text_alone_on_many_threads_has_the_bits_of_one_thread(precision: Precision) -> None:
    def engine(threads: int) -> NativeEngine:
        return NativeEngine(DEEP, random_tensors(DEEP), threads=threads, precision=precision)

    texts = random_texts([1, 5, 9, 10, 60, 200], DEEP)
    one, eight = engine(1), engine(8)
    for text in texts:
        expected = embed(one, [text])
        for _ in range(20):  # helpers come late or early, as it happens
            np.testing.assert_array_equal(embed(eight, [text]), expected)


def test_extreme_weights_stay_finite(isa: str) -> None:
    tensors = random_tensors(TINY)
    for name in tensors:
        if name.endswith(("query.weight", "key.weight", "intermediate.dense.weight")):
            tensors[name] = tensors[name] * np.float32(300)
        if name.endswith("output.dense.weight"):
            tensors[name][::2] = 0  # rows without a scale
    found = embed(NativeEngine(TINY, tensors, isa=isa, precision="int8"), random_texts([1, 7, 64], TINY))
    assert np.isfinite(found).all()


def test_timers_are_off_until_asked_for_and_name_every_part() -> None:
    engine = in_bytes(TINY)
    texts = random_texts([40, 512], TINY)
    embed(engine, texts)
    assert engine.part_seconds() == dict.fromkeys(PARTS, 0.0)
    engine.time_parts(True)
    embed(engine, texts)
    found = engine.part_seconds()
    assert found.keys() == PARTS
    assert all(seconds > 0 for seconds in found.values()), found
    engine.time_parts(False)
    assert engine.part_seconds() == dict.fromkeys(PARTS, 0.0)


@pytest.mark.parametrize("precision", ["int8", "float32"])
def test_a_ceiling_is_measured_on_every_kernel_set(precision: str, isa: str) -> None:
    assert _core.measure_ceiling(isa=isa, precision=precision, threads=1, seconds=0.01) > 1e8


def test_packed_hidden_states_have_the_same_bits_alone() -> None:
    texts = random_texts([3, 70, 1], TINY)
    engine = in_bytes(TINY)
    together = engine.hidden_states(*pack(texts), batch_tokens=256)
    alone = [engine.hidden_states(*pack([text]), batch_tokens=256) for text in texts]
    np.testing.assert_array_equal(together, np.concatenate(alone))


def test_more_positions_than_a_sum_of_bytes_can_hold_are_refused() -> None:
    fields = {name: getattr(TINY, name) for name in TINY.__dataclass_fields__}
    config = ModelConfig(**{**fields, "hidden_size": 4, "vocab_size": 10, "max_position_embeddings": 65_537})
    with pytest.raises(ArgumentError, match="65537; int8 takes at most 65536"):
        NativeEngine(config, random_tensors(config), precision="int8")
