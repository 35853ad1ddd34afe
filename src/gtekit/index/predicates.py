"""What a filter asks of a row: evaluated over columns of numpy, or written as SQL.

Logic is SQL's, with three values: what is asked of a missing value is neither true nor false, and a row is found only
where the whole is true.
"""

import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gtekit.arrays import Array
from gtekit.index.interface import Value

Bools: TypeAlias = NDArray[np.bool_]
Literal: TypeAlias = str | int | float | bool
OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
DTYPES: Mapping[str, Any] = {"string": object, "int": np.int64, "float": np.float64, "bool": np.bool_}
EMPTY: Mapping[str, Literal] = {"string": "", "int": 0, "float": 0.0, "bool": False}


@dataclass(frozen=True, slots=True)
class Column:
    """The values of one name, and where there is none."""

    values: Array  # (N,): object (of str), int64, float64 or bool; anything where is_null
    is_null: Bools  # (N,)


Columns: TypeAlias = Callable[[str], Column]


def column_of(values: Sequence[Value], kind: str) -> Column:
    """Make a column of values, None where there is none."""
    is_null = np.fromiter((value is None for value in values), bool, len(values))
    filled: Array = np.empty(len(values), DTYPES[kind])
    filled[:] = [EMPTY[kind] if value is None else value for value in values]
    return Column(filled, is_null)


def quote_name(name: str) -> str:
    """Write the name of a column as LanceDB's SQL has it; a name holds no backtick."""
    return f"`{name}`"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A column against a value."""

    name: str
    symbol: str  # of OPERATORS
    value: Literal


@dataclass(frozen=True, slots=True)
class In:
    """A column's value among several."""

    name: str
    values: tuple[Literal, ...]


@dataclass(frozen=True, slots=True)
class Like:
    r"""A column of text against a pattern: % is any text, _ any character, \ takes the meaning from what follows."""

    name: str
    pattern: str


@dataclass(frozen=True, slots=True)
class IsNull:
    """A column without a value: never neither."""

    name: str


@dataclass(frozen=True, slots=True)
class Not:
    """The contrary; of neither it is neither."""

    part: "Predicate"


@dataclass(frozen=True, slots=True)
class And:
    """True where all parts are, false where one is."""

    parts: tuple["Predicate", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """True where one part is, false where all are."""

    parts: tuple["Predicate", ...]


Test: TypeAlias = Comparison | In | Like | IsNull
Predicate: TypeAlias = Test | Not | And | Or


def evaluate(predicate: Predicate, columns: Columns) -> tuple[Bools, Bools]:
    """Say where a predicate is true, and where it is neither true nor false, each (N,)."""
    match predicate:
        case Not(part):
            is_true, is_null = evaluate(part, columns)
            return ~is_true & ~is_null, is_null
        case And(parts):
            answers = [evaluate(part, columns) for part in parts]
            is_true = reduce(np.logical_and, (true for true, _ in answers))
            is_false = reduce(np.logical_or, (~true & ~null for true, null in answers))
            return is_true, ~is_true & ~is_false
        case Or(parts):
            answers = [evaluate(part, columns) for part in parts]
            is_true = reduce(np.logical_or, (true for true, _ in answers))
            is_null = reduce(np.logical_or, (null for _, null in answers))
            return is_true, is_null & ~is_true
        case IsNull(name):
            is_null = columns(name).is_null
            return is_null, np.zeros_like(is_null)
        case _:
            column = columns(predicate.name)
            return _compare(predicate, column.values) & ~column.is_null, column.is_null


def names(predicate: Predicate) -> Iterator[str]:
    """Give the columns that a predicate asks for."""
    match predicate:
        case Not(part):
            yield from names(part)
        case And(parts) | Or(parts):
            for part in parts:
                yield from names(part)
        case _:
            yield predicate.name


def _compare(test: Comparison | In | Like, values: Array) -> Bools:
    """What is asked of each value; where there is none the answer is not looked at."""
    match test:
        case Comparison(_, symbol, value):
            # as an object: numpy's own strings lose the NULs at their end
            other = np.array(value, object) if isinstance(value, str) else value
            return np.asarray(OPERATORS[symbol](values, other), bool)
        case In(_, among):
            chosen = set(among)
            return np.fromiter((value in chosen for value in values.tolist()), bool, len(values))
        case Like(_, pattern):
            matches = like_regex(pattern).fullmatch
            return np.fromiter((matches(value) is not None for value in values), bool, len(values))


def literal_sql(value: Literal) -> str:
    """Write a value as SQL."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return repr(value)


def like_regex(pattern: str) -> re.Pattern[str]:
    """Turn a pattern of LIKE into a regular expression for the whole text.

    What stands between two % is taken at its first place, for good (an atomic group): a later place leaves less text
    for what follows, so nothing is missed, and no combinations are tried. Time grows with text times pattern.
    """
    pieces = [""]  # between one % and the next
    characters = iter(pattern)
    for character in characters:
        if character == "%":
            pieces.append("")
        else:
            escaped = next(characters, "\\") if character == "\\" else character
            pieces[-1] += "." if character == "_" else re.escape(escaped)
    first, *others = pieces
    if not others:
        return re.compile(first, re.DOTALL)
    *middle, last = others
    found = "".join(f"(?>.*?{piece})" for piece in middle if piece)
    return re.compile(f"{first}{found}.*{last}", re.DOTALL)
