"""Labels of examples: what is taken, what is refused and where."""

import numpy as np
import pytest

from gtekit.errors import ArgumentError, ShapeError
from gtekit.tasks.classification.labels import check_labels, fewest_examples, number_labels


def test_labels_of_numpy_become_plain_ones() -> None:
    assert check_labels(np.array([2, 1]), 2) == [2, 1]
    assert [type(label) for label in check_labels(np.array(["a", "b"]), 2)] == [str, str]


@pytest.mark.parametrize(
    ("labels", "place"),
    [
        (["a", None], r"labels\[1\] is None"),
        (["a", ""], r"labels\[1\] is empty"),
        (["a", float("nan")], r"labels\[1\] is a float"),
        (["a", 1], r"labels\[1\] is 1, labels\[0\] is 'a'"),
        ([True, False], r"labels\[0\] is True"),
        ("ab", "labels is one str"),
    ],
)
def test_what_is_no_label_is_named_with_its_place(labels: object, place: str) -> None:
    with pytest.raises(ArgumentError, match=place):
        check_labels(labels, 2)  # type: ignore[arg-type]


def test_there_are_as_many_labels_as_texts() -> None:
    with pytest.raises(ShapeError, match="2 texts and 1 labels"):
        check_labels(["a"], 2)


def test_classes_are_in_order_and_numbers_lead_back_to_the_labels() -> None:
    labels = ["b", "a", "c", "a"]
    classes, numbers = number_labels(labels)
    assert classes == ("a", "b", "c")
    assert [classes[number] for number in numbers] == labels
    assert number_labels([10, 9])[0] == (9, 10)


@pytest.mark.parametrize("labels", [[], ["a", "a"]])
def test_one_label_is_nothing_to_tell_apart(labels: list[str]) -> None:
    with pytest.raises(ArgumentError, match="two labels or more"):
        number_labels(labels)


def test_the_rarest_label_is_found_with_its_first_place() -> None:
    assert fewest_examples(["a", "b", "a", "c", "c"]) == (1, "b", 1)
