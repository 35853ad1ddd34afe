"""Bringing what LanceDB has written to the disk: LanceDB 0.40 itself leaves that to the operating system."""

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


class DiskSync:
    """Knows which files of a table are on the disk, and syncs those that have come since."""

    def __init__(self, folder: Path | None, *, is_new: bool = False) -> None:
        """Look what is there.

        Args:
            folder: Of the table; None: not on a disk, nothing to do.
            is_new: Whether nothing of it has been synced yet.
        """
        self._folder = folder
        self._known = set() if is_new else set(self._files())
        self._known_folders = {path.parent for path in self._known}

    def sync(self) -> list[Path]:
        """Sync what has come since, files before the folders that name them; gives the files."""
        new = [path for path in self._files() if path not in self._known]
        for path in new:
            _sync(path)
        if sys.platform != "win32":  # where a folder can't be opened
            for folder in self._changed_folders(new):
                _sync(folder)
        self._known.update(new)
        self._known_folders.update(path.parent for path in new)
        return new

    def _changed_folders(self, new: list[Path]) -> list[Path]:
        """Folders with new names in them, the deepest first."""
        folders = {path.parent for path in new}
        made = folders - self._known_folders
        if self._folder is not None and made:
            folders |= {parent for folder in made for parent in folder.parents if parent.is_relative_to(self._folder)}
            folders.add(self._folder.parent)
        return sorted(folders, key=lambda folder: len(folder.parts), reverse=True)

    def _files(self) -> Iterator[Path]:
        if self._folder is None:
            return
        for folder, _, names in os.walk(self._folder):
            for name in names:
                yield Path(folder, name)


def _sync(path: Path) -> None:
    with suppress(FileNotFoundError):  # another process has just dropped it
        descriptor = os.open(path, os.O_RDWR if sys.platform == "win32" else os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
