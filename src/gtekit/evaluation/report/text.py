"""The report in a terminal: columns of text that fit 120 characters."""

import re
import textwrap
from collections.abc import Sequence

from gtekit.evaluation.report.content import Comparison, Report
from gtekit.evaluation.report.page_section import page_section, page_table
from gtekit.evaluation.report.page_table import card_checks, published_lines
from gtekit.evaluation.report.precision_section import comparison_sentences, comparison_table
from gtekit.evaluation.report.sections import task_section
from gtekit.evaluation.report.sources import published_sources
from gtekit.evaluation.report.tables import Cell, Column, Table

WIDTH = 120
NAME_WIDTH = 34  # of tasks; one of the 56 has a longer name
MODEL_WIDTH = 24  # of the page's table, which has many columns
LONG_WIDTH = 26  # of sentences in a column
GAP = "  "
_BREAK = re.compile(r"(?<=[:, ])|(?=[@+(])|(?<=[a-z0-9])(?=[A-Z])")  # where a name may go on in the next line


def table_lines(report: Report) -> list[str]:
    """Give the page's table and those of the tasks."""
    page, tasks = page_section(report), task_section(report)
    lines = [*text_table(page.tables[0], name_width=MODEL_WIDTH), ""]
    for sentence in page.paragraphs:
        lines += _wrap(sentence)
    lines += ["", *_wrap(tasks.paragraphs[0])]
    for table in tasks.tables:
        lines += ["", *text_table(table)]
    return lines


def published_table_lines() -> list[str]:
    """Give the published rows of the page's table alone, and where they come from."""
    lines = text_table(page_table(published_lines(), card_checks()), name_width=MODEL_WIDTH)
    return [*lines, "", *(line for name, text in published_sources() for line in _wrap(f"{name}: {text}"))]


def comparison_lines(comparison: Comparison) -> list[str]:
    """Give the comparison of two models: how many tasks each wins, then task by task."""
    said = [line for sentence in comparison_sentences(comparison) for line in _wrap(sentence)]
    return [*said, "", *text_table(comparison_table(comparison))] if comparison.tasks else said


def text_table(table: Table, name_width: int = NAME_WIDTH) -> list[str]:
    """Set a table in columns. What has a note takes a second line; long names go on in the next."""
    shown = [place for place, column in enumerate(table.columns) if not column.is_wide]
    columns = [table.columns[place] for place in shown]
    room = [name_width if place == 0 else LONG_WIDTH if table.columns[place].is_long else 0 for place in shown]
    heading = [_heading(column) for column in columns]
    groups = [
        (
            group.title,
            [[_cell(row[place], width) for place, width in zip(shown, room, strict=True)] for row in group.rows],
        )
        for group in table.groups
    ]
    every = [heading, *(row for _, rows in groups for row in rows)]
    widths = [max(len(line) for row in every for line in row[at]) for at in range(len(columns))]
    lines = [*_wrap(table.caption), *_set(heading, columns, widths), "-" * (sum(widths) + len(GAP) * (len(widths) - 1))]
    for title, rows in groups:
        lines += [f"{title}:"] if title else []
        for row in rows:
            lines += _set(row, columns, widths)
    for note in table.notes:
        lines += _wrap(note)
    return lines


def _heading(column: Column) -> list[str]:
    title = column.short or column.title
    return [title, f"({column.note})"] if column.note else [title]


def _cell(cell: Cell, width: int) -> list[str]:
    lines = _fold(cell.text, width) if width else [cell.text]
    return [*lines, cell.note] if cell.note else lines


def _fold(name: str, width: int) -> list[str]:
    """Break a long name where a part of it begins; one without such a place is cut at the width."""
    lines = [""]
    for part in _BREAK.split(name):
        if lines[-1] and len(lines[-1]) + len(part) > width:
            lines.append("")
        lines[-1] += part
    return [piece for line in lines for piece in (textwrap.wrap(line, width) or [""])]


def _set(row: Sequence[Sequence[str]], columns: Sequence[Column], widths: Sequence[int]) -> list[str]:
    lines = []
    for at in range(max(map(len, row))):
        cells = [cell[at] if at < len(cell) else "" for cell in row]
        cells = [
            cell.rjust(width) if column.is_number else cell.ljust(width)
            for cell, column, width in zip(cells, columns, widths, strict=True)
        ]
        lines.append(GAP.join(cells).rstrip())
    return lines


def _wrap(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, subsequent_indent="  ", break_on_hyphens=False) or [""]
