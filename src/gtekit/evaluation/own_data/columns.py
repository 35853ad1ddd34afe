"""Which columns hold what: known names, or those that the caller names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from gtekit.errors import ArgumentError
from gtekit.evaluation.own_data.data import Kind
from gtekit.evaluation.own_data.table import Record, show_names


@dataclass(frozen=True, slots=True)
class Known:
    """The names that columns of one kind of data may have; capitals, spaces, _ and - make no difference.

    texts: Names that belong together, as sentence1 and sentence2 do.
    values: What the texts were judged as; none where the columns themselves say it.
    standard: What an unnamed row holds, in this order.
    """

    texts: tuple[tuple[str, ...], ...]
    values: tuple[str, ...]
    standard: tuple[str, ...]


KNOWN: Mapping[Kind, Known] = {
    "pairs": Known(
        (
            ("sentence1", "sentence2"),
            ("sent1", "sent2"),
            ("text1", "text2"),
            ("text_a", "text_b"),
            ("a", "b"),
            ("question1", "question2"),
            ("query", "document"),
            ("anchor", "positive"),
        ),
        ("score", "label", "similarity"),
        ("text_a", "text_b", "score"),
    ),
    "triples": Known(
        (("anchor", "positive", "negative"), ("query", "positive", "negative")),
        (),
        ("anchor", "positive", "negative"),
    ),
    "labelled": Known((("text",), ("sentence",)), ("label",), ("text", "label")),
}


def choose_columns(kind: Kind, record: Record, asked: Sequence[str] | None) -> tuple[str, ...]:
    """Name the columns of a kind of data, in its standard order.

    Args:
        kind: pairs, triples or labelled.
        record: The first row.
        asked: What the caller wants; None takes the known names, if exactly one choice of them is there.

    Raises:
        ArgumentError: If `asked` has another number of names.
        FileFormatError: If a column is not there, or there is no telling which is meant (of Python values:
            ArgumentError).
    """
    known = KNOWN[kind]
    listed = f"({', '.join(known.standard)})"
    if asked is not None:
        if isinstance(asked, str) or len(asked) != len(known.standard):
            raise ArgumentError(f"columns={asked!r} is not possible; {kind} need {len(known.standard)}: {listed}.")
        for name in asked:
            if name not in record.values:
                raise record.error(f"no column {name!r}; the columns are: {show_names(record.values)}.")
        return tuple(asked)
    found = matching_columns(kind, record.values)
    if len(found) == 1:
        return found[0]
    what = "several columns could be" if found else "no columns are called as"
    heading = "" if found else " Does the file begin with a line that names its columns?"
    names = ", ".join(known.values) or "no more"
    raise record.error(
        f"{what} {kind}; the columns are: {show_names(record.values)}.{heading} Known names: "
        f"{' or '.join('+'.join(group) for group in known.texts)}, with {names}. Rename them, or name them in the "
        f"order {listed}: columns=[...], on the command line --columns {','.join(known.standard)}"
    )


def matching_columns(kind: Kind, fields: Sequence[str] | Mapping[str, object]) -> list[tuple[str, ...]]:
    """Give every way in which the fields can be read as this kind of data."""
    by_name = {_plain(field): field for field in fields if isinstance(field, str)}
    known = KNOWN[kind]
    choices = product(known.texts, ([name] for name in known.values) if known.values else [[]])
    wanted = ([*texts, *value] for texts, value in choices)
    return [
        tuple(by_name[_plain(name)] for name in names)
        for names in wanted
        if all(_plain(name) in by_name for name in names)
    ]


def _plain(name: str) -> str:
    return name.lower().translate({ord(char): None for char in " _-"})
