"""The files of a report, each whole or not there."""

from pathlib import Path

from gtekit.evaluation.report.content import Report
from gtekit.evaluation.report.html_page import html_page
from gtekit.evaluation.report.markdown import markdown
from gtekit.evaluation.report.rows import csv_text, json_text
from gtekit.files import replace_when_complete


def write_report(report: Report, folder: Path) -> list[Path]:
    """Write report.md, report.csv, report.json and report.html into a folder, which is made where it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for write, name in (
        (write_markdown, "report.md"),
        (write_csv, "report.csv"),
        (write_json, "report.json"),
        (write_html, "report.html"),
    ):
        path = folder / name
        write(report, path)
        written.append(path)
    return written


def write_markdown(report: Report, path: Path) -> None:
    """Write the sentences and tables."""
    _write(path, markdown(report))


def write_csv(report: Report, path: Path) -> None:
    """Write one row for each model and task, with every field."""
    _write(path, csv_text(report))


def write_json(report: Report, path: Path) -> None:
    """Write everything."""
    _write(path, json_text(report))


def write_html(report: Report, path: Path) -> None:
    """Write one page with tables and plots, which loads nothing."""
    _write(path, html_page(report))


def _write(path: Path, text: str) -> None:
    with replace_when_complete(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")
