"""How much an approximate index finds."""

import numpy as np
import pytest

from gtekit.index.interface import Hit
from gtekit.index.recall import PERTURBATION, compare, perturbed


def hits(*scores: float) -> list[Hit]:
    return [Hit(str(place), score) for place, score in enumerate(scores)]


def test_recall_is_the_mean_share_that_was_found() -> None:
    exact = [hits(0.9, 0.8), hits(0.7, 0.6)]
    assert compare(exact, [hits(0.9, 0.8), hits(0.7, 0.5)], {}, top_k=2).recall == pytest.approx(0.75)
    assert compare(exact, [[], []], {}, top_k=2).recall == 0


def test_of_equal_scores_it_does_not_matter_which_rows_are_found() -> None:
    exact = [[Hit("a", 0.9), Hit("b", 0.8)]]
    assert compare(exact, [[Hit("a", 0.9), Hit("c", 0.8)]], {}, top_k=2).recall == 1


def test_more_found_than_asked_for_is_no_more_than_all() -> None:
    assert compare([hits(0.8)], [hits(0.8, 0.8, 0.8)], {}, top_k=1).recall == 1


def test_settings_are_kept_with_it() -> None:
    assert compare([hits(1.0)], [hits(1.0)], {"ef": 64}).settings == {"ef": 64}


def test_perturbed_rows_are_near_and_the_same_for_the_same_seed() -> None:
    rows = np.eye(8, 64, dtype=np.float32)
    queries = perturbed(rows, seed=1)
    assert np.linalg.norm(queries, axis=1) == pytest.approx(1, abs=1e-6)
    expected = 1 / np.sqrt(1 + PERTURBATION**2)
    assert np.einsum("nd,nd->n", queries, rows) == pytest.approx(expected, abs=0.2)
    assert np.array_equal(queries, perturbed(rows, seed=1))
    assert not np.array_equal(queries, perturbed(rows, seed=2))
