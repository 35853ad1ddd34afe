"""Files that appear complete or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gtekit.errors import FileFormatError


@contextmanager
def replace_beside_others(path: Path) -> Iterator[Path]:
    """Do as `replace_when_complete` does, while other processes may write the same file: the last one stays."""
    with (
        tempfile.TemporaryDirectory(prefix=".gtekit-", dir=path.parent) as own,
        replace_when_complete(path, folder=Path(own)) as temporary,
    ):
        yield temporary


@contextmanager
def replace_when_complete(path: Path, *, folder: Path | None = None) -> Iterator[Path]:
    """Give a temporary path; move what is there to `path` when the block ends well, delete it when it does not.

    The temporary file lies in `folder`, which is on the same disk, or beside `path`. One process at a time.

    The bytes are on the disk before the name is: after a loss of power there is the old file or the new one.
    """
    temporary = (folder or path.parent) / f".{path.name}.tmp"
    try:
        yield temporary
        _sync(temporary)
        temporary.replace(path)  # atomic on every system, also over an existing file
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


def check_writable(path: Path) -> None:
    """Make sure that a file can be made at `path`, by making one in its folder that goes away.

    Raises:
        FileFormatError: If it can't, or there is a folder of that name.
    """
    if path.is_dir():
        raise FileFormatError(f"{path}: is a folder, and is to be a file. Name another file, or one in it.")
    try:
        with tempfile.TemporaryDirectory(prefix=".gtekit-", dir=path.parent):
            pass
    except OSError as error:
        raise FileFormatError(
            f"{path}: no file can be made in {path.parent} ({error.strerror}). Choose another folder, or change its "
            f"permissions."
        ) from None


def _sync(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())
