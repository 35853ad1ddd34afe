"""Maximal marginal relevance against its definition, written out slowly."""

from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gtekit.arrays import Floats
from gtekit.cosines import l2_normalize
from gtekit.errors import ArgumentError, ShapeError
from gtekit.tasks.mmr import diversify, mmr, mmr_order


def drawn(seed: int, rows: int, dimension: int = 8) -> Floats:
    return l2_normalize(np.random.default_rng(seed).standard_normal((rows, dimension)).astype(np.float32))


def by_definition(query: Floats, vectors: Floats, top_k: int, diversity: float) -> list[int]:
    relevance = vectors.astype(np.float64) @ query
    likeness = vectors.astype(np.float64) @ vectors.T
    chosen = [int(relevance.argmax())]
    while len(chosen) < top_k:
        left = [row for row in range(len(vectors)) if row not in chosen]
        gains = [(1 - diversity) * relevance[row] - diversity * likeness[row, chosen].max() for row in left]
        chosen.append(left[int(np.argmax(gains))])
    return chosen


@given(seed=st.integers(0, 10_000), rows=st.integers(1, 30), share=st.floats(0, 1), diversity=st.floats(0, 1))
def test_it_chooses_what_the_definition_chooses(seed: int, rows: int, share: float, diversity: float) -> None:
    vectors, query = drawn(seed, rows), drawn(seed + 1, 1)[0]
    top_k = max(1, int(share * rows))
    assert mmr(query, vectors, top_k, diversity).tolist() == by_definition(query, vectors, top_k, diversity)


@given(seed=st.integers(0, 10_000), rows=st.integers(1, 30), diversity=st.floats(0, 1))
def test_fewer_are_the_beginning_of_more(seed: int, rows: int, diversity: float) -> None:
    vectors, query = drawn(seed, rows), drawn(seed + 1, 1)[0]
    order = mmr(query, vectors, rows + 5, diversity)
    assert sorted(order) == list(range(rows))
    assert all((mmr(query, vectors, top_k, diversity) == order[:top_k]).all() for top_k in range(1, rows + 1))


@given(seed=st.integers(0, 10_000), rows=st.integers(1, 30))
def test_without_diversity_it_is_the_plain_ranking_with_ties_in_order(seed: int, rows: int) -> None:
    generator = np.random.default_rng(seed)
    vectors = generator.integers(-2, 3, (rows, 2)).astype(np.float32)  # products are whole numbers: many ties
    query = np.array([1, 2], np.float32)
    scores = (vectors @ query).tolist()
    assert mmr(query, vectors, rows, 0).tolist() == sorted(range(rows), key=lambda row: (-scores[row], row))


@pytest.mark.parametrize("diversity", [0.0, 0.3, 1.0])
def test_equal_rows_are_chosen_in_their_order(diversity: float) -> None:
    vectors = np.repeat(drawn(1, 1, 384), 50, axis=0)
    assert mmr(drawn(2, 1, 384)[0], vectors, 50, diversity).tolist() == list(range(50))


def test_a_copy_of_the_best_comes_last_where_diversity_is_asked_for() -> None:
    vectors = l2_normalize(np.array([[1, 0.1], [1, 0.1], [0.6, -0.8]], np.float32))
    query = np.array([1, 0], np.float32)
    assert mmr(query, vectors, 3, 0.0).tolist() == [0, 1, 2]
    assert mmr(query, vectors, 3, 0.5).tolist() == [0, 2, 1]


def test_of_no_rows_none_is_chosen() -> None:
    for diversity in (0.0, 0.5):
        order = mmr(np.ones(3, np.float32), np.empty((0, 3), np.float32), 5, diversity)
        assert order.shape == (0,)
        assert order.dtype == np.int64


def test_half_precision_and_a_query_of_one_row_are_taken() -> None:
    vectors, query = drawn(3, 20), drawn(4, 1)
    assert mmr(query, vectors.astype(np.float16), 20, 0.5).shape == (20,)
    assert (mmr(query, vectors, 20, 0.5) == mmr(query[0], vectors, 20, 0.5)).all()


@pytest.mark.parametrize("diversity", [-0.1, 1.1, float("nan"), "0.5", True])
def test_a_diversity_outside_0_to_1_is_refused(diversity: float) -> None:
    with pytest.raises(ArgumentError, match="diversity="):
        mmr(np.ones(2, np.float32), np.ones((3, 2), np.float32), 1, diversity)


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"query_vector has shape \(3,\)"):
        mmr(np.ones(3, np.float32), np.ones((3, 2), np.float32), 1, 0)
    with pytest.raises(ShapeError, match="relevance has shape"):
        diversify(np.ones(2, np.float32), np.ones((3, 2), np.float32), 1, 0)


def test_what_is_no_number_is_refused_with_its_row() -> None:
    vectors = np.ones((3, 2), np.float32)
    vectors[1, 0] = np.nan
    with pytest.raises(ArgumentError, match="row 1 has the relevance nan"):
        mmr(np.ones(2, np.float32), vectors, 1, 0)


def test_the_order_comes_row_by_row_and_begins_as_the_choice_of_few() -> None:
    vectors = drawn(2, 50)
    relevance = vectors @ vectors[0]
    whole = list(mmr_order(relevance, vectors, 0.5))
    assert sorted(whole) == list(range(50))
    assert diversify(relevance, vectors, 3, 0.5).tolist() == whole[:3]
    order = mmr_order(relevance, vectors, 0.5)
    assert list(islice(order, 3)) == whole[:3]
    vectors[:] = 0  # what was not looked at yet: nothing is alike any more, so the rest is not what it was
    assert list(order) != whole[3:]
