"""What metadata can hold: names, values, and one type a name."""

import math
import re
from collections.abc import Mapping, Sequence

from gtekit.errors import ArgumentError
from gtekit.index.interface import Value

TYPES = {str: "string", int: "int", float: "float", bool: "bool"}
RESERVED = ("id", "text", "vector")
FORBIDDEN = re.compile(r"[.`\x00-\x1f\x7f]")  # a dot or a backtick can't be spelled in LanceDB's SQL
NAME_BYTES = 128
LARGEST_INT = 2**63 - 1


def fit_columns(
    columns: Mapping[str, str], ids: Sequence[str], metadata: Sequence[Mapping[str, Value]] | None
) -> tuple[dict[str, str], list[dict[str, Value]]]:
    """Give the types of all columns once these rows are in, and their metadata in those types.

    The first value of a name decides its type, except that whole numbers and others together are float. In what comes
    back there is no None, and the whole numbers of a float column are float.

    Args:
        columns: Names and types (string, int, float, bool) that the index has.
        ids: Of the rows.
        metadata: One mapping a row; None: no row has any.

    Raises:
        ArgumentError: If a name or value can't be stored, or a value is of another type than its column, with its id.
    """
    rows: Sequence[Mapping[str, Value]] = metadata if metadata is not None else [{}] * len(ids)
    known = dict(columns)
    for row_id, row in zip(ids, rows, strict=True):
        if not isinstance(row, Mapping):
            raise ArgumentError(
                f"metadata of id {row_id!r} is a {type(row).__name__}, expected a dict of names and values."
            )
        for name, value in row.items():
            if name not in known:
                _check_name(name, row_id)
            if value is not None:
                known[name] = _type(known.get(name), name, value, row_id, is_new=name not in columns)
    return known, [{name: _fit(value, known[name]) for name, value in row.items() if value is not None} for row in rows]


def _type(known: str | None, name: str, value: Value, row_id: str, *, is_new: bool) -> str:
    found = TYPES.get(type(value))
    if found is None:
        raise ArgumentError(
            f"metadata {name!r} of id {row_id!r} is a {type(value).__name__}; str, int, float, bool and None can "
            "be kept. Make it a str, or leave it out."
        )
    _check_value(value, name, row_id)
    if known is None or found == known or (found, known) == ("int", "float"):
        return known or found
    if is_new and (found, known) == ("float", "int"):
        return "float"
    raise ArgumentError(
        f"metadata {name!r} of id {row_id!r} is {value!r} ({found}), and this column holds {known}. Convert it, or "
        "choose another name."
    )


def _check_value(value: Value, name: str, row_id: str) -> None:
    if isinstance(value, str):
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            raise ArgumentError(
                f"metadata {name!r} of id {row_id!r} holds half a surrogate pair, which is no text; "
                "repair it: value.encode('utf-8', 'replace').decode()"
            ) from None
    elif isinstance(value, float) and not math.isfinite(value):
        raise ArgumentError(
            f"metadata {name!r} of id {row_id!r} is {value}; numbers must be finite. For no value: None."
        )
    elif isinstance(value, int) and not -LARGEST_INT - 1 <= value <= LARGEST_INT:
        raise ArgumentError(f"metadata {name!r} of id {row_id!r} is {value}, beyond 64 bits. Keep it as a str.")


def _check_name(name: object, row_id: str) -> None:
    where = f"metadata of id {row_id!r} has a name {name!r}"
    if not isinstance(name, str) or not name:
        raise ArgumentError(f"{where}; names are str and not empty.")
    if name in RESERVED or name.startswith("_"):
        raise ArgumentError(
            f"{where}; {', '.join(RESERVED)} and names that begin with _ are the index's own. Rename it."
        )
    if FORBIDDEN.search(name) or len(name.encode("utf-8", "surrogatepass")) > NAME_BYTES:
        raise ArgumentError(
            f"{where}; dots, backticks and control characters can't be used in filters, and {NAME_BYTES} bytes are the "
            "most. Rename it."
        )
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        raise ArgumentError(f"{where}, which holds half a surrogate pair. Rename it.") from None


def _fit(value: Value, kind: str) -> Value:
    return float(value) if kind == "float" and value is not None else value
