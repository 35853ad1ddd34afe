"""Two models on the same data: what differs, and whether that can be luck."""

import pytest

from gtekit.errors import ArgumentError
from gtekit.evaluation.own_data import compare, evaluate
from tests.evaluation.own_data.fixed_model import EAST, FAR, NEAR, NORTH, WEST, FixedModel

GOOD = FixedModel({"a": EAST, "1": EAST, "2": NEAR, "3": FAR, "4": NORTH, "5": WEST})
BAD = FixedModel({"a": EAST, "1": WEST, "2": NORTH, "3": FAR, "4": NEAR, "5": EAST})
SO_SO = FixedModel({"a": EAST, "1": EAST, "2": FAR, "3": NEAR, "4": NORTH, "5": WEST})
TRIPLES = [("a", "1", "2"), ("a", "2", "3"), ("a", "3", "4"), ("a", "4", "5")] * 10


def test_the_difference_is_that_of_the_scores_and_in_their_scale() -> None:
    # GOOD has all triples right, SO_SO three of four
    found = compare(evaluate(GOOD, triples=TRIPLES), evaluate(SO_SO, triples=TRIPLES), "accuracy")
    assert found.value == pytest.approx(0.25)
    # ten of forty differ: the standard error is sqrt(0.25 * 0.75 / 40) = 0.068
    assert found.low == pytest.approx(0.25 - 1.96 * 0.068, abs=0.03)
    assert found.high == pytest.approx(0.25 + 1.96 * 0.068, abs=0.03)
    assert found.items == 40
    assert found.is_real
    assert str(found).startswith("accuracy: +0.2500 (")
    assert str(found).endswith("the first model is better")
    turned = compare(evaluate(SO_SO, triples=TRIPLES), evaluate(GOOD, triples=TRIPLES), "accuracy")
    assert str(turned).endswith("the second model is better")


def test_a_model_does_not_differ_from_itself() -> None:
    found = compare(evaluate(GOOD, triples=TRIPLES), evaluate(GOOD, triples=TRIPLES))
    assert (found.measure, found.value, found.low, found.high, found.is_real) == ("accuracy", 0, 0, 0, False)
    assert str(found).endswith("no difference that the data can show")


def test_correlations_are_compared_on_the_same_draws() -> None:
    pairs = [("a", str(number), 6.0 - number) for number in range(1, 6)] * 4
    found = compare(evaluate(GOOD, pairs=pairs), evaluate(BAD, pairs=pairs), "spearman")
    # GOOD has the order of the values, 1; BAD the reverse, -1
    assert found.value == pytest.approx(2)
    assert found.is_real


def test_other_data_are_refused() -> None:
    first = evaluate(GOOD, triples=TRIPLES)
    for other in (TRIPLES[:-1], [*TRIPLES[1:], TRIPLES[0]]):
        with pytest.raises(ArgumentError, match="the results are of different data"):
            compare(first, evaluate(BAD, triples=other))
    with pytest.raises(ArgumentError, match=r"triples \(triples\) and pairs \(pairs\)"):
        compare(first, evaluate(GOOD, pairs=[("a", "1", 5), ("a", "2", 3)]))


def test_measures_without_items_are_refused() -> None:
    pairs = [("a", str(number), 6.0 - number) for number in range(1, 6)]
    result = evaluate(GOOD, pairs=pairs)
    with pytest.raises(ArgumentError, match="'pearson' can't be compared; choose from: spearman"):
        compare(result, result, "pearson")
    with pytest.raises(ArgumentError, match="5 items are too few"):
        compare(result, result, "spearman")
