"""Names of tags, versions and notes, and what a note can hold."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from gtekit.errors import ArgumentError

TAG = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")  # what LanceDB takes, too
NOTE = re.compile(r"[a-z][a-z0-9_-]*")
LONGEST = 64


def check_tag(name: object) -> str:
    """Give back a name that a version can have.

    Raises:
        ArgumentError: If it can't, or is a number.
    """
    if not isinstance(name, str) or not TAG.fullmatch(name) or len(name) > LONGEST or name.endswith(".lock"):
        raise ArgumentError(
            f"{name!r} is no name for a version; use letters of ASCII, digits, _, - and single dots between them, "
            f"{LONGEST} at most."
        )
    if name.isdigit():
        raise ArgumentError(f"{name!r} is a number, as versions themselves have; begin a tag with a letter.")
    return name


def no_tag(location: str, name: str, tags: Iterable[str]) -> str:
    """Say that there is no tag of a name, and which there are."""
    return f"{location}: there is no tag {name!r}. Tags: {', '.join(sorted(tags)) or 'none'}."


def check_version(version: object) -> int | str:
    """Give back what names a version: a number from 1, or a tag.

    Raises:
        ArgumentError: If it can be neither.
    """
    if isinstance(version, int) and not isinstance(version, bool) and version >= 1:
        return version
    if isinstance(version, str):
        return check_tag(version)
    raise ArgumentError(f"{version!r} is no version; pass its number (int, 1 or more) or a tag (str).")


def check_note_name(name: object) -> str:
    """Give back a name that a note can have.

    Raises:
        ArgumentError: If it can't.
    """
    if not isinstance(name, str) or not NOTE.fullmatch(name) or len(name) > LONGEST:
        raise ArgumentError(
            f"{name!r} is no name for a note; use small letters of ASCII, digits, _ and -, a letter first, "
            f"{LONGEST} at most."
        )
    return name


def check_note(note: Mapping[str, Any]) -> dict[str, Any]:
    """Give a note as it will be read back: plain JSON.

    Raises:
        ArgumentError: If it is no JSON.
    """
    try:
        plain: dict[str, Any] = json.loads(json.dumps(dict(note), allow_nan=False))
        json.dumps(plain, ensure_ascii=False).encode("utf-8")
    except (TypeError, ValueError, RecursionError) as error:
        raise ArgumentError(f"this note can't be written as JSON ({error}); it is a dict of plain values.") from None
    return plain
