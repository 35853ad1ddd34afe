"""Markdown, kept as it is written: its marks are few and people read them. Headings become sections."""

import re

from gtekit.documents.decode import decode
from gtekit.documents.document import Value
from gtekit.documents.extract.outline import Outline
from gtekit.documents.extract.text import Extracted

FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?\n)?(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
FRONT_FIELD = re.compile(r"([^\W\d][\w-]{0,50}):(?:[ \t]+(\S.*))?$")  # key: value
MOST_FRONT_CHARACTERS = 1000  # of a value: more is no simple field
FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
HEADING = re.compile(r" {0,3}(#{1,6})(?=[ \t]|$)")
UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*$")
# Brackets within brackets end a try at once: else a line of them takes the square of its length.
MARKS = re.compile(r"!?\[([^\[\]]*)\]\([^()]*(?:\([^()]*\)[^()]*)?\)|[*_`]{1,3}(?=\S)|(?<=\S)[*_`]{1,3}")


def extract_markdown(data: bytes) -> Extracted:
    """Give the text without its front matter, which may name the title; its other simple fields are metadata.

    What stands between two rules at the beginning is front matter only where it begins as one does, with `key:`.

    Raises:
        FileFormatError: If it is binary.
    """
    text, guessed = decode(data)
    fields: dict[str, Value] = {}
    if (front := FRONT_MATTER.match(text)) and _is_front_matter(front[1] or ""):
        fields = _front_fields(front[1] or "")
        text = text[front.end() :]
    title = str(fields.pop("title", ""))
    outline = _outline(text)
    return Extracted(text, title or outline.title, outline.parts(), guessed, fields)


def _is_front_matter(lines: str) -> bool:
    first = next((line for line in lines.split("\n") if line.strip() and not line.startswith("#")), "")
    return not lines.strip() or FRONT_FIELD.match(first.rstrip()) is not None


def _front_fields(lines: str) -> dict[str, Value]:
    """Give what stands in one line each, as text; lists below a key are joined with commas."""
    fields: dict[str, Value] = {}
    key = ""
    for line in lines.split("\n"):
        stripped = line.strip()
        if found := FRONT_FIELD.match(line.rstrip()):
            key = found[1]
            if found[2] and len(found[2]) <= MOST_FRONT_CHARACTERS and found[2] not in ("|", ">", "|-", ">-"):
                fields[key] = found[2].strip("\"'")
        elif key and stripped.startswith("- ") and len(stripped) <= MOST_FRONT_CHARACTERS:
            item = stripped[2:].strip().strip("\"'")
            fields[key] = f"{fields[key]}, {item}" if key in fields else item
        elif stripped and not line.startswith((" ", "\t")):
            key = ""
    return fields


def _outline(text: str) -> Outline:
    outline = Outline()
    fence = before = ""
    start = before_start = 0
    for line in text.split("\n"):
        if fence:
            if line.strip().startswith(fence) and not line.strip().strip(fence[0]):
                fence = ""
        elif opening := FENCE.match(line):
            fence, before = opening[1], ""
        elif heading := HEADING.match(line):
            outline.add(len(heading[1]), _plain(_without_closing(line[heading.end() :])), start)
            before = ""
        elif before.strip() and not before.startswith(("    ", "\t", "-", "*", ">", "|")) and UNDERLINE.match(line):
            outline.add(1 if "=" in line else 2, _plain(before), before_start)
            before = ""
        else:
            before, before_start = line, start
        start += len(line) + 1
    return outline


def _without_closing(heading: str) -> str:
    heading = heading.strip(" \t")
    opened = heading.rstrip("#")
    return opened.rstrip(" \t") if not opened or opened.endswith((" ", "\t")) else heading


def _plain(heading: str) -> str:
    return MARKS.sub(lambda mark: mark[1] or "", heading)
