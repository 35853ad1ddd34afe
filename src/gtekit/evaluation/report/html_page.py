"""The report as one HTML file that loads nothing and needs no script."""

import re
from collections.abc import Iterator, Sequence
from html import escape

from gtekit.evaluation.report.content import Report
from gtekit.evaluation.report.plots import PLOTS, Plot
from gtekit.evaluation.report.sections import TITLE, sections
from gtekit.evaluation.report.style import STYLE
from gtekit.evaluation.report.tables import Cell, Column, Section, Table

_PARTS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?=[@+])|(?<=:)")


def html_page(report: Report) -> str:
    """Give the whole page."""
    parts = sections(report)
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{_text(TITLE)}</title><style>{STYLE}</style></head>",
            f"<body><main><h1>{_text(TITLE)}</h1>",
            f'<p class="soft">Measured: {_text(", ".join(report.labels))}</p>',
            '<nav aria-label="Parts of the report"><ul>',
            *(f'<li><a href="#{part.name}">{_text(part.heading)}</a></li>' for part in parts),
            "</ul></nav>",
            *(line for part in parts for line in _section(report, part)),
            "</main></body></html>\n",
        ]
    )


def _section(report: Report, part: Section) -> Iterator[str]:
    yield f'<section id="{part.name}" aria-labelledby="{part.name}-heading">'
    yield f'<h2 id="{part.name}-heading">{_text(part.heading)}</h2>'
    if len(part.paragraphs) > 1:
        yield '<ul class="facts">' + "".join(f"<li>{_text(text)}</li>" for text in part.paragraphs) + "</ul>"
    elif part.paragraphs:
        yield f"<p>{_text(part.paragraphs[0])}</p>"
    for table in part.tables[: part.plots_after]:
        yield from _table(table)
    for name in part.plots:
        for plot in PLOTS[name](report):
            yield from _figure(plot)
    for table in part.tables[part.plots_after :]:
        yield from _table(table)
    yield "</section>"


def _figure(plot: Plot) -> Iterator[str]:
    yield f"<figure><figcaption><h3>{_text(plot.title)}</h3><p>{_text(plot.about)}</p></figcaption>"
    if plot.wide:
        yield f'<div class="wide">{plot.wide}</div><div class="narrow">{plot.narrow}</div>'
    yield "</figure>"


def _table(table: Table) -> Iterator[str]:
    # a box that scrolls has to be reached by keys as well: tabindex, and a name for who can't see it
    label = escape(table.caption, quote=True)
    yield f'<div class="table"><p class="caption" aria-hidden="true">{_text(table.caption)}</p>'
    yield f'<div class="scroll" role="region" aria-label="{label}" tabindex="0"><table>'
    yield f"<caption>{_text(table.caption)}</caption><thead><tr>"
    yield "".join(_heading(column) for column in table.columns) + "</tr></thead>"
    for group in table.groups:
        yield "<tbody>"
        if group.title:
            yield (
                f'<tr class="group"><th scope="rowgroup" colspan="{len(table.columns)}">'
                f"<span>{_text(group.title)}</span></th></tr>"
            )
        for row in group.rows:
            yield _row(row, table.columns)
        yield "</tbody>"
    yield "</table></div>"
    if table.notes:
        yield '<ul class="notes">' + "".join(f"<li>{_text(note)}</li>" for note in table.notes) + "</ul>"
    yield "</div>"


def _heading(column: Column) -> str:
    note = f"<small>{_text(column.note)}</small>" if column.note else ""
    return f'<th scope="col"{_kind(column)}>{_name(column.title)}{note}</th>'


def _row(row: Sequence[Cell], columns: Sequence[Column]) -> str:
    notes = [f"<small>{_text(cell.note)}</small>" if cell.note else "" for cell in row]
    others = "".join(
        f"<td{_kind(column)}>{_text(cell.text)}{note}</td>"
        for cell, note, column in zip(row[1:], notes[1:], columns[1:], strict=True)
    )
    return f'<tr><th scope="row">{_name(row[0].text)}{notes[0]}</th>{others}</tr>'


def _kind(column: Column) -> str:
    return ' class="number"' if column.is_number else ' class="long"' if column.is_long else ""


def _name(text: str) -> str:
    """Let a long name of a task or model go on in the next line where a part of it begins."""
    return "<wbr>".join(_text(part) for part in _PARTS.split(text))


def _text(text: str) -> str:
    return escape(text, quote=False)
