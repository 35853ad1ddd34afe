"""Passages on a terminal: score and place, the part around the best sentence, that sentence in bold."""

import re
import shutil
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gtekit.index.passages import PassageHit

BOLD, DIM, PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[0m"
CONTROLS = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069]"
)  # a file must not steer a terminal
OPEN, CLOSE = "\ue000", "\ue001"  # stand for the escape sequences while lines are filled: of one column each
EXCERPT_CHARACTERS = 400
MOST_COLUMNS = 120
INDENT = "    "


def print_hits(hits: "Sequence[PassageHit]", *, is_full: bool) -> None:
    """Print passages, best first. Bold on a terminal alone."""
    is_terminal = sys.stdout.isatty()
    columns = min(shutil.get_terminal_size().columns, MOST_COLUMNS) if is_terminal else MOST_COLUMNS
    for rank, hit in enumerate(hits, start=1):
        print(_heading(rank, hit, is_terminal=is_terminal))
        for line in passage_lines(hit, columns, is_full=is_full):
            marked = (BOLD, PLAIN) if is_terminal else ("", "")
            print(line.replace(OPEN, marked[0]).replace(CLOSE, marked[1]))
        print()
    if not hits:
        print("nothing found")


def passage_lines(hit: "PassageHit", columns: int, *, is_full: bool) -> list[str]:
    """Give the lines to show of a passage, the best sentence between OPEN and CLOSE."""
    text = hit.text.replace(OPEN, " ").replace(CLOSE, " ")
    begin, end = (hit.best.start, hit.best.end) if hit.best else (0, 0)
    first, last = (0, len(text)) if is_full else _excerpt(text, begin, end)
    end = min(end, last)
    marked = text[first:last]
    if hit.best:
        marked = f"{text[first:begin]}{OPEN}{text[begin:end]}{CLOSE}{text[end:last]}"
    marked = ("… " if first else "") + marked + (" …" if last < len(text) else "")
    words = " ".join(CONTROLS.sub("", marked).split())
    return textwrap.wrap(
        words, max(columns, 40), initial_indent=INDENT, subsequent_indent=INDENT, break_on_hyphens=False
    )


def hit_json(hit: "PassageHit") -> dict[str, Any]:
    """Give a passage as JSON: places are characters of the document's text."""
    found = asdict(hit)
    if hit.best:
        found["best"] = {
            "text": hit.best.text,
            "start": hit.start + hit.best.start,
            "end": hit.start + hit.best.end,
            "score": round(hit.best.score, 6),
        }
    for name in ("score", "vector_score", "text_score"):
        if found[name] is not None:
            found[name] = round(found[name], 6)
    return found


def _heading(rank: int, hit: "PassageHit", *, is_terminal: bool) -> str:
    place = [f"page {hit.page}"] if hit.page else []
    place += [hit.section] if hit.section else []
    place.append(f"characters {hit.start}-{hit.end}")
    title = f" ({hit.title})" if hit.title and hit.title != hit.document else ""
    line = CONTROLS.sub("", f"{hit.document}{title}, {', '.join(place)}".replace("\n", " "))
    return f"{rank:>2}. {hit.score:.4f}  {DIM if is_terminal else ''}{line}{PLAIN if is_terminal else ''}"


def _excerpt(text: str, begin: int, end: int) -> tuple[int, int]:
    """Give the part around a sentence, cut at spaces: all of a short text."""
    if len(text) <= EXCERPT_CHARACTERS * 5 // 4:
        return 0, len(text)
    around = max(EXCERPT_CHARACTERS - (end - begin), 0)
    first = max(begin - around // 2, 0)
    last = min(max(end, first + EXCERPT_CHARACTERS), len(text))
    last = min(last, begin + 2 * EXCERPT_CHARACTERS)
    if first:
        first = text.find(" ", first, begin) + 1 or begin
    if last < len(text):
        last = max(text.rfind(" ", end, last), min(end, last))
    return first, last
