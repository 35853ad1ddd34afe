"""Measures of quality against values worked out by hand, and against the libraries called as their makers mean."""

import math
import subprocess
import sys

import numpy as np
import pytest

from gtekit.evaluation.metrics import average_precision, bootstrap_interval, rank, spearman, v_measure


def test_ndcg_recall_and_the_rest_are_those_of_trec_eval() -> None:
    qrels = {"q": {"a": 1, "b": 1, "far": 1}, "graded": {"best": 3, "good": 1}}
    run = {"q": {"a": 0.9, "x": 0.8, "b": 0.7}, "graded": {"good": 0.9, "best": 0.8}}
    found = rank(qrels, run, ["ndcg_cut.10", "recall.10", "recip_rank", "map"])
    # found at 1 and 3: 1 / log2(2) + 1 / log2(4) = 1.5; at best at 1, 2, 3: 1.5 + 1 / log2(3)
    assert found["q"]["ndcg_cut_10"] == pytest.approx(1.5 / (1.5 + 1 / math.log2(3)))
    assert found["q"]["recall_10"] == pytest.approx(2 / 3)
    assert found["q"]["recip_rank"] == 1.0
    assert found["q"]["map"] == pytest.approx((1 + 2 / 3) / 3)  # the third is never found
    # gains are the grades: 1 + 3 / log2(3), at best 3 + 1 / log2(3)
    assert found["graded"]["ndcg_cut_10"] == pytest.approx((1 + 3 / math.log2(3)) / (3 + 1 / math.log2(3)))


def test_a_query_that_was_not_asked_is_not_in_the_result() -> None:
    assert set(rank({"q": {"a": 1}, "other": {"b": 1}}, {"q": {"a": 0.5}}, ["recip_rank"])) == {"q"}


def test_average_precision_steps_down_without_interpolation() -> None:
    scores, labels = np.array([0.9, 0.8, 0.7, 0.6]), np.array([1, 0, 1, 0])
    assert average_precision(scores, labels) == pytest.approx((1 / 1 + 2 / 3) / 2)
    # of a tie both come at once: precision 1/2 for all the recall
    assert average_precision(np.array([0.5, 0.5]), np.array([1, 0])) == pytest.approx(0.5)


def test_v_measure_is_the_harmonic_mean_of_homogeneity_and_completeness() -> None:
    # every cluster is of one label, so homogeneity 1. Entropy of the clusters 1.5 bits, within the labels half of
    # 1 bit: completeness 1 - 0.5 / 1.5 = 2/3. The harmonic mean of 1 and 2/3 is 0.8.
    assert v_measure(["a", "a", "b", "b"], [0, 0, 1, 2]) == pytest.approx(0.8)
    assert v_measure(["a", "b"], [1, 0]) == 1.0


def test_ties_share_their_mean_rank() -> None:
    # ranks 1, 2.5, 2.5, 4 and 1, 2, 3, 4: products off the means add up to 4.5, squares to 4.5 and 5
    found = spearman(np.array([1.0, 2.0, 2.0, 3.0]), np.array([1.0, 2.0, 3.0, 4.0]))
    assert found == pytest.approx(4.5 / math.sqrt(4.5 * 5))


def test_they_equal_the_libraries_on_random_data() -> None:
    from scipy.stats import spearmanr
    from sklearn.metrics import average_precision_score

    generator = np.random.default_rng(3)
    scores, truths = generator.normal(size=500).round(1), generator.integers(0, 6, 500).astype(float)
    assert spearman(scores, truths) == spearmanr(scores, truths).statistic
    labels = (truths > 3).astype(int)
    assert average_precision(scores, labels) == average_precision_score(labels, scores)


def test_an_interval_leaves_out_what_can_not_be_judged() -> None:
    def first_item(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
        return float("nan") if values[0] < 0.5 else float(values[0])

    assert bootstrap_interval([np.array([0.0, 1.0, 1.0])], first_item, resamples=200) == (1.0, 1.0)
    low, high = bootstrap_interval([np.zeros(3)], first_item, resamples=20)
    assert math.isnan(low)
    assert math.isnan(high)


def test_a_missing_library_is_named_with_its_extra() -> None:
    program = (
        "import sys; sys.modules.update({'scipy': None, 'scipy.stats': None, 'sklearn': None})\n"
        "import numpy as np\n"
        "from gtekit.errors import MissingExtraError\n"
        "from gtekit.evaluation.metrics import spearman\n"
        "try: spearman(np.arange(3), np.arange(3))\n"
        "except MissingExtraError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "measuring quality needs scipy, which is not installed: pip install 'gtekit[metrics]'\n"
