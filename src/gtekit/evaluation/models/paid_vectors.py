"""Vectors that have been paid for, in one SQLite file: what a server has answered once is never asked for again.

A row is the vector of one text of one model: its key is the model's fingerprint and the SHA-256 of the text as it was
sent, so the file holds no text. Each request is one transaction, on the disk before the next text counts as done.
"""

import sqlite3
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import numpy as np

from gtekit.arrays import Floats
from gtekit.errors import FileFormatError

APPLICATION_ID = 0x67746B76  # "gtkv": whose file it is
FORMAT = 1  # another number is not read
KEYS_AT_ONCE = 500  # SQLite takes at least 999 parameters
WAIT_S = 60.0  # for another process that writes
LOOK_AGAIN_S = 0.02
TABLE = """
CREATE TABLE vectors (
    fingerprint TEXT NOT NULL,
    text_sha256 BLOB NOT NULL,
    dimension INTEGER NOT NULL,
    crc32 INTEGER NOT NULL,
    vector BLOB NOT NULL, -- float32, little-endian
    PRIMARY KEY (fingerprint, text_sha256)
)"""


class PaidVectors:
    """An open file of vectors."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._connection = connection

    def find(self, fingerprint: str, texts: Sequence[str]) -> Iterator[tuple[list[int], Floats]]:
        """Give the vectors that are there, block by block: the places of the texts, and vectors of shape (N, D).

        Raises:
            FileFormatError: If the file is damaged.
        """
        select = "SELECT text_sha256, dimension, crc32, vector"
        for start in range(0, len(texts), KEYS_AT_ONCE):
            places = {_key(text): start + place for place, text in enumerate(texts[start : start + KEYS_AT_ONCE])}
            found = {places[row[0]]: self._vector(*row[1:]) for row in self._rows(select, fingerprint, list(places))}
            if len({len(vector) for vector in found.values()}) > 1:
                raise _damaged(self._path, f"vectors of different dimensions for {fingerprint}")
            if found:
                yield list(found), np.stack(list(found.values()))

    def missing(self, fingerprint: str, texts: Sequence[str]) -> list[int]:
        """Give the places of the texts whose vectors are not there.

        Raises:
            FileFormatError: If the file is damaged.
        """
        missing = []
        for start in range(0, len(texts), KEYS_AT_ONCE):
            keys = [_key(text) for text in texts[start : start + KEYS_AT_ONCE]]
            found = {row[0] for row in self._rows("SELECT text_sha256", fingerprint, keys)}
            missing += [start + place for place, key in enumerate(keys) if key not in found]
        return missing

    def write(self, fingerprint: str, texts: Sequence[str], vectors: Floats) -> None:
        """Keep the vectors of some texts, shape (N, D); when this returns they are on the disk.

        Raises:
            FileFormatError: If the file can't be written.
        """
        rows = []
        for text, vector in zip(texts, np.ascontiguousarray(vectors, "<f4"), strict=True):
            value = vector.tobytes()
            rows.append((fingerprint, _key(text), len(vector), zlib.crc32(value), value))
        with _in_words(self._path), self._connection:
            self._connection.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?, ?, ?)", rows)

    def _rows(self, select: str, fingerprint: str, keys: list[bytes]) -> list[tuple[bytes, int, int, bytes]]:
        marks = ",".join("?" * len(keys))
        with _in_words(self._path):
            return self._connection.execute(
                f"{select} FROM vectors WHERE fingerprint = ? AND text_sha256 IN ({marks})", [fingerprint, *keys]
            ).fetchall()

    def _vector(self, dimension: int, crc32: int, value: bytes) -> Floats:
        if len(value) != 4 * dimension or zlib.crc32(value) != crc32:
            raise _damaged(self._path, "a vector is not as it was written")
        return np.frombuffer(value, "<f4")


@contextmanager
def open_paid_vectors(path: Path) -> Iterator[PaidVectors]:
    """Open a file of vectors for a `with` block, made where there is none. Several processes may have it open.

    Raises:
        FileFormatError: If it can't be opened or made, is damaged, or is a file of something else.
    """
    with _in_words(path):
        connection = sqlite3.connect(path, timeout=WAIT_S)
    try:
        with _in_words(path):
            _prepare(path, connection)
        yield PaidVectors(path, connection)
    finally:
        connection.close()


def _prepare(path: Path, connection: sqlite3.Connection) -> None:
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    (application_id,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if tables and application_id != APPLICATION_ID:
        raise FileFormatError(f"{path}: is a database of something else. Choose another file.")
    if tables and version != FORMAT:
        raise FileFormatError(f"{path}: was written by another version of gtekit. Use that one, or another file.")
    _write_ahead(connection)
    connection.execute("PRAGMA synchronous = FULL")  # a few ms for a request of a second: survives a loss of power too
    if not tables:
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            if not tables:  # else another process was faster
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {FORMAT}")
                connection.execute(TABLE)


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switch to WAL, which is for good; where the file system can't, SQLite keeps its other journal, as safe.

    This is the one statement that SQLite does not wait with while another process has the file.
    """
    deadline = time.monotonic() + WAIT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(LOOK_AGAIN_S)


@contextmanager
def _in_words(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:  # no folder, no permission, a full disk, locked for a minute
        raise FileFormatError(
            f"{path}: the file of paid vectors can't be used ({error}). Does its folder exist, may it be written, is "
            f"there space, and no other program that holds it?"
        ) from None
    except sqlite3.DatabaseError as error:
        raise _damaged(path, str(error)) from None


def _damaged(path: Path, why: str) -> FileFormatError:
    return FileFormatError(
        f"{path}: is damaged, or no file of paid vectors ({why}). Move it away, with the file that ends in -wal where "
        f"there is one: a new one is made, and what was in it is asked for and paid again. What can still be read of "
        f"it: sqlite3 {path} .recover | sqlite3 NEW_FILE"
    )


def _key(text: str) -> bytes:
    return sha256(text.encode()).digest()
