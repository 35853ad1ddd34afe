"""Intervals and paired comparisons, held against what can be worked out by hand."""

import math

import numpy as np
import pytest

from gtekit.errors import ArgumentError
from gtekit.evaluation.bootstrap import RESAMPLES, Difference, compare, score_interval
from gtekit.evaluation.samples import Samples

GENERATOR = np.random.default_rng(11)


def test_the_interval_of_a_mean_is_that_of_the_normal_distribution() -> None:
    values = GENERATOR.normal(0.6, 0.2, 2_000)
    found = score_interval(Samples("mean", values))
    assert found is not None
    half = 100 * 1.96 * values.std() / math.sqrt(2_000)  # about 0.88 points
    tolerance = 0.1 * half  # the ends of a thousand draws are known to a few hundredths of their spread
    assert found.low == pytest.approx(100 * values.mean() - half, abs=tolerance)
    assert found.high == pytest.approx(100 * values.mean() + half, abs=tolerance)


def test_a_constant_difference_has_an_interval_of_no_width_and_is_real() -> None:
    lower = np.tile([0.0, 0.25, 0.5, 0.125], 8)
    found = compare(Samples("mean", lower + 0.25), Samples("mean", lower))
    assert found == Difference(25.0, 25.0, 25.0, 32)
    assert found.is_real


def test_a_difference_on_a_few_items_is_never_called_real() -> None:
    lower = np.tile([0.0, 0.25, 0.5], 4)
    found = compare(Samples("mean", lower + 0.25), Samples("mean", lower))
    assert (found.low, found.items) == (25.0, 12)
    assert not found.is_real


@pytest.mark.parametrize(
    "samples",
    [
        Samples("mean", GENERATOR.uniform(size=50)),
        Samples("spearman", GENERATOR.uniform(size=50), GENERATOR.uniform(size=50)),
        Samples("average_precision", GENERATOR.uniform(size=50), (np.arange(50) % 3 == 0).astype(float)),
    ],
    ids=lambda samples: samples.statistic,
)
def test_equal_models_do_not_differ(samples: Samples) -> None:
    found = compare(samples, samples)
    assert found == Difference(0.0, 0.0, 0.0, 50)
    assert not found.is_real


def test_a_small_shift_is_found_that_two_intervals_would_hide() -> None:
    lower = Samples("mean", GENERATOR.uniform(0, 1, 300))
    upper = Samples("mean", lower.values + 0.01 + GENERATOR.normal(0, 0.01, 300))
    alone = score_interval(lower), score_interval(upper)
    assert alone[0] is not None
    assert alone[1] is not None
    assert alone[0].high > alone[1].low  # each alone is unsure by points
    found = compare(upper, lower)
    assert found.is_real
    # the spread of the differences is 0.01: 1.96 * 0.01 / sqrt(300) is 0.0011, so 0.11 points on either side
    assert found.low == pytest.approx(found.value - 0.11, abs=0.03)
    assert found.high == pytest.approx(found.value + 0.11, abs=0.03)
    assert compare(lower, upper).value == pytest.approx(-found.value)
    assert compare(lower, upper).is_real


def test_noise_alone_is_not_real() -> None:
    first, second = (Samples("mean", GENERATOR.uniform(0, 1, 200)) for _ in range(2))
    found = compare(first, second)
    assert found.low < 0 < found.high
    assert not found.is_real


def test_correlations_are_compared_on_the_same_draws() -> None:
    truths = GENERATOR.normal(size=400)
    better = Samples("spearman", truths + GENERATOR.normal(0, 0.5, 400), truths)
    worse = Samples("spearman", better.values + GENERATOR.normal(0, 0.5, 400), truths)
    found = compare(better, worse)
    assert found.value == pytest.approx(better.score() - worse.score())
    assert found.low < found.value < found.high
    assert found.is_real


def test_the_same_draws_come_every_time() -> None:
    samples = Samples("mean", GENERATOR.uniform(size=100))
    assert score_interval(samples) == score_interval(samples)
    assert RESAMPLES == 1_000


@pytest.mark.parametrize("values", [[], [0.5], [0.5] * 9])
def test_fewer_than_ten_items_have_no_interval_and_no_comparison(values: list[float]) -> None:
    samples = Samples("mean", np.array(values))
    assert score_interval(samples) is None
    with pytest.raises(ArgumentError):
        compare(samples, samples)


@pytest.mark.parametrize(
    "other",
    [
        Samples("mean", np.zeros(3)),
        Samples("spearman", np.zeros(3), np.arange(3.0)),
        Samples("spearman", np.zeros(4), np.array([0.0, 1.0, 2.0, 9.0])),
    ],
)
def test_different_items_are_refused(other: Samples) -> None:
    with pytest.raises(ArgumentError, match="different items"):
        compare(Samples("spearman", np.zeros(4), np.arange(4.0)), other)


def test_draws_that_can_not_be_judged_are_left_out() -> None:
    # of ten pairs with one grade that differs, a third of the draws have one grade alone, which has no order
    few = Samples("spearman", np.arange(10.0), np.array([0.0] * 9 + [1.0]))
    found = score_interval(few)
    assert found is not None
    assert 0 < found.low <= found.high <= 100
    rare = Samples("average_precision", np.arange(10.0), np.array([0.0] * 9 + [1.0]))
    found = score_interval(rare)  # one in three draws has no positive
    assert found is not None
    assert found.low > 0


def test_where_no_draw_can_be_judged_there_is_no_interval() -> None:
    alike = Samples("spearman", np.ones(10), np.arange(10.0))
    assert score_interval(alike) is None
    with pytest.raises(ArgumentError, match="no draw"):
        compare(alike, alike)
