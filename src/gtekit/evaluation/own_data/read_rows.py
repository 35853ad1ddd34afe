"""Pairs, triples and labelled texts out of rows."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from gtekit.evaluation.own_data.columns import KNOWN, choose_columns
from gtekit.evaluation.own_data.data import Kind, Labelled, Pairs, Triples
from gtekit.evaluation.own_data.table import Record, RowSource, read_records
from gtekit.files.rows import name_kind

TRUTHS = {"true": 1.0, "false": 0.0}  # as pandas writes labels


def read_pairs(source: RowSource, columns: Sequence[str] | None = None, *, delimiter: str | None = None) -> Pairs:
    """Read pairs of texts with a value.

    Raises:
        FileFormatError: If a file can't be read so, with its line (of Python values: ArgumentError, with the index).
    """
    places, first, second, values = [], [], [], []
    for record, (field_a, field_b, field_value) in _records("pairs", source, columns, delimiter):
        places.append(record.place)
        first.append(record.text(field_a))
        second.append(record.text(field_b))
        values.append(_number(record, field_value))
    return Pairs(
        source=_source_name(source, "pairs"), places=places, first=first, second=second, values=np.array(values)
    )


def read_triples(source: RowSource, columns: Sequence[str] | None = None) -> Triples:
    """Read triples of texts.

    Raises:
        FileFormatError: If a file can't be read so, with its line (of Python values: ArgumentError, with the index).
    """
    places, anchors, positives, negatives = [], [], [], []
    for record, (anchor, positive, negative) in _records("triples", source, columns):
        places.append(record.place)
        anchors.append(record.text(anchor))
        positives.append(record.text(positive))
        negatives.append(record.text(negative))
    return Triples(
        source=_source_name(source, "triples"),
        places=places,
        anchors=anchors,
        positives=positives,
        negatives=negatives,
    )


def read_labelled(source: RowSource, columns: Sequence[str] | None = None) -> Labelled:
    """Read texts with the names of their classes. A number is a name like any other.

    Raises:
        FileFormatError: If a file can't be read so, with its line (of Python values: ArgumentError, with the index).
    """
    places, texts, labels = [], [], []
    for record, (text, label) in _records("labelled", source, columns):
        places.append(record.place)
        texts.append(record.text(text))
        labels.append(_label(record, label))
    return Labelled(source=_source_name(source, "labelled"), places=places, texts=texts, labels=labels)


def _records(
    kind: Kind, source: RowSource, asked: Sequence[str] | None, delimiter: str | None = None
) -> Iterator[tuple[Record, tuple[str, ...]]]:
    columns: tuple[str, ...] = ()
    for record in read_records(source, kind, KNOWN[kind].standard, delimiter=delimiter):
        columns = columns or choose_columns(kind, record, asked)
        yield record, columns


def _number(record: Record, field: str) -> float:
    value = record.value(field)
    is_number = hasattr(value, "__float__") and not isinstance(value, str)  # numpy's numbers too
    if not (is_number or isinstance(value, str)):
        raise record.error(f"{field!r} holds {name_kind(value)}, not a number. Fix or leave out this row.")
    try:
        number = TRUTHS.get(value.strip().lower()) if isinstance(value, str) else None
        number = float(value) if number is None else number  # type: ignore[arg-type]
    except (ValueError, OverflowError):
        raise record.error(
            f"{field!r} holds {value!s:.40}, which is no number. Fix or leave out this row; 0.5 has a point, not a "
            f"comma."
        ) from None
    if not math.isfinite(number):
        raise record.error(f"{field!r} holds {number}, which is no number to compare with. Fix or leave out this row.")
    return number


def _label(record: Record, field: str) -> str:
    value = record.value(field)
    if isinstance(value, str):
        label = record.text(field)
    elif isinstance(value, int | np.integer) or (isinstance(value, float | np.floating) and math.isfinite(value)):
        label = str(value)
    else:
        raise record.error(f"{field!r} holds {name_kind(value)}, not a label. Fix or leave out this row.")
    if not label.strip():
        raise record.error(f"{field!r} is empty. Give the text a label, or leave out this row.")
    return label


def _source_name(source: RowSource, argument: str) -> str:
    return str(source) if isinstance(source, str | Path) else argument
