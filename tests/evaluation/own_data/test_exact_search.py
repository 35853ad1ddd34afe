"""Exact search in blocks finds what the whole matrix has, and never holds it."""

import tracemalloc

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gtekit.arrays import Floats
from gtekit.cosines import similarity
from gtekit.evaluation.own_data.exact_search import search


def vectors(count: int, seed: int, dimension: int = 8) -> Floats:
    return np.random.default_rng(seed).normal(size=(count, dimension)).astype(np.float32)


@given(
    queries=st.integers(1, 6),
    blocks=st.lists(st.integers(0, 30), min_size=1, max_size=5),
    top_k=st.integers(1, 40),
    seed=st.integers(0, 100),
)
def test_blocks_give_the_same_as_the_whole(queries: int, blocks: list[int], top_k: int, seed: int) -> None:
    query_vectors, documents = vectors(queries, seed), vectors(sum(blocks), seed + 1)
    ends = np.cumsum(blocks)[:-1]
    numbers, cosines = search(query_vectors, np.split(documents, ends), top_k)
    whole = similarity(query_vectors, documents) if len(documents) else np.empty((queries, 0), np.float32)
    best = np.sort(whole, axis=1)[:, ::-1][:, :top_k]
    assert np.allclose(cosines, best, atol=1e-6)  # sums of another order in another block
    assert np.allclose(np.take_along_axis(whole, numbers, axis=1), cosines, atol=1e-6)
    assert all(len(set(row)) == len(row) for row in numbers.tolist())


def test_equal_cosines_keep_the_order_of_the_documents() -> None:
    east, north = np.eye(2, dtype=np.float32)
    numbers, cosines = search(east[None], [np.stack([north, east, east]), np.stack([north, east])], 5)
    assert numbers.tolist() == [[1, 2, 4, 0, 3]]
    assert cosines.tolist() == [[1, 1, 1, 0, 0]]


def test_the_whole_matrix_is_never_in_memory() -> None:
    queries, documents = vectors(2_000, 5), vectors(40_000, 6)
    tracemalloc.start()
    search(queries, np.split(documents, 10), 100)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2_000 * 40_000 * 4 / 2  # half of the matrix in float32
