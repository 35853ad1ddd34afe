"""Tables and JSON on standard output."""

import sys
from collections.abc import Sequence


def print_json(value: object) -> None:
    """Print a value as JSON that a person can read as well."""
    from gtekit.files import json_text

    print(json_text(value, default=str, indent=2))


def print_table(rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> None:
    """Print rows in columns.

    Args:
        rows: The first is the heading; all are equally long.
        right: Columns that are aligned to the right, for numbers.
    """
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())


def size_text(size_bytes: int) -> str:
    """Give a number of bytes as people say it: 67 MB."""
    if size_bytes < 1e6:
        return f"{size_bytes / 1e3:,.0f} kB"
    return f"{size_bytes / 1e6:,.0f} MB" if size_bytes < 1e9 else f"{size_bytes / 1e9:,.1f} GB"


def count_text(count: int, thing: str) -> str:
    """Give a number of things as people say it: 1 text, 2 texts."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def one_line(text: str) -> str:
    """Give a text without line ends and without more than one space at a time: for lists with a line a text."""
    return " ".join(text.split())


def say(message: str) -> None:
    """Tell what is going on, beside the data."""
    print(f"gtekit: {message}", file=sys.stderr, flush=True)
