"""Files that stay: on the disk before anybody is told of them, and with a checksum to find damage by."""

import json
import os
import sys
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from gtekit.errors import VectorIndexError
from gtekit.files import replace_when_complete

READ_BYTES = 1 << 20
WHAT_TO_DO = "Bring back a copy, or build the index anew."


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON object with its checksum, in place of what is there: the old or the new, never half of one."""
    body = _canonical(content)
    with replace_when_complete(path) as temporary:
        temporary.write_text(
            f'{{"checksum": "{zlib.crc32(body.encode()):08x}", "content": {body}}}\n', encoding="utf-8"
        )
    sync_folder(path.parent)


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object back.

    Raises:
        FileNotFoundError: If there is no such file.
        VectorIndexError: If it is damaged.
    """
    try:
        whole = json.loads(path.read_text(encoding="utf-8"))
        content = whole["content"]
        is_right = isinstance(content, dict) and whole["checksum"] == f"{zlib.crc32(_canonical(content).encode()):08x}"
    except (ValueError, KeyError, TypeError, RecursionError):
        is_right = False
    if not is_right:
        raise VectorIndexError(f"{path}: is damaged: it is no JSON, or its checksum is another. {WHAT_TO_DO}")
    return dict(content)


def write_file(path: Path, write: Callable[[IO[bytes]], None]) -> tuple[int, int]:
    """Write a file that nobody knows of yet, and bring it to the disk; gives its bytes and checksum."""
    with path.open("wb") as file:
        write(file)
        file.flush()
        os.fsync(file.fileno())
    return path.stat().st_size, checksum(path)


def checksum(path: Path) -> int:
    """Give the CRC-32 of a file."""
    crc = 0
    with path.open("rb") as file:
        while block := file.read(READ_BYTES):
            crc = zlib.crc32(block, crc)
    return crc


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk."""
    if sys.platform == "win32":  # which has no such call
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _canonical(content: Mapping[str, Any]) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
