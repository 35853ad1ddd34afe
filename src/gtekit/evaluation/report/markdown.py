"""The report as Markdown: the same sentences and tables, without the plots."""

import re
from collections.abc import Iterator, Sequence

from gtekit.evaluation.report.content import Report
from gtekit.evaluation.report.sections import TITLE, sections
from gtekit.evaluation.report.tables import Cell, Column, Table

# what Markdown reads as its own; an underscore within a word is none of it
_SPECIAL = re.compile(r"[\\`*\[\]|~$]|(?<!\w)_|_(?!\w)")


def markdown(report: Report) -> str:
    """Give the whole text."""
    lines = [f"# {_text(TITLE)}"]
    for part in sections(report):
        lines += ["", f"## {_text(part.heading)}"]
        if len(part.paragraphs) > 1:
            lines += ["", *(f"- {_text(text)}" for text in part.paragraphs)]
        elif part.paragraphs:
            lines += ["", _text(part.paragraphs[0])]
        for table in part.tables:
            lines += ["", *_table(table)]
    return "\n".join(lines) + "\n"


def _table(table: Table) -> Iterator[str]:
    yield f"**{_text(table.caption)}**"
    yield ""
    yield _line([_heading(column) for column in table.columns])
    yield _line(["---:" if column.is_number else "---" for column in table.columns])
    for group in table.groups:
        if group.title:
            yield _line([f"**{_text(group.title)}**", *("" for _ in table.columns[1:])])
        for row in group.rows:
            yield _line([_cell(cell) for cell in row])
    for note in table.notes:
        yield ""
        yield _text(note)


def _heading(column: Column) -> str:
    return _text(f"{column.title} ({column.note})" if column.note else column.title)


def _cell(cell: Cell) -> str:
    return _text(f"{cell.text} ({cell.note})" if cell.note else cell.text)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _text(text: str) -> str:
    plain = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _SPECIAL.sub(r"\\\g<0>", plain)
