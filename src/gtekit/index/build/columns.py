"""The metadata of passages: where each comes from, and the fields of its row, in one type a column."""

from collections import Counter
from collections.abc import Mapping

from gtekit.documents import Document, Passage
from gtekit.index.columns import FORBIDDEN, TYPES
from gtekit.index.interface import Value

DOCUMENT, SOURCE, TITLE, NUMBER, START, END = "document", "source", "title", "number", "start", "end"
PAGE, SECTION, ENTRY = "page", "section", "build"
OWN = {
    DOCUMENT: "string",
    SOURCE: "string",
    TITLE: "string",
    NUMBER: "int",
    START: "int",
    END: "int",
    PAGE: "int",
    SECTION: "string",
    ENTRY: "string",
}
TAKEN = {*OWN, "id", "text", "vector"}
AS_TEXT = "_text"  # after the name of a column: its values that are of another type
NAME_BYTES = 120
LARGEST_EXACT = 2**53  # up to here a float holds every whole number


class Columns:
    """Fits values to the types that columns have. What does not fit is kept as text, in a column of its own."""

    def __init__(self, known: Mapping[str, str]) -> None:
        self._known = {**known, **OWN}
        self.as_text: Counter[str] = Counter()  # values that did not fit, by the name of their column
        self.dropped: Counter[str] = Counter()  # those whose column of text holds something else

    def fit(self, fields: Mapping[str, Value]) -> dict[str, Value]:
        """Give the fields of a row as columns of the index: names that are taken get an underscore."""
        fitted: dict[str, Value] = {}
        for field, value in fields.items():
            name = column_name(field)
            if value is None:
                continue
            if name in fitted:  # two fields that differ in what a name can't have
                self.dropped[name] += 1
                continue
            kind = self._known.setdefault(name, TYPES[type(value)])
            converted = _as(kind, value)
            if converted is not None:
                fitted[name] = converted
                continue
            other = f"{name}{AS_TEXT}"
            if other in fitted or self._known.setdefault(other, "string") != "string":
                self.dropped[name] += 1
            else:
                fitted[other] = _text(value)
                self.as_text[name] += 1
        return fitted


def passage_columns(document: Document, passage: Passage) -> dict[str, Value]:
    """Give what is kept of a passage beside its text."""
    return {
        DOCUMENT: document.id,
        SOURCE: document.source,
        TITLE: document.title or None,
        NUMBER: passage.number,
        START: passage.start,
        END: passage.end,
        PAGE: passage.page,
        SECTION: passage.section or None,
    }


def column_name(field: str) -> str:
    """Give the name under which a field is kept.

    >>> column_name("year"), column_name("id"), column_name("a.b")
    ('year', 'id_', 'a_b')
    """
    name = FORBIDDEN.sub("_", field.encode("utf-8", "replace")[:NAME_BYTES].decode("utf-8", "ignore")).lstrip("_")
    return f"{name or 'field'}_" if name in TAKEN or not name else name


def _as(kind: str, value: Value) -> Value:
    """Give a value in the type of its column, None where that would change it."""
    found = TYPES[type(value)]
    if found == kind:
        return value
    if kind == "string":
        return _text(value)
    if kind == "float" and isinstance(value, int) and found == "int" and abs(value) <= LARGEST_EXACT:
        return float(value)
    if kind == "int" and isinstance(value, float) and value.is_integer() and abs(value) <= LARGEST_EXACT:
        return int(value)
    return None


def _text(value: Value) -> str:
    is_whole = isinstance(value, float) and value.is_integer() and abs(value) <= LARGEST_EXACT
    return str(int(value) if is_whole and value is not None else value)
