"""Filters as people write them: a small part of SQL, read by us and the same for every backend.

    year >= 2020 AND (lang IN ('en', 'de') OR title LIKE 'Intro%') AND source IS NOT NULL

Comparisons are = <> != < <= > >=, a column against a value; then IN, LIKE, IS NULL, each also with NOT; AND, OR, NOT
and parentheses; a column of type bool may stand alone. Values are 'text' in single quotes (a quote in it is written
twice), numbers, TRUE and FALSE. A name that is no plain word stands in "double quotes" or `backticks`.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from gtekit.errors import ArgumentError
from gtekit.index.columns import LARGEST_INT
from gtekit.index.predicates import (
    And,
    Bools,
    Columns,
    Comparison,
    In,
    IsNull,
    Like,
    Literal,
    Not,
    Or,
    Predicate,
    evaluate,
    names,
)

MOST_CHARACTERS = 1_000_000
DEEPEST = 64  # parentheses and NOTs within each other
EXCERPT = 60  # characters of a filter that a message shows
KEYWORDS = {"AND", "OR", "NOT", "IN", "IS", "NULL", "LIKE", "TRUE", "FALSE"}
FLIPPED = {"=": "=", "<>": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
COMPARISONS = (*FLIPPED, "!=", "==")  # the last for its message
TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<string>'(?:[^']|'')*')
    |(?P<quoted>"(?:[^"]|"")+"|`[^`]+`)
    |(?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)
    |(?P<name>[^\W\d]\w*)
    |(?P<symbol><=|>=|<>|!=|==|[=<>(),+-])""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter that was read."""

    predicate: Predicate

    def mask(self, columns: Columns) -> Bools:
        """Say which rows it finds, shape (N,); `columns` gives a column by its name."""
        return evaluate(self.predicate, columns)[0]

    @property
    def names(self) -> frozenset[str]:
        """The columns that it asks for."""
        return frozenset(names(self.predicate))


@dataclass(frozen=True, slots=True)
class Token:
    """A word of a filter: its kind, its text and where it begins."""

    kind: str  # string, quoted, number, name, keyword, symbol, end
    text: str
    position: int


def parse(where: str, columns: Mapping[str, str]) -> Filter:
    """Read a filter.

    Args:
        where: What was written.
        columns: Names and types (string, int, float, bool) of the metadata; `id` is always there.

    Raises:
        ArgumentError: If it can't be read, names a column that is not there, or compares what can't be compared; with
            the character.
    """
    if not isinstance(where, str):
        raise ArgumentError(f'where is a {type(where).__name__}, expected a filter such as "year >= 2020".')
    if len(where) > MOST_CHARACTERS:
        raise ArgumentError(f"where has {len(where):,} characters, {MOST_CHARACTERS:,} are the most.")
    return Filter(_Parser(where, {"id": "string", **columns}).read())


