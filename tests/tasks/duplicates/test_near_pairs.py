"""Pairs above a threshold: what is checked before, and what equal vectors count as."""

import numpy as np
import pytest

from gtekit.arrays import Array, Floats
from gtekit.cosines import l2_normalize
from gtekit.errors import ArgumentError, ShapeError
from gtekit.tasks.duplicates.deduplicate import deduplicate_vectors
from gtekit.tasks.duplicates.near_pairs import near_pairs


def drawn(rows: int, dimension: int = 8) -> Floats:
    return l2_normalize(np.random.default_rng(1).normal(size=(rows, dimension)).astype(np.float32))


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_all_pairs_are_those_of_the_whole_matrix(dtype: type) -> None:
    vectors: Array = drawn(300).astype(dtype)
    found = {
        pair
        for block in near_pairs(vectors, 0.5)
        for pair in zip(block.left.tolist(), block.right.tolist(), strict=True)
    }
    products = vectors.astype(np.float32) @ vectors.astype(np.float32).T
    clear = set(zip(*map(np.ndarray.tolist, np.nonzero(np.triu(products, 1) >= 0.5001)), strict=True))
    perhaps = set(zip(*map(np.ndarray.tolist, np.nonzero(np.triu(products, 1) >= 0.4999)), strict=True))
    assert clear
    assert clear <= found <= perhaps


def test_equal_vectors_reach_a_threshold_of_1_whatever_rounding_does() -> None:
    vectors = np.repeat(drawn(50, 384), 2, axis=0)
    (block,) = near_pairs(vectors, 1)
    assert block.left.tolist() == list(range(0, 100, 2))
    assert (block.scores <= 1).all()


@pytest.mark.parametrize("threshold", [1, 0.99999, 0.9995])
def test_vectors_of_float16_are_told_by_their_cosines_and_not_their_rounded_lengths(threshold: float) -> None:
    for dimension in (3, 8, 384):
        rounded = drawn(200, dimension).astype(np.float16)
        near = rounded + np.float16(0.002) * drawn(200, dimension).astype(np.float16)[::-1]
        vectors = np.concatenate([rounded, rounded, near])
        exact = vectors.astype(np.float64)
        exact /= np.linalg.norm(exact, axis=1, keepdims=True)
        cosines = np.triu(exact @ exact.T, 1) - np.tri(len(exact))
        found = [pair for block in near_pairs(vectors, threshold) for pair in zip(block.left, block.right, strict=True)]
        least = min(threshold, 1 - 1e-6)
        assert {(row, row + 200) for row in range(200)} <= set(found)
        assert set(zip(*np.nonzero(cosines >= least + 1e-6), strict=True)) <= set(found)
        assert set(found) <= set(zip(*np.nonzero(cosines >= least - 1e-6), strict=True))
    assert len(deduplicate_vectors(np.repeat(drawn(50, 384), 2, axis=0).astype(np.float16), 1).kept) == 50


def test_rows_of_zeros_are_near_nothing() -> None:
    assert not list(near_pairs(np.zeros((3, 4), np.float32), 0.1))


@pytest.mark.parametrize("threshold", [1.5, -2, float("nan"), "0.9", None, True])
def test_a_threshold_that_is_no_cosine_is_refused(threshold: float) -> None:
    with pytest.raises(ArgumentError, match="choose a cosine, -1 to 1"):
        list(near_pairs(drawn(2), threshold))


def test_vectors_that_are_not_normalized_or_not_finite_are_named_by_their_row() -> None:
    vectors = drawn(5)
    vectors[3] *= 2
    with pytest.raises(ArgumentError, match=r"vectors\[3\] has the length 2, not 1"):
        list(near_pairs(vectors, 0.5))
    vectors[1, 2] = np.nan
    with pytest.raises(ArgumentError, match=r"vectors\[1\] holds numbers that are not finite"):
        list(near_pairs(vectors, 0.5))


@pytest.mark.parametrize("vectors", [np.ones(4, np.float32), np.ones((2, 2)), [[1.0, 0.0]]])
def test_what_is_no_array_of_vectors_is_refused(vectors: Floats) -> None:
    with pytest.raises(ShapeError, match=r"expected an array \(N, D\) of float32 or float16"):
        list(near_pairs(vectors, 0.5))
