"""Finished vectors of a long job, kept beside its output until the job is done.

A block is saved under a name made from its own content: a hash over the texts and over everything that decides
their vectors. Whoever runs the job again asks for the same names and finds what is done; texts or options that
changed have other names and are computed anew. There is no journal that could disagree with the files.
"""

import hashlib
import io
import os
import sys
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from gtekit.arrays import Array, Floats, Ints
from gtekit.errors import FileFormatError
from gtekit.files.atomic import replace_when_complete

LOCK_NAME = "lock"


@dataclass(frozen=True, slots=True)
class Vectors:
    """Vectors of one block in the number format of the output: (N, D), and (N,) scales where that has them."""

    values: Array
    scales: Floats | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """A finished block."""

    vectors: Vectors
    lengths: Ints  # (N,), tokens of each text before it was cut: whoever finds the block can tell what is missing


class BlockStore:
    """A folder of finished blocks."""

    def __init__(self, folder: Path, settings: Callable[[], str]) -> None:
        """Look whether there is something.

        Args:
            folder: Of the blocks, held by this process.
            settings: Gives everything beside the texts that decides the vectors: model, options, number format. It
                may take its time, and is asked once, when a block is looked for where there are some, or saved.
        """
        self._folder = folder
        self._ask_settings = settings
        self._settings: bytes | None = None
        self._had_blocks = any(folder.glob("*.npz"))

    def key(self, number: int, texts: Sequence[str]) -> str:
        """Name a block after its place in the input and a hash of the settings and its texts."""
        if self._settings is None:
            self._settings = self._ask_settings().encode()
        digest = hashlib.sha256(self._settings)
        for text in texts:
            data = text.encode("utf-8")
            digest.update(b"%d:" % len(data))
            digest.update(data)
        return f"{number:08}-{digest.hexdigest()[:32]}"

    def load(self, number: int, texts: Sequence[str]) -> Block | None:
        """Give a block back that an earlier run finished, or None where it is missing or damaged."""
        if not self._had_blocks:
            return None
        try:
            # the zip holds a checksum of each array; numpy itself leaves a damaged file open
            with self._path(number, texts).open("rb") as opened, np.load(opened, allow_pickle=False) as file:
                return Block(Vectors(file["values"], file.get("scales")), file["lengths"])
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None

    def save(self, number: int, texts: Sequence[str], block: Block) -> None:
        """Keep a finished block: complete, or not at all."""
        buffer = io.BytesIO()
        arrays: dict[str, Any] = {"values": block.vectors.values, "lengths": block.lengths}
        if block.vectors.scales is not None:
            arrays["scales"] = block.vectors.scales
        np.savez(buffer, **arrays)
        with replace_when_complete(self._path(number, texts)) as path:
            path.write_bytes(buffer.getbuffer())

    def _path(self, number: int, texts: Sequence[str]) -> Path:
        return self._folder / f"{self.key(number, texts)}.npz"


@contextmanager
def lock_folder(folder: Path) -> Iterator[None]:
    """Hold a folder for this process alone; make it if it is not there, remove it if nothing is left in it.

    The operating system lets go when the process dies, however it dies.

    Raises:
        FileFormatError: If another process holds it. Nothing in it is touched then.
    """
    lock = folder / LOCK_NAME
    file = _open_locked(folder, lock)
    try:
        yield
    finally:
        is_empty = [path.name for path in folder.iterdir()] == [LOCK_NAME]
        if is_empty and REMOVES_OPEN_FILES:  # before others can have the lock, so that it is not theirs
            _remove(folder, lock)
        file.close()
        if is_empty and not REMOVES_OPEN_FILES:  # the lock file of somebody who was quicker is open and stays
            _remove(folder, lock)


def clear_folder(folder: Path) -> None:
    """Remove everything from a folder that this process holds, except the lock."""
    for path in folder.iterdir():
        if path.name != LOCK_NAME:
            path.unlink()


def _open_locked(folder: Path, lock: Path) -> IO[bytes]:
    while True:
        folder.mkdir(exist_ok=True)
        with suppress(FileNotFoundError):  # whoever held the folder was done and removed it just now
            file = lock.open("wb")
            try:
                _lock(file)
            except OSError:
                file.close()
                raise FileFormatError(
                    f"{folder}: another gtekit is writing this output right now. Wait for it, or choose another output."
                ) from None
            if _is_at(file, lock):
                return file
            file.close()


def _is_at(file: IO[bytes], path: Path) -> bool:
    """Whether an open file is still the one of that name."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _remove(folder: Path, lock: Path) -> None:
    with suppress(OSError):
        lock.unlink()
        folder.rmdir()


if sys.platform == "win32":
    import msvcrt

    REMOVES_OPEN_FILES = False

    def _lock(file: IO[bytes]) -> None:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    REMOVES_OPEN_FILES = True

    def _lock(file: IO[bytes]) -> None:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
