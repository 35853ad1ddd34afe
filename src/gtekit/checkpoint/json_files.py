"""Read the small JSON files of a checkpoint, with an error that names the file for everything that can be wrong."""

import json
import os
import stat
from collections import Counter
from pathlib import Path
from typing import Any

from gtekit.errors import CheckpointError

MAX_BYTES = 64 << 20  # the largest tokenizer.json of a WordPiece model is under 1 MB


def read_json_object(path: Path) -> dict[str, Any]:
    """Parse a JSON file whose outermost value is an object.

    Raises:
        CheckpointError: If the file can't be read, is no regular file, is too large, or holds something else.
    """
    value = read_json(path)
    if not isinstance(value, dict):
        raise CheckpointError(f"{path}: expected a JSON object, found {kind_of(value)}.")
    return value


def read_json(path: Path) -> Any:  # noqa: ANN401  any JSON value: callers check what they need
    """Parse a JSON file.

    Raises:
        CheckpointError: If the file can't be read, is no regular file, is too large, or is not JSON.
    """
    content = read_bytes(path, MAX_BYTES)
    try:
        return json.loads(content, object_pairs_hook=without_duplicates)
    except RecursionError:
        raise CheckpointError(f"{path}: expected a file of this kind to nest a few levels, found thousands.") from None
    except ValueError as error:  # not JSON, not UTF-8, duplicate keys, numbers of thousands of digits
        raise CheckpointError(f"{path}: expected JSON, found something that does not parse: {error}") from None


def read_bytes(path: Path, max_bytes: int) -> bytes:
    """Read a whole regular file of at most `max_bytes`.

    Raises:
        CheckpointError: If it is missing, a folder, a pipe, unreadable, or larger.
    """
    size = regular_file_status(path).st_size
    if size > max_bytes:
        raise CheckpointError(f"{path}: expected at most {max_bytes:,} bytes in a file of this kind, found {size:,}.")
    try:
        return path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path}: can't be read: {error.strerror or error}.") from None


def regular_file_status(path: Path) -> os.stat_result:
    """Size and time of a file; a pipe or a folder is refused before anything tries to open it.

    Raises:
        CheckpointError: If there is no regular file at `path`.
    """
    try:
        status = path.stat()
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path}: expected a file, found none that can be opened: {error}") from None
    if not stat.S_ISREG(status.st_mode):
        found = "a folder" if stat.S_ISDIR(status.st_mode) else "something that is not a regular file"
        raise CheckpointError(f"{path}: expected a file, found {found}.")
    return status


def kind_of(value: object) -> str:
    """The JSON word for a parsed value, with the value itself where it is short."""
    kinds = {dict: "an object", list: "a list", str: "the text", bool: "the truth value", type(None): "null"}
    kind = kinds.get(type(value), "the number")
    return kind if isinstance(value, dict | list | None) else f"{kind} {shorten(value)}"


def shorten(value: object) -> str:
    """A value of a hostile file, in a length that suits a message."""
    text = repr(value[:80] if isinstance(value, str | list) else value)
    return text if len(text) <= 80 else text[:77] + "..."


def without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object_pairs_hook for json.loads that refuses a key which is there twice."""
    result = dict(pairs)
    if len(result) != len(pairs):
        names = Counter(name for name, _ in pairs)
        raise ValueError(f"the key {names.most_common(1)[0][0][:80]!r} is there twice")
    return result
