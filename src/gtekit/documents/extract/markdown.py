"""Markdown, kept as it is written: its marks are few and people read them. Headings become sections."""

import re

from gtekit.documents.decode import decode
from gtekit.documents.extract.outline import Outline
from gtekit.documents.extract.text import Extracted

FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?\n)?(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
FRONT_TITLE = re.compile(r"^title:[ \t]*(.+?)[ \t]*$", re.MULTILINE)
FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$")
UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*$")
MARKS = re.compile(r"!?\[([^\]]*)\]\([^)]*\)|[*_`]{1,3}(?=\S)|(?<=\S)[*_`]{1,3}")


def extract_markdown(data: bytes) -> Extracted:
    """Give the text without its front matter, which may name the title.

    Raises:
        FileFormatError: If it is binary.
    """
    text, guessed = decode(data)
    title = ""
    if front := FRONT_MATTER.match(text):
        named = FRONT_TITLE.search(front[1] or "")
        title = named[1].strip("\"'") if named else ""
        text = text[front.end() :]
    outline = _outline(text)
    return Extracted(text, title or outline.title, outline.parts(), guessed)


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
            outline.add(len(heading[1]), _plain(heading[2] or ""), start)
            before = ""
        elif before.strip() and not before.startswith(("    ", "\t", "-", "*", ">", "|")) and UNDERLINE.match(line):
            outline.add(1 if "=" in line else 2, _plain(before), before_start)
            before = ""
        else:
            before, before_start = line, start
        start += len(line) + 1
    return outline


def _plain(heading: str) -> str:
    return MARKS.sub(lambda mark: mark[1] or "", heading)
