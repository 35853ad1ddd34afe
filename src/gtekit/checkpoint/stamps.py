"""Whether a file is still the one that was read."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from gtekit.checkpoint.json_files import regular_file_status
from gtekit.errors import CheckpointError


@dataclass(frozen=True, slots=True, kw_only=True)
class FileStamp:
    """A file at one moment, told apart by where it is, its size and its time of change."""

    path: str  # absolute, links followed
    size: int
    mtime_ns: int


def stamp_files(paths: Iterable[Path]) -> tuple[FileStamp, ...]:
    """Path, size and time of each file.

    Raises:
        CheckpointError: If one of them is no regular file that can be looked at.
    """
    stamps = []
    for path in paths:
        status = regular_file_status(path)
        stamps.append(FileStamp(path=os.path.realpath(path), size=status.st_size, mtime_ns=status.st_mtime_ns))
    return tuple(stamps)


def check_unchanged(stamps: tuple[FileStamp, ...]) -> None:
    """Make sure that the files are those that were stamped.

    Raises:
        CheckpointError: If one of them has changed or gone.
    """
    for stamp in stamps:
        now = stamp_files([Path(stamp.path)])[0]
        if now != stamp:
            raise CheckpointError(
                f"{stamp.path}: expected {stamp.size:,} bytes of time {stamp.mtime_ns} as when the model was loaded, "
                f"found {now.size:,} of {now.mtime_ns}. The fingerprint would name another model: load it again."
            )
