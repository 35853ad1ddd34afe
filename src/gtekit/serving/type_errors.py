"""What msgspec has against a value, in the words of JSON: the place, what may stand there, what was probably meant.

One translation for bodies, query strings and lines. msgspec says where a value is wrong and not what it could be, so
the place is looked up in the type.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Final

import msgspec
from msgspec import inspect

NAME_CHARS: Final = 40  # of a name that a client made up, in a message
VALUE_CHARS: Final = 80  # of a value
STEPS: Final = re.compile(r"\[[^\]]*\]|[^.\[]+")  # of a path: inputs.sentences[0]
WRONG_TYPE: Final = re.compile(r"Expected `([^`]+)`(.*?)(?:, got `([^`]+)`)?", re.DOTALL)
EXPECTED: Final = {
    "str": ("text",),
    "int": ("whole number",),
    "float": ("number",),
    "bool": ("true", "false"),
    "array": ("list",),
}
FOUND: Final = {
    "str": "text",
    "int": "number",
    "float": "number that is not whole",
    "bool": "true or false",
    "array": "list",
}
NOT_EMPTY: Final = " of length >= 1"


@dataclass(frozen=True, slots=True)
class TypeFault:
    """What is wrong with one value."""

    message: str  # with its place, without a full stop
    path: str  # input[1]; "" for the whole
    expected: str  # msgspec's name of the type, "" where it is not the type that is wrong
    got: str  # the same of what came
    missing: str = ""  # the field that is not there
    unknown: str = ""  # the field that should not be there


def explain(error: msgspec.ValidationError, kind: object) -> TypeFault:
    """Say what is wrong with a value that is not a `kind`.

    Args:
        error: As msgspec words it: "Expected `str`, got `int` - at `$.input[1]`".
        kind: What the value should be.
    """
    what, found, at = str(error).rpartition(" - at `$")
    if not found:
        what, at = at, ""
    path = at.removesuffix("`").removeprefix(".")
    where = f"{path}: " if path else ""
    if missing := _name(what, "Object missing required field"):
        return TypeFault(f"{where}object missing required field {missing}", path, "", "", missing=missing)
    if unknown := _name(what, "Object contains unknown field"):
        meant = _meant(unknown, field_names(kind, path))
        return TypeFault(f"{where}unknown field {unknown}{meant}", path, "", "", unknown=unknown)
    choices = ", ".join(_choices(kind, path))
    if what.startswith("Invalid enum value "):
        value = what.removeprefix("Invalid enum value ")
        value = value if len(value) <= VALUE_CHARS else f"{value[:VALUE_CHARS]}..."
        return TypeFault(f"{path} is {value}; choose from: {choices}", path, "", "")
    types = WRONG_TYPE.fullmatch(what)
    if types is None:
        return TypeFault(f"{where}{what[:1].lower()}{what[1:].replace('`', '')}", path, "", "")
    expected, limit, got = types[1], types[2], types[3] or ""
    said = f"expected {_in_words(expected)}{' that is not empty' if limit == NOT_EMPTY else limit}"
    said += f", got {FOUND.get(got, got)}" if got else ""
    return TypeFault(f"{where}{said}{f'; choose from: {choices}' if choices else ''}", path, expected, got)


def field_names(kind: object, path: str) -> Sequence[str]:
    """Give the names of the fields at a place of a type; none where no object belongs there."""
    return [field.encode_name for one in _types_at(kind, path) for field in _fields(one)]


def _name(what: str, begin: str) -> str:
    return what.removeprefix(begin).strip(" `")[:NAME_CHARS] if what.startswith(begin) else ""


def _meant(unknown: str, known: Sequence[str]) -> str:
    close = get_close_matches(unknown, known, n=1)
    return f" (did you mean {close[0]}?)" if close else f"; known are: {', '.join(known)}" if known else ""


def _in_words(types: str) -> str:
    words = [word for name in types.split(" | ") for word in EXPECTED.get(name, (name,))]
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _choices(kind: object, path: str) -> list[str]:
    return [str(value) for one in _types_at(kind, path) if isinstance(one, inspect.LiteralType) for value in one.values]


def _types_at(kind: object, path: str) -> list[inspect.Type]:
    """Give all that may stand at a place."""
    types = list(_members(_type_of(kind)))
    for step in STEPS.findall(path):
        types = [member for one in types for inner in _inner(one, step) for member in _members(inner)]
    return types


@cache
def _type_of(kind: object) -> inspect.Type:
    return inspect.type_info(kind)


def _members(one: inspect.Type) -> Iterator[inspect.Type]:
    if isinstance(one, inspect.UnionType):
        for member in one.types:
            yield from _members(member)
    elif isinstance(one, inspect.Metadata):
        refused = (one.extra_json_schema or {}).get("not", {}).get("const")  # what the schema leaves out
        for member in _members(one.type):
            if isinstance(member, inspect.LiteralType):
                yield inspect.LiteralType(tuple(value for value in member.values if value != refused))
            else:
                yield member
    else:
        yield one


def _inner(one: inspect.Type, step: str) -> list[inspect.Type]:
    if step.startswith("["):
        return [one.item_type] if isinstance(one, inspect.ListType) else []
    return [field.type for field in _fields(one) if field.encode_name == step]


def _fields(one: inspect.Type) -> Sequence[inspect.Field]:
    return one.fields if isinstance(one, inspect.StructType) else ()
