"""One text of an input file with the values that travel beside it, and the rules for choosing fields."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from gtekit.errors import FileFormatError

Keep = Literal["text", "all", "none"] | Sequence[str]  # which fields travel to a jsonl or parquet output
DEFAULT_FIELDS = ("text", "sentence")  # tried in this order where no field is named


@dataclass(frozen=True, slots=True)
class Row:
    """One text and the fields to carry along with it."""

    text: str
    kept: Mapping[str, Any]
    number: int  # of its line, or of the row in a parquet file, from 1


def choose_field(name: str, fields: Sequence[str], text_fields: Sequence[str], asked: str | None) -> str:
    """Name the field that holds the texts.

    Args:
        name: The file, for the message.
        fields: Every field of the file.
        text_fields: Those of them that can hold texts.
        asked: What the caller wants; None takes `text`, `sentence`, or the only field that holds texts. A field called
            `text` that holds no texts is given as well: what is wrong is said of its value, with its row.

    Raises:
        FileFormatError: If there is no such field, or no telling which one is meant.
    """
    listed = ", ".join(fields) or "none"
    if asked is not None:
        if asked not in fields:
            raise FileFormatError(f"{name}: no field {asked!r}; its fields are: {listed}. Choose one with --field.")
        return asked
    for field in DEFAULT_FIELDS:
        if field in fields:
            return field
    if len(text_fields) == 1:
        return text_fields[0]
    many = "several fields hold" if text_fields else "no field holds"
    raise FileFormatError(
        f"{name}: {many} text and none is called {' or '.join(DEFAULT_FIELDS)}; its fields are: {listed}. "
        f"Choose one with --field."
    )


def choose_kept(name: str, fields: Sequence[str], text_field: str, keep: Keep) -> tuple[str, ...]:
    """Name the fields that travel along, in the order of the file or of the request."""
    if keep == "text":
        return (text_field,)
    if keep == "all":
        return tuple(fields)
    if keep == "none":
        return ()
    for field in keep:
        if field not in fields:
            raise FileFormatError(
                f"{name}: no field {field!r} to keep; its fields are: {', '.join(fields)}. "
                f"--keep takes all, none, or names with commas between."
            )
    return tuple(dict.fromkeys(keep))


def check_text(value: object, where: str, field: str) -> str:
    """Return the value if a model can read it as a text.

    Raises:
        FileFormatError: If it is no string, or one that is not valid Unicode.
    """
    if not isinstance(value, str):
        raise FileFormatError(
            f"{where}: field {field!r} holds {name_kind(value)}, not a string. Fix or leave out this row, or choose "
            f"another field with --field."
        )
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise FileFormatError(
            f"{where}: field {field!r} has half of a surrogate pair at character {error.start} "
            f"({value[error.start]!a}), which is not valid text. Fix or leave out this row."
        ) from None
    return value


def name_kind(value: object) -> str:
    """Say what a value is, in the words of JSON."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    for kind, name in (((int, float), "a number"), (str, "a string"), (Mapping, "an object"), (list, "a list")):
        if isinstance(value, kind):
            return name
    return f"a value of type {type(value).__name__}"
