import numpy as np
import pytest

from gtekit.arrays import Floats
from gtekit.errors import ArgumentError, ShapeError
from gtekit.sentence_transformers import cos_sim, util
from gtekit.sentence_transformers.similarity import Score, check_similarity_name

RNG = np.random.default_rng(7)
A: Floats = RNG.standard_normal((3, 8), np.float32)
B: Floats = RNG.standard_normal((5, 8), np.float32)
ALLOWED_DIFF = 1e-6  # float32 against float64


def cosine(a: Floats, b: Floats) -> float:
    return float(np.dot(a, b) / np.sqrt(np.dot(a, a) * np.dot(b, b)))


def test_cos_sim_compares_all_with_all() -> None:
    expected = [[cosine(a, b) for b in B.astype(np.float64)] for a in A.astype(np.float64)]
    scores = cos_sim(A, B)
    assert isinstance(scores, np.ndarray)
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores, expected, atol=ALLOWED_DIFF)


def test_one_vector_counts_as_a_list_of_one() -> None:
    assert cos_sim(A[0], B[0]).shape == (1, 1)
    np.testing.assert_array_equal(cos_sim(A[0], B), cos_sim(A[:1], B))


def test_lists_of_vectors_and_of_numbers_are_arrays() -> None:
    np.testing.assert_array_equal(cos_sim(list(A), B.tolist()), cos_sim(A, B))


def test_a_vector_of_zeros_scores_zero() -> None:
    assert (cos_sim(np.zeros(8, np.float32), B) == 0).all()


def test_integers_and_float16_are_scored_in_float32() -> None:
    scores = cos_sim(np.array([[120, -7]], np.int8), np.array([[120, -7]], np.float16))
    assert scores.dtype == np.float32
    assert scores[0, 0] == pytest.approx(1)


def test_float64_stays_float64() -> None:
    assert cos_sim(A.astype(np.float64), B).dtype == np.float64


@pytest.mark.parametrize(
    ("all_with_all", "pairwise"),
    [
        (util.cos_sim, util.pairwise_cos_sim),
        (util.dot_score, util.pairwise_dot_score),
        (util.euclidean_sim, util.pairwise_euclidean_sim),
        (util.manhattan_sim, util.pairwise_manhattan_sim),
    ],
)
def test_pairwise_scores_are_the_diagonal(all_with_all: Score, pairwise: Score) -> None:
    np.testing.assert_allclose(pairwise(A, B[:3]), np.diag(all_with_all(A, B[:3])), atol=1e-5)


def test_distances_are_negative_and_exact_for_close_vectors() -> None:
    close = A + np.float32(1e-4)
    np.testing.assert_allclose(np.diag(util.euclidean_sim(A, close)), -np.sqrt(8) * 1e-4, rtol=1e-2)
    np.testing.assert_allclose(np.diag(util.euclidean_sim(A, A)), 0, atol=1e-6)
    np.testing.assert_allclose(np.diag(util.manhattan_sim(A, close)), -8e-4, rtol=1e-2)


def test_vectors_of_different_models_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"\(3, 8\) and \(1, 4\)"):
        cos_sim(A, np.ones(4))


def test_pairs_of_different_counts_are_refused_with_the_way_out() -> None:
    with pytest.raises(ShapeError, match="cos_sim"):
        util.pairwise_cos_sim(A, B)


def test_vectors_of_different_lengths_in_one_list_are_refused() -> None:
    with pytest.raises(ShapeError, match="truncate_dim"):
        cos_sim([A[0], A[1][:4]], B)


def test_an_unknown_similarity_is_refused_with_the_choices() -> None:
    with pytest.raises(ArgumentError, match="cosine, dot, euclidean, manhattan"):
        check_similarity_name("maxsim")
