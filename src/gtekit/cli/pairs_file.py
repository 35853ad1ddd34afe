"""Pairs of texts out of a file: the same column names that `gtekit eval data` knows, with labels or without."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gtekit.errors import ArgumentError, FileFormatError

if TYPE_CHECKING:
    from gtekit.arrays import Ints
    from gtekit.evaluation.own_data.table import Record


@dataclass(frozen=True, slots=True)
class LabelledFile:
    """What a file of labelled pairs holds."""

    left: list[str]
    right: list[str]
    labels: "Ints"  # (N,), 0 or 1


@dataclass(frozen=True, slots=True)
class TextPair:
    """Two texts and the row that they are in."""

    left: str
    right: str
    row: Mapping[str, Any]
    place: str  # the file and the line


def split_columns(columns: str | None, names: tuple[str, ...]) -> list[str] | None:
    """Take --columns apart.

    Raises:
        ArgumentError: If there are not as many as needed.
    """
    if columns is None:
        return None
    found = [name.strip() for name in columns.split(",")]
    if len(found) != len(names):
        raise ArgumentError(f"--columns {columns} is not possible; {len(names)} names are needed: {','.join(names)}.")
    return found


def read_labelled(
    path: Path, columns: list[str] | None, least: float | None, delimiter: str | None = None
) -> LabelledFile:
    """Read pairs with labels 0 and 1, or with grades of which those from `least` on count as 1.

    Raises:
        FileFormatError: If the file can't be read so, with its line.
        ArgumentError: If the values are neither labels nor made into some.
    """
    import numpy as np

    from gtekit.evaluation.own_data.read_rows import read_pairs

    pairs = read_pairs(path, columns, delimiter=delimiter)
    if least is None and not pairs.is_binary:
        index = next(row for row, value in enumerate(pairs.values) if value not in (0, 1))
        raise FileFormatError(
            f"{path}, {pairs.places[index]}: has the value {pairs.values[index]:g}, expected a label, 0 or 1. Grades? "
            f"Say from which on two texts belong together: --least 4"
        )
    is_one = pairs.values == 1 if least is None else pairs.values >= least
    if is_one.all() or not is_one.any():
        what = "labelled" if least is None else "made"
        raise FileFormatError(
            f"{path}: all {len(is_one):,} pairs are {what} {int(is_one[0])}; with nothing to tell apart nothing can be "
            f"fitted. Add pairs of the other label{'' if least is None else ', or choose another --least'}."
        )
    return LabelledFile(pairs.first, pairs.second, is_one.astype(np.int64))


def read_text_pairs(path: Path, columns: list[str] | None, delimiter: str | None = None) -> Iterator[TextPair]:
    """Read pairs one by one, whatever else the rows hold.

    Raises:
        FileFormatError: If the file can't be read so, with its line.
    """
    from gtekit.evaluation.own_data.table import read_records

    names: list[str] = []
    for record in read_records(path, "pairs", ("text_a", "text_b"), delimiter=delimiter):
        names = names or _text_columns(record, columns)
        place = f"{record.source}, {record.place}"
        yield TextPair(record.text(names[0]), record.text(names[1]), record.values, place)


def _text_columns(record: "Record", asked: list[str] | None) -> list[str]:
    from gtekit.evaluation.own_data.columns import KNOWN, matching_columns
    from gtekit.evaluation.own_data.table import show_names

    if asked is not None:
        for name in asked:
            record.value(name)  # says what there is where the name is not
        return asked
    known = KNOWN["pairs"]
    # the names of values go with those of texts there; here a file may have none, or several
    others = [field for field in record.values if _plain(field) not in known.values]
    found = matching_columns("pairs", [*others, known.values[0]])
    if len(found) == 1:
        return list(found[0][:2])
    what = "several columns could be the texts" if found else "no columns are called as pairs of texts are"
    raise record.error(
        f"{what}; the columns are: {show_names(record.values)}. Known names: "
        f"{' or '.join('+'.join(group) for group in known.texts)}. Name two: --columns text_a,text_b"
    )


def _plain(name: str) -> str:
    return name.lower().translate({ord(char): None for char in " _-"})
