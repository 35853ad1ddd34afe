"""What a file becomes: documents with their text, or the reason why not."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

Value: TypeAlias = str | int | float | bool | None  # of metadata


@dataclass(frozen=True, slots=True)
class Part:
    """Where a page or a section of a document begins; it ends where the next one does."""

    start: int  # in characters of the text
    page: int | None = None  # from 1
    section: str = ""  # the headings above, outermost first, with " > " between


@dataclass(frozen=True, slots=True)
class Document:
    """One text with what is known of it."""

    id: str  # the same in every run: the path as it was named; of a row "path#row"
    source: str  # the file
    text: str
    title: str = ""
    metadata: Mapping[str, Value] = field(default_factory=dict)  # the other fields of a row
    parts: tuple[Part, ...] = ()  # ascending
    content_hash: str = ""  # of the bytes or the row: another hash, another content
    guessed_encoding: str = ""  # what the bytes were read as where nothing said it and they are not UTF-8


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that could not be read, and why."""

    source: str
    reason: str
    is_one_row: bool = False  # of a table, whose other rows were read: else nothing is known of the rest of the file
