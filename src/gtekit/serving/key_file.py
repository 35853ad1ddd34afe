"""The file of keys, changed: one key more, or one less. What is written is there as a whole or not at all."""

import base64
import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from gtekit.errors import ArgumentError, FileFormatError
from gtekit.serving.keys import SCOPES, Key, read_keys
from gtekit.serving.settings_sources import toml_of

KEY_BYTES: Final = 32  # 256 random bits: nobody guesses one, so a plain SHA-256 keeps it as safe as a slow hash would
PREFIX: Final = "gtekit-"  # people and scanners of repositories see what it is
MODE: Final = 0o600
HEADER: Final = """\
# Keys of gtekit serve. A key itself is nowhere to be found: this is its SHA-256, and what it may do.
# gtekit keys new, list and remove look after this file; a running server reads it again when it changes.
"""


def new_secret() -> str:
    """Give a new key, 256 random bits as 43 characters after a prefix."""
    return PREFIX + base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).rstrip(b"=").decode("ascii")


def add_key(path: Path, key: Key) -> None:
    """Add a key at the end of a file, which is made where it is not there.

    Raises:
        FileFormatError: If the file can't be read or written, or somebody else is writing it.
        ArgumentError: If there is a key of this name.
    """

    def add(keys: tuple[Key, ...]) -> tuple[Key, ...]:
        if any(other.name == key.name for other in keys):
            raise ArgumentError(
                f"{path}: there is a key called {key.name} already. Choose another name, or remove it first: "
                f"gtekit keys remove {key.name} --keys-file {path}"
            )
        return (*keys, key)

    _change(path, add)


def remove_key(path: Path, name: str) -> None:
    """Remove a key from a file.

    Raises:
        FileFormatError: As `add_key`.
        ArgumentError: If there is no key of this name.
    """

    def remove(keys: tuple[Key, ...]) -> tuple[Key, ...]:
        left = tuple(key for key in keys if key.name != name)
        if len(left) == len(keys):
            names = ", ".join(key.name for key in keys) or "none"
            raise ArgumentError(f"{path}: there is no key called {name}; there are: {names}.")
        return left

    if not path.exists():
        read_keys(path)  # says that there is no such file
    _change(path, remove)


def _change(path: Path, change: Callable[[tuple[Key, ...]], tuple[Key, ...]]) -> None:
    path = path.resolve()  # a link stays a link
    temporary = path.with_name(f".{path.name}.new")
    try:
        file = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE)  # also keeps out whoever else changes it
    except FileExistsError:
        raise FileFormatError(
            f"{temporary}: is there, so another gtekit keys is changing {path.name}, or was ended while it did. Try "
            f"again, or remove that file."
        ) from None
    except OSError as error:
        raise FileFormatError(f"{path}: no file can be made in {path.parent} ({error.strerror}).") from None
    try:
        with os.fdopen(file, "wb") as stream:
            keys = change(read_keys(path) if path.exists() else ())
            stream.write(_spell(keys).encode())
            stream.flush()
            os.fsync(stream.fileno())
        if path.exists():
            _take_owner(path, temporary)
        temporary.replace(path)
    except BaseException:
        temporary.unlink()  # only here: after the move a file of that name is somebody else's
        raise


def _take_owner(path: Path, temporary: Path) -> None:
    """Leave the file with whoever may read it now, such as the account of the server."""
    found = path.stat()
    temporary.chmod(found.st_mode & 0o777)
    if hasattr(os, "chown"):
        with suppress(PermissionError):
            os.chown(temporary, found.st_uid, found.st_gid)


def _spell(keys: tuple[Key, ...]) -> str:
    return HEADER + "".join(f"\n[[key]]\n{_entry(key)}" for key in keys)


def _entry(key: Key) -> str:
    lines = [f"name = {toml_of(key.name)}", f"sha256 = {toml_of(key.sha256)}"]
    if key.requests_per_minute is not None:
        lines.append(f"requests_per_minute = {key.requests_per_minute}")
    if key.tokens_per_minute is not None:
        lines.append(f"tokens_per_minute = {key.tokens_per_minute}")
    if key.expires is not None:
        lines.append(f"expires = {key.expires.isoformat()}")
    if key.scopes != SCOPES:
        lines.append(f"scopes = {toml_of(key.scopes)}")
    return "\n".join(lines) + "\n"
