"""What an engine refuses: always an error that says what is wrong, never a crash or a silent guess."""

from typing import Any

import numpy as np
import pytest

from gtekit.arrays import Array
from gtekit.engine.native import NativeEngine
from gtekit.errors import ArgumentError, GtekitError
from tests.engine.models import BUDGET, TINY, embed, native, pack, random_tensors, random_texts

GOOD_IDS, GOOD_LENGTHS = pack(random_texts([3, 5], TINY))


def encode(token_ids: Any, cu_seqlens: Any, **changes: Any) -> Array:
    options: dict[str, Any] = {"pooling": "mean", "normalize": True, "batch_tokens": BUDGET} | changes
    return native(TINY).encode(token_ids, cu_seqlens, **options)


BAD_TEXTS = {
    "an id as large as the vocabulary": ([5, 30_522], [0, 2], "token 1 has id 30522"),
    "the largest id": ([5, 2**31 - 1], [0, 2], "token 1 has id 2147483647"),
    "a negative id": ([5, -1, 5], [0, 3], "token 1 has id -1"),
    "the smallest id": ([-(2**31)], [0, 1], "token 0 has id -2147483648"),
    "lengths that go down": ([1, 2, 3, 4], [0, 3, 2, 4], "has to ascend: text 1 has -1 tokens"),
    "an empty text in the middle": ([1, 2, 3], [0, 2, 2, 3], "text 1 has 0 tokens"),
    "an empty text at the end": ([1, 2, 3], [0, 3, 3], "text 1 has 0 tokens"),
    "lengths that do not start at 0": ([1, 2, 3], [1, 3], "has to begin with 0, not 1"),
    "lengths that start below 0": ([1, 2, 3], [-1, 3], "has to begin with 0, not -1"),
    "lengths that end too early": ([1, 2, 3], [0, 2], "ends at 2, token_ids has 3"),
    "lengths that end too late": ([1, 2, 3], [0, 4], "ends at 4, token_ids has 3"),
    "lengths that overflow": ([1, 2, 3], [0, 2**63 - 1], f"ends at {2**63 - 1}"),
    "lengths that overflow and come back": ([1, 2, 3], [0, 2**62, -(2**62), 3], f"text 0 has {2**62} tokens"),
    "no lengths at all": ([1, 2, 3], [], "cu_seqlens is empty"),
    "a text longer than the model reads": ([7] * 513, [0, 513], "text 0 has 513 tokens, .* positions for 512"),
}


@pytest.mark.parametrize(("ids", "lengths", "told"), BAD_TEXTS.values(), ids=BAD_TEXTS.keys())
def test_texts_that_do_not_fit_are_refused_with_the_value(ids: list[int], lengths: list[int], told: str) -> None:
    token_ids, cu_seqlens = np.array(ids, np.int32), np.array(lengths, np.int64)
    with pytest.raises(GtekitError, match=told) as refusal:
        encode(token_ids, cu_seqlens)
    assert isinstance(refusal.value, ValueError)
    with pytest.raises(GtekitError, match=told):
        native(TINY).hidden_states(token_ids, cu_seqlens, batch_tokens=BUDGET)


WRONG_ARRAYS = {
    "float ids": (GOOD_IDS.astype(np.float32), GOOD_LENGTHS),
    "64-bit ids that do not fit 32": (GOOD_IDS.astype(np.int64) + 2**32, GOOD_LENGTHS),
    "boolean ids": (GOOD_IDS.astype(bool), GOOD_LENGTHS),
    "float lengths": (GOOD_IDS, GOOD_LENGTHS.astype(np.float64)),
    "ids in two dimensions": (GOOD_IDS.reshape(2, 4), GOOD_LENGTHS),
    "lengths in two dimensions": (GOOD_IDS, GOOD_LENGTHS.reshape(1, 3)),
    "ids that are a number": (np.int32(7), GOOD_LENGTHS),
    "ids that are text": ("hello", GOOD_LENGTHS),
    "lengths that are None": (GOOD_IDS, None),
}


@pytest.mark.parametrize(("token_ids", "cu_seqlens"), WRONG_ARRAYS.values(), ids=WRONG_ARRAYS.keys())
def test_arrays_of_another_kind_are_refused(token_ids: Any, cu_seqlens: Any) -> None:
    with pytest.raises((GtekitError, TypeError)):
        encode(token_ids, cu_seqlens)


