"""The labels of examples, checked once: all strings or all whole numbers, none missing, more than one kind."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TypeAlias

import numpy as np

from gtekit.arrays import Ints
from gtekit.errors import ArgumentError, ShapeError

Label: TypeAlias = str | int


def check_labels(labels: Iterable[object], texts: int) -> list[Label]:
    """Give one label for each text.

    Raises:
        ShapeError: If there are more or fewer labels than texts.
        ArgumentError: If a label is missing or empty, is no str and no int, or of another type than the first.
    """
    if isinstance(labels, str | bytes):
        raise ArgumentError(f"labels is one {type(labels).__name__}, expected a list with one label for each text.")
    checked = [check_label(label, f"labels[{index}]") for index, label in enumerate(labels)]
    if len(checked) != texts:
        raise ShapeError(f"there are {texts:,} texts and {len(checked):,} labels; each text has one label.")
    for index, label in enumerate(checked):
        if type(label) is not type(checked[0]):
            raise ArgumentError(
                f"labels[{index}] is {label!r}, labels[0] is {checked[0]!r}; make all of them str, or all int."
            )
    return checked


def check_label(label: object, where: str) -> Label:
    """Give a label as a plain str or int; numpy's are taken as well.

    Raises:
        ArgumentError: If it is something else, or an empty str.
    """
    if isinstance(label, bool | np.bool_):
        raise ArgumentError(f"{where} is {bool(label)}; write a word for it, such as 'yes' and 'no', or 1 and 0.")
    if isinstance(label, np.integer | int):
        return int(label)
    if not isinstance(label, str):
        kind = "None" if label is None else f"a {type(label).__name__} ({label!r})"
        raise ArgumentError(f"{where} is {kind}, expected str or int; give this text a label, or leave it out.")
    if not label.strip():
        raise ArgumentError(f"{where} is empty; give this text a label, or leave it out.")
    return str(label)


def number_labels(labels: Sequence[Label]) -> tuple[tuple[Label, ...], Ints]:
    """Give the classes in order, and for each text the number of its class, shape (N,).

    Raises:
        ArgumentError: If all texts have the same label, or there are none.
    """
    classes = tuple(sorted(set(labels), key=lambda label: (isinstance(label, str), label)))
    if len(classes) < 2:
        found = f"all {len(labels):,} texts have the label {classes[0]!r}" if classes else "there are no texts"
        raise ArgumentError(f"{found}; a classifier needs examples of two labels or more.")
    numbers = {label: number for number, label in enumerate(classes)}
    return classes, np.array([numbers[label] for label in labels], np.int64)


def fewest_examples(labels: Sequence[Label]) -> tuple[int, Label, int]:
    """Give the smallest number of examples that a label has, the label, and the index of its first example."""
    label, count = min(Counter(labels).items(), key=lambda entry: entry[1])
    return count, label, labels.index(label)