class _Parser:
    """Reads from left to right, one method a rule of the grammar."""

    def __init__(self, where: str, columns: Mapping[str, str]) -> None:
        self._where = where
        self._columns = columns
        self._tokens = self._split()
        self._next = 0
        self._depth = 0

    def read(self) -> Predicate:
        if self._now.kind == "end":
            self._fail("a filter is expected, and there is none", self._now.position)
        predicate = self._either()
        if self._now.kind != "end":
            self._fail(f"AND, OR or the end is expected, found {self._now.text!r}", self._now.position)
        return predicate

    def _either(self) -> Predicate:
        parts = [self._both()]
        while self._take("OR"):
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _both(self) -> Predicate:
        parts = [self._one()]
        while self._take("AND"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _one(self) -> Predicate:
        position = self._now.position
        if self._now.text not in ("NOT", "(") or self._now.kind not in ("keyword", "symbol"):
            return self._simple()
        self._depth += 1
        if self._depth > DEEPEST:
            self._fail(f"more than {DEEPEST} parentheses and NOTs within each other", position)
        if self._take("NOT"):
            predicate: Predicate = Not(self._one())
        else:
            self._expect("(")
            predicate = self._either()
            self._expect(")")
        self._depth -= 1
        return predicate

    def _simple(self) -> Predicate:
        if self._now.kind not in ("name", "quoted"):
            return self._value_first()
        token = self._advance()
        name, kind = self._column(token)
        if self._take("IS"):
            is_not = self._take("NOT")
            self._expect("NULL")
            return Not(IsNull(name)) if is_not else IsNull(name)
        is_not = self._take("NOT")
        if self._take("IN"):
            return _negated(In(name, self._list(name, kind)), is_not)
        if self._take("LIKE"):
            return _negated(Like(name, self._pattern(name, kind)), is_not)
        if is_not:
            self._fail(f"IN or LIKE is expected after NOT, found {self._found()}", self._now.position)
        if self._now.text in COMPARISONS:
            symbol = self._symbol(self._advance(), name, kind)
            return Comparison(name, symbol, self._value(name, kind))
        if kind != "bool":
            self._fail(
                f"a comparison, IN, LIKE or IS is expected after {name!r}, found {self._found()}", self._now.position
            )
        return Comparison(name, "=", True)

    def _value_first(self) -> Predicate:
        """A comparison written the other way round: 2020 <= year."""
        position = self._now.position
        value = self._literal()
        if self._now.text not in COMPARISONS:
            self._fail(f"a comparison is expected, found {self._found()}", self._now.position)
        operator = self._advance()
        if self._now.kind not in ("name", "quoted"):
            self._fail(f"a column is expected, found {self._found()}; one side has to be one", self._now.position)
        name, kind = self._column(self._advance())
        return Comparison(name, FLIPPED[self._symbol(operator, name, kind)], self._fit(value, position, name, kind))

    def _symbol(self, operator: Token, name: str, kind: str) -> str:
        if operator.text == "==":
            self._fail("== is written = here", operator.position)
        symbol = "<>" if operator.text == "!=" else operator.text
        if kind == "bool" and symbol not in ("=", "<>"):
            self._fail(f"{name!r} is TRUE or FALSE and has no order; use = or <>", operator.position)
        return symbol

    def _list(self, name: str, kind: str) -> tuple[Literal, ...]:
        self._expect("(")
        values = [self._value(name, kind)]
        while self._take(","):
            values.append(self._value(name, kind))
        self._expect(")")
        return tuple(values)

    def _pattern(self, name: str, kind: str) -> str:
        position = self._now.position
        if kind != "string":
            self._fail(f"LIKE compares text, and {name!r} holds {kind}", position)
        pattern = self._value(name, kind)
        if not isinstance(pattern, str) or re.sub(r"\\[%_\\]", "", pattern).count("\\"):
            self._fail(r"\ in a pattern stands before %, _ or \ alone", position)
        return pattern

    def _value(self, name: str, kind: str) -> Literal:
        position = self._now.position
        return self._fit(self._literal(), position, name, kind)

    def _fit(self, value: Literal, position: int, name: str, kind: str) -> Literal:
        """A value in the type of the column that it is compared with."""
        found = {str: "string", bool: "bool", int: "int", float: "float"}[type(value)]
        if found == kind:
            return value + 0.0 if isinstance(value, float) else value  # -0.0 becomes 0.0
        if kind == "float" and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        if kind == "int" and isinstance(value, float):
            if value.is_integer() and abs(value) <= LARGEST_INT:
                return int(value)
            self._fail(f"{name!r} holds whole numbers; compare it with one", position)
        raise self._error(f"{name!r} holds {kind}, which can't be compared with {found}", position)

    def _literal(self) -> Literal:
        token = self._now
        if token.kind == "string":
            self._advance()
            return token.text[1:-1].replace("''", "'")
        if token.kind == "keyword" and token.text in ("TRUE", "FALSE"):
            self._advance()
            return token.text == "TRUE"
        sign = 1
        if token.text in ("-", "+"):
            sign = -1 if self._advance().text == "-" else 1
        if self._now.kind == "number":
            return self._number(sign)
        if self._now.text == "NULL":
            self._fail("nothing equals NULL; write IS NULL or IS NOT NULL", token.position)
        raise self._error(
            f"a value is expected ('text', a number, TRUE or FALSE), found {self._found()}", token.position
        )

    def _number(self, sign: int) -> int | float:
        token = self._advance()
        if token.text.isdigit() and len(token.text.lstrip("0")) < 20:
            whole = sign * int(token.text)
            if abs(whole) <= LARGEST_INT:
                return whole
            self._fail("this number is beyond 64 bits", token.position)
        value = sign * float(token.text)
        if not math.isfinite(value):
            self._fail("this number is too large", token.position)
        return value

    def _column(self, token: Token) -> tuple[str, str]:
        name = token.text
        if token.kind == "quoted":
            name = name[1:-1].replace('""', '"') if name[0] == '"' else name[1:-1]
        if name not in self._columns:
            known = ", ".join(self._columns)
            hint = f"; text stands in single quotes: '{name}'" if token.text[0] == '"' else ""
            self._fail(f"there is no column {name!r}; there are: {known}{hint}", token.position)
        return name, self._columns[name]

    @property
    def _now(self) -> Token:
        return self._tokens[self._next]

    def _advance(self) -> Token:
        token = self._now
        self._next += token.kind != "end"
        return token

    def _take(self, text: str) -> bool:
        is_there = self._now.text == text and self._now.kind in ("keyword", "symbol")
        self._next += is_there
        return is_there

    def _expect(self, text: str) -> None:
        if not self._take(text):
            self._fail(f"{text} is expected, found {self._found()}", self._now.position)

    def _found(self) -> str:
        return "the end" if self._now.kind == "end" else repr(self._now.text[:EXCERPT])

    def _split(self) -> list[Token]:
        tokens = []
        position = 0
        while position < len(self._where):
            match = TOKEN.match(self._where, position)
            if match is None:
                self._fail(_why_no_token(self._where[position]), position)
            kind, text = str(match.lastgroup), match.group()
            if kind == "name" and text.upper() in KEYWORDS:
                kind, text = "keyword", text.upper()
            if kind != "space":
                tokens.append(Token(kind, text, position))
            position = match.end()
        return [*tokens, Token("end", "", len(self._where))]

    def _fail(self, what: str, position: int) -> NoReturn:
        raise self._error(what, position)

    def _error(self, what: str, position: int) -> ArgumentError:
        begin = max(0, position - EXCERPT // 2)
        excerpt = re.sub(r"[\x00-\x1f\x7f]", " ", self._where[begin : begin + EXCERPT])
        return ArgumentError(f"filter, character {position + 1}: {what}.\n  {excerpt}\n  {' ' * (position - begin)}^")


def _negated(predicate: Predicate, is_not: bool) -> Predicate:
    return Not(predicate) if is_not else predicate


def _why_no_token(character: str) -> str:
    quotes = {"'": "this text has no closing quote", '"': "this name has no closing quote", "`": "no closing backtick"}
    return quotes.get(character, f"{character!r} has no meaning here")
