"""Filters drawn at random, each with its meaning in plain Python: None is SQL's neither true nor false."""

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from hypothesis import strategies as st

Meaning: TypeAlias = Callable[[Mapping[str, Any]], bool | None]
Case: TypeAlias = tuple[str, Meaning]

ALPHABET = "ab'%_\\\"\n é😀\0"
TEXTS = st.text(ALPHABET, max_size=4)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "s": TEXTS,
    "n": st.integers(-3, 3) | st.sampled_from([2**63 - 1, -(2**63) + 1, 2**53 + 1]),
    "x": st.sampled_from([-1.5, -0.0, 0.0, 0.1, 1e-7, 1e16, 1.7e308]) | st.integers(-2, 2).map(float),
    "b": st.booleans(),
    "id": st.sampled_from([str(number) for number in range(12)]),
}
ROWS: list[dict[str, Any]] = [
    {"id": "0", "s": "a", "n": 1, "x": 0.1, "b": True},
    {"id": "1", "s": "a'b", "n": -1, "x": -1.5, "b": False},
    {"id": "2", "s": "%", "n": 2**63 - 1, "x": 1e16},
    {"id": "3", "s": "_", "n": 2**53 + 1, "b": True},
    {"id": "4", "s": "\\", "x": 0.0, "b": False},
    {"id": "5", "n": 0, "x": 1e-7, "b": True},
    {"id": "6", "s": "a\nb", "n": 3, "x": 2.0},
    {"id": "7", "s": "é😀", "n": 2, "b": False},
    {"id": "8", "s": "", "x": 1.0, "b": True},
    {"id": "9", "n": -(2**63) + 1, "x": 1.7e308, "b": False},
    {"id": "10"},
    {"id": "11", "s": "a\0", "n": 0, "x": -2.0, "b": True},
]


def literal(value: Any) -> str:
    if isinstance(value, bool):
        return str(value)
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else repr(value)


def compared(name: str, symbol: str, value: Any, *, is_flipped: bool) -> Case:
    operators: dict[str, Callable[[Any, Any], bool]] = {
        "=": lambda a, b: a == b,
        "<>": lambda a, b: a != b,
        "!=": lambda a, b: a != b,
        "<": lambda a, b: a < b,
        "<=": lambda a, b: a <= b,
        ">": lambda a, b: a > b,
        ">=": lambda a, b: a >= b,
    }
    flipped = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
    written = (
        f"{literal(value)} {flipped.get(symbol, symbol)} {name}" if is_flipped else f"{name} {symbol} {literal(value)}"
    )
    return written, lambda row: None if row.get(name) is None else operators[symbol](row[name], value)


def among(name: str, values: list[Any], *, is_not: bool) -> Case:
    written = f"{name} {'NOT ' if is_not else ''}IN ({', '.join(map(literal, values))})"
    return written, lambda row: None if row.get(name) is None else (row[name] in values) != is_not


def like(pieces: list[str], *, is_not: bool) -> Case:
    """Pieces are single characters that stand for themselves, or the wildcards "any" and "one"."""
    escaped = {"any": "%", "one": "_", "%": r"\%", "_": r"\_", "\\": r"\\"}
    pattern = "".join(escaped.get(piece, piece) for piece in pieces)
    regex = re.compile("".join({"any": ".*", "one": "."}.get(p, re.escape(p)) for p in pieces), re.DOTALL)
    written = f"s {'NOT ' if is_not else ''}LIKE {literal(pattern)}"
    return written, lambda row: None if row.get("s") is None else (regex.fullmatch(row["s"]) is not None) != is_not


def null(name: str, *, is_not: bool) -> Case:
    return f"{name} IS {'NOT ' if is_not else ''}NULL", lambda row: (row.get(name) is None) != is_not


def negated(case: Case) -> Case:
    def meaning(row: Mapping[str, Any]) -> bool | None:
        answer = case[1](row)
        return None if answer is None else not answer

    return f"not ({case[0]})", meaning


def both(left: Case, right: Case) -> Case:
    def meaning(row: Mapping[str, Any]) -> bool | None:
        answers = (left[1](row), right[1](row))
        return False if False in answers else None if None in answers else True

    return f"({left[0]}) AND ({right[0]})", meaning


def either(left: Case, right: Case) -> Case:
    def meaning(row: Mapping[str, Any]) -> bool | None:
        answers = (left[1](row), right[1](row))
        return True if True in answers else None if None in answers else False

    return f"({left[0]}) OR ({right[0]})", meaning


@st.composite
def tests(draw: st.DrawFn) -> Case:
    """One question about one column."""
    kind = draw(st.sampled_from(["compared", "among", "like", "null", "alone"]))
    name = draw(st.sampled_from(sorted(VALUES)))
    is_not = draw(st.booleans())
    if kind == "among":
        return among(name, draw(st.lists(VALUES[name], min_size=1, max_size=3)), is_not=is_not)
    if kind == "like":
        pieces = st.sampled_from([*ALPHABET, "any", "any", "one"])
        return like(draw(st.lists(pieces, max_size=4)), is_not=is_not)
    if kind == "null":
        return null(name, is_not=is_not)
    if kind == "alone":
        return "b", lambda row: row.get("b")
    symbols = ["=", "<>", "!="] if name == "b" else ["=", "<>", "!=", "<", "<=", ">", ">="]
    return compared(name, draw(st.sampled_from(symbols)), draw(VALUES[name]), is_flipped=is_not)


def cases() -> st.SearchStrategy[Case]:
    """Filters of a few questions."""
    return st.recursive(
        tests(),
        lambda parts: st.builds(both, parts, parts) | st.builds(either, parts, parts) | parts.map(negated),
        max_leaves=5,
    )
