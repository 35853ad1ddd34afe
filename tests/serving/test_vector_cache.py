"""Vectors of texts seen before stay within their bytes."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gtekit.serving.vector_cache import ENTRY_BYTES, VectorCache

VECTOR = np.arange(8, dtype=np.float32)
COST = 1 + VECTOR.nbytes + ENTRY_BYTES  # with a key of one byte


def test_a_vector_that_was_put_comes_back_with_its_bits_and_not_its_memory() -> None:
    cache = VectorCache(10 * COST)
    vector = VECTOR.copy()
    cache.put(b"a", vector)
    vector[:] = 0
    found = cache.get(b"a")
    assert found is not None
    assert (found == VECTOR).all()


def test_the_one_not_used_for_longest_leaves_first() -> None:
    cache = VectorCache(2 * COST)
    cache.put(b"a", VECTOR)
    cache.put(b"b", VECTOR)
    cache.get(b"a")
    cache.put(b"c", VECTOR)
    assert cache.get(b"b") is None
    assert cache.get(b"a") is not None
    assert cache.get(b"c") is not None


def test_no_bytes_keep_nothing() -> None:
    cache = VectorCache(0)
    cache.put(b"a", VECTOR)
    assert len(cache) == cache.held_bytes == 0


@given(st.integers(0, 3000), st.lists(st.tuples(st.binary(max_size=6), st.integers(1, 30))))
def test_what_is_held_never_passes_the_limit_and_is_counted_right(
    size_bytes: int, entries: list[tuple[bytes, int]]
) -> None:
    cache = VectorCache(size_bytes)
    for key, length in entries:
        cache.put(key, np.zeros(length, np.float32))
        held = [vector for key, _ in entries if (vector := cache.get(key)) is not None]
        assert cache.held_bytes <= size_bytes
        assert bool(held) == bool(cache.held_bytes)
