"""What --labels says: names with commas between, or a file of labels and descriptions."""

import json
from pathlib import Path
from typing import Any

from gtekit.errors import FileFormatError
from gtekit.files import input_format, open_rows
from gtekit.tasks.classification.labels import Label

TABLE_SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")


def read_labels(text: str) -> "dict[Label, Any] | list[str]":
    """Give labels with their descriptions, or labels alone; what they hold is checked by `describe_labels`.

    Raises:
        FileFormatError: If a file is not there, or is not of its format.
    """
    path = Path(text)
    if path.suffix.lower() == ".json":
        return _read_json(path)
    if path.suffix.lower() in TABLE_SUFFIXES:
        return _read_table(path)
    return [name.strip() for name in text.split(",") if name.strip()]


def _read_json(path: Path) -> "dict[Label, Any] | list[str]":
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FileFormatError(f"{path}: can't be read ({error.strerror}). Is the path right?") from None
    except (ValueError, RecursionError) as error:
        raise FileFormatError(f"{path}: is not JSON ({error}).") from None
    if not isinstance(values, dict | list):
        raise FileFormatError(
            f'{path}: has to be an object of labels and descriptions, {{"billing": "payments"}}, or a list of labels.'
        )
    return values


def _read_table(path: Path) -> dict[Label, Any]:
    """Read the columns label and description; a label on several rows has several descriptions."""
    described: dict[Label, Any] = {}
    with open_rows(path, input_format(path), field="label", keep="all") as rows:
        for row in rows.rows:
            description = row.kept.get("description")
            if "description" not in row.kept:
                description = row.text.replace("_", " ")
            elif not isinstance(description, str) or not description.strip():
                raise FileFormatError(
                    f"{path}, line {row.number}: label {row.text!r} has no description. Say in a few words what it "
                    f"means, or leave out the column."
                )
            described.setdefault(row.text, []).append(description)
    return described