LAYOUTS = {
    "every second id": lambda ids: np.repeat(ids, 2)[::2],
    "backwards in memory": lambda ids: ids[::-1].copy()[::-1],
    "a column": lambda ids: np.stack([ids, ids], axis=1)[:, 0],
    "read-only": lambda ids: np.frombuffer(ids.tobytes(), ids.dtype),
    "at an odd address": lambda ids: np.frombuffer(b"x" + ids.tobytes(), np.uint8)[1:].view(ids.dtype),
    "big-endian": lambda ids: ids.astype(ids.dtype.newbyteorder(">")),
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS.keys())
def test_a_layout_in_memory_gives_the_right_vector_or_an_error(layout: Any) -> None:
    right = encode(GOOD_IDS, GOOD_LENGTHS)
    for token_ids, cu_seqlens in ((layout(GOOD_IDS), GOOD_LENGTHS), (GOOD_IDS, layout(GOOD_LENGTHS))):
        try:
            embeddings = encode(token_ids, cu_seqlens)
        except (GtekitError, TypeError):
            continue
        np.testing.assert_array_equal(embeddings, right)


@pytest.mark.parametrize("changes", [{"pooling": "max"}, {"batch_tokens": 0}, {"batch_tokens": -1}], ids=str)
def test_options_out_of_range_are_refused(changes: dict[str, Any]) -> None:
    ((name, value),) = changes.items()
    with pytest.raises(GtekitError, match=rf"{name}\W*{value}"):
        encode(GOOD_IDS, GOOD_LENGTHS, **changes)


@pytest.mark.parametrize("threads", [0, -1])
def test_no_threads_are_refused(threads: int) -> None:
    with pytest.raises(GtekitError, match=f"threads={threads} is not possible"):
        NativeEngine(TINY, random_tensors(TINY), threads=threads)


def test_a_missing_tensor_is_named() -> None:
    for name in ("embeddings.word_embeddings.weight", "encoder.layer.1.output.LayerNorm.bias"):
        tensors = random_tensors(TINY)
        del tensors[name]
        with pytest.raises(GtekitError, match=name):
            NativeEngine(TINY, tensors)


def test_a_tensor_of_another_shape_is_named() -> None:
    name = "encoder.layer.1.intermediate.dense.weight"
    for wrong in (np.zeros((128, 63)), np.zeros((64, 128)), np.zeros(128 * 64), np.zeros((128, 64, 1))):
        tensors = random_tensors(TINY) | {name: wrong.astype(np.float32)}
        with pytest.raises(GtekitError, match=name):
            NativeEngine(TINY, tensors)


@pytest.mark.parametrize("dtype", [np.float64, np.int32, np.int8, np.complex64, object])
def test_a_tensor_of_another_dtype_is_named(dtype: Any) -> None:
    name = "encoder.layer.0.attention.self.query.weight"
    tensors = random_tensors(TINY)
    with pytest.raises((GtekitError, TypeError), match=name):
        NativeEngine(TINY, tensors | {name: tensors[name].astype(dtype)})


def test_tensors_may_lie_in_memory_in_any_way() -> None:
    tensors = random_tensors(TINY)
    texts = random_texts([7, 30], TINY)
    scattered = {name: np.repeat(tensor, 2, axis=0)[::2] for name, tensor in tensors.items()}
    flipped = {name: np.asfortranarray(tensor) for name, tensor in tensors.items()}
    for layout in (scattered, flipped):
        np.testing.assert_array_equal(embed(NativeEngine(TINY, layout), texts), embed(native(TINY), texts))


def test_the_engine_keeps_no_view_of_the_tensors_it_was_given() -> None:
    tensors = random_tensors(TINY)
    engine = NativeEngine(TINY, tensors)
    for tensor in tensors.values():
        tensor[...] = np.nan
    texts = random_texts([7, 30], TINY)
    np.testing.assert_array_equal(embed(engine, texts), embed(native(TINY), texts))


@pytest.mark.parametrize("batch_tokens", [0, -1, 2**21, 2**63, 2**70])
def test_an_impossible_token_budget_names_the_possible_ones(batch_tokens: int) -> None:
    with pytest.raises(ArgumentError, match=r"give 1 to 1,048,576"):
        native(TINY).encode(
            *pack([np.array([1, 2], np.int32)]), pooling="mean", normalize=True, batch_tokens=batch_tokens
        )


@pytest.mark.parametrize("threads", [0, -3, 1025, 10**20])
def test_an_impossible_number_of_threads_names_the_possible_ones(threads: int) -> None:
    with pytest.raises(ArgumentError, match=r"give 1 to 1024"):
        NativeEngine(TINY, {}, threads=threads)
