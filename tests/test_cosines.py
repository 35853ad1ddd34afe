"""Similarities are what the formula says."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gtekit.arrays import Floats
from gtekit.cosines import bits_similarity, l2_normalize, similarity, similarity_pairwise
from gtekit.errors import ShapeError
from gtekit.vectors import to_bits

ROWS = np.random.default_rng(0).standard_normal((50, 384)).astype(np.float32)
UNIT = l2_normalize(ROWS)


def test_bits_similarity_is_the_share_of_equal_signs() -> None:
    found = bits_similarity(to_bits(ROWS[:3]), to_bits(ROWS), 384)
    expected = ((ROWS[:3, None] > 0) == (ROWS[None] > 0)).mean(axis=2)
    np.testing.assert_allclose(found, expected, atol=1e-6)


@settings(max_examples=100, deadline=None)
@given(rows=hnp.arrays(np.float32, (7, 33), elements=st.floats(-1e3, 1e3, width=32)), row=st.integers(0, 6))
def test_normalizing_a_row_does_not_depend_on_the_others(rows: Floats, row: int) -> None:
    together = l2_normalize(rows)
    assert together[row].tobytes() == l2_normalize(rows[row : row + 1])[0].tobytes()
    assert np.isfinite(together).all()


def test_similarity_is_the_cosine_of_all_pairs() -> None:
    expected = (ROWS[:4] @ ROWS.T) / np.linalg.norm(ROWS[:4], axis=1)[:, None] / np.linalg.norm(ROWS, axis=1)
    np.testing.assert_allclose(similarity(ROWS[:4], ROWS), expected, atol=1e-6)
    np.testing.assert_allclose(similarity(ROWS[:4].tolist(), list(ROWS)), expected, atol=1e-6)
    assert similarity(ROWS[0], ROWS).shape == (1, 50)


def test_pairwise_similarity_is_the_diagonal() -> None:
    np.testing.assert_allclose(similarity_pairwise(ROWS, UNIT[::-1]), np.diag(similarity(ROWS, UNIT[::-1])), atol=1e-6)


def test_vectors_that_do_not_fit_together_are_refused() -> None:
    with pytest.raises(ShapeError, match="a has 384 dimensions, b has 256"):
        similarity(ROWS, ROWS[:, :256])
    with pytest.raises(ShapeError, match=r"a has shape \(50, 384\), b has \(49, 384\)"):
        similarity_pairwise(ROWS, ROWS[:-1])
    with pytest.raises(ShapeError, match=r"expected \(N, D\)"):
        similarity(ROWS[None], ROWS)
    with pytest.raises(ShapeError, match="equally long rows"):
        similarity([[1, 2], [3]], ROWS)
    with pytest.raises(ShapeError, match="not an array of numbers"):
        similarity(["text"], ROWS)


def test_no_cosine_is_beyond_one() -> None:
    rows = np.random.default_rng(1).standard_normal((500, 384)).astype(np.float32)
    assert similarity(rows, rows).max() == 1
    assert similarity_pairwise(rows, -rows).min() == -1
