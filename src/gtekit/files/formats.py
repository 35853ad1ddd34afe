"""Which format a file has: said by the caller, or by the end of its name."""

from pathlib import Path
from typing import Literal, cast, get_args

from gtekit.errors import FileFormatError

InputFormat = Literal["txt", "jsonl", "csv", "tsv", "parquet"]
OutputFormat = Literal["npy", "jsonl", "parquet"]

INPUT_FORMATS: tuple[InputFormat, ...] = get_args(InputFormat)
OUTPUT_FORMATS: tuple[OutputFormat, ...] = get_args(OutputFormat)

SUFFIXES = {".text": "txt", ".ndjson": "jsonl", ".pq": "parquet"}  # beside the names of the formats themselves


def input_format(path: Path | None, given: str | None = None) -> InputFormat:
    """Name the format of an input; standard input (None) is txt unless the caller says otherwise."""
    if path is not None and path.is_dir():
        raise FileFormatError(f"{path}: is a folder. Name one file of texts.")
    return cast(InputFormat, _pick(path, given, INPUT_FORMATS, default="txt", option="--format"))


def output_format(path: Path | None, given: str | None = None) -> OutputFormat:
    """Name the format of an output; standard output (None) is jsonl unless the caller says otherwise."""
    return cast(OutputFormat, _pick(path, given, OUTPUT_FORMATS, default="jsonl", option="--output-format"))


def _pick(path: Path | None, given: str | None, choices: tuple[str, ...], *, default: str, option: str) -> str:
    if given is not None:
        if given not in choices:
            raise FileFormatError(f"unknown format {given!r}; {option} takes {', '.join(choices)}.")
        return given
    if path is None:
        return default
    suffix = path.suffix.lower()
    found = SUFFIXES.get(suffix, suffix.removeprefix("."))
    if found not in choices:
        raise FileFormatError(
            f"{path}: the end of the name does not say the format. Name the file .{', .'.join(choices)}, "
            f"or say it with {option}."
        )
    return found
