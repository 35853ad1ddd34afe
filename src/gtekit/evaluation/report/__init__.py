"""Measured scores beside published ones: as text, Markdown, CSV, JSON and one HTML page. Needs nothing but numpy.

Only whether a difference is real needs the extra "metrics"; without it the report says so in that place.
"""

from gtekit.evaluation.report.build import build_report
from gtekit.evaluation.report.comparison import compare_models, compare_pair
from gtekit.evaluation.report.content import Comparison, PageLine, Report, TaskDifference, TaskLine
from gtekit.evaluation.report.files import write_csv, write_html, write_json, write_markdown, write_report
from gtekit.evaluation.report.labels import choose_models, label_models
from gtekit.evaluation.report.rows import json_value, published_value
from gtekit.evaluation.report.text import comparison_lines, published_table_lines, table_lines

__all__ = [
    "Comparison",
    "PageLine",
    "Report",
    "TaskDifference",
    "TaskLine",
    "build_report",
    "choose_models",
    "compare_models",
    "compare_pair",
    "comparison_lines",
    "json_value",
    "label_models",
    "published_table_lines",
    "published_value",
    "table_lines",
    "write_csv",
    "write_html",
    "write_json",
    "write_markdown",
    "write_report",
]
