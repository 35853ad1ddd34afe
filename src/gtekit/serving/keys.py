"""Who may call: named keys of which only the SHA-256 is kept, read from a TOML file and read again when it changes."""

import hashlib
import hmac
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final, Literal, get_args

from gtekit.errors import FileFormatError
from gtekit.serving.problems import Kind, Problem

Scope = Literal["embed", "metrics"]  # all that models answer; what /metrics tells
SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")  # goes into logs and metrics as it stands
NAME_WORDS: Final = "1 to 64 letters, digits, dots, dashes and underscores, a letter or digit first"
MOST_LIMIT: Final = 10**12
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One caller, by name. The key itself is not here and can't be found from what is."""

    name: str
    sha256: str  # of the key, 64 hexadecimal digits
    requests_per_minute: int | None = None  # None: as many as the server can
    tokens_per_minute: int | None = None
    expires: date | None = None  # the last day on which it is good, UTC
    scopes: tuple[Scope, ...] = SCOPES


@dataclass(frozen=True, slots=True)
class Reload:
    """A file of keys that has changed."""

    message: str  # for the log
    is_good: bool  # it could be read


class Keys:
    """All keys of a server.

    Args:
        path: The file; None: everybody may call.

    Raises:
        FileFormatError: If the file can't be read, or says something that no key can be.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._stamp: tuple[int, int, int] | None = None
        self._keys: tuple[Key, ...] = ()
        if path is not None:
            self._stamp = _stamp(path)
            self._keys = read_keys(path)

    @property
    def is_used(self) -> bool:
        """Whether a caller needs a key."""
        return self._path is not None

    def __len__(self) -> int:
        return len(self._keys)

    def find(self, authorization: str) -> Key | None:
        """Give the key that a caller shows; None where none is needed.

        Every stored digest is compared, in constant time, so that neither which key matched nor how far one did can be
        told from the time it takes.

        Args:
            authorization: The value of the header: `Bearer KEY`, or the bare key of x-api-key; "" where there is none.

        Raises:
            Problem: UNAUTHORIZED, if the key is missing, unknown or out of date.
        """
        if self._path is None:
            return None
        given = _bare(authorization)
        if not given:
            raise Problem(
                Kind.UNAUTHORIZED, "This server needs a key, and the request has none. Send: Authorization: Bearer KEY"
            )
        digest = sha256_of(given)
        found: Key | None = None
        for key in self._keys:
            if hmac.compare_digest(key.sha256, digest):
                found = key
        if found is None:
            raise Problem(Kind.UNAUTHORIZED, "The key of this request is not known here; ask whoever runs the server.")
        if found.expires is not None and datetime.now(UTC).date() > found.expires:
            raise Problem(
                Kind.UNAUTHORIZED,
                f"The key {found.name} was good until {found.expires}. Ask whoever runs the server for a new one.",
            )
        return found

    def reload_if_changed(self) -> Reload | None:
        """Read the file again where it has changed; one that can't be used leaves the keys as they were.

        Returns:
            What has happened; None where nothing has.
        """
        if self._path is None:
            return None
        stamp = _stamp(self._path)
        if stamp == self._stamp:
            return None
        self._stamp = stamp  # also of a broken file: it is talked about once
        try:
            self._keys = read_keys(self._path)
        except FileFormatError as error:
            return Reload(f"{error} In use as before: {_count(len(self._keys))}.", is_good=False)
        return Reload(f"{self._path}: has changed; {_count(len(self._keys))} in use.", is_good=True)


def check_scope(key: Key | None, scope: Scope) -> None:
    """Make sure that a key, where one is needed, is for what its caller wants to do.

    Raises:
        Problem: FORBIDDEN, if it is not.
    """
    if key is not None and scope not in key.scopes:
        raise Problem(
            Kind.FORBIDDEN, f"The key {key.name} is for {' and '.join(key.scopes)}; this needs one for {scope}."
        )


def presented(headers: Mapping[str, str]) -> str:
    """Give what a request shows as its key: Authorization, or where that is missing x-api-key or api-key."""
    return headers.get("authorization") or headers.get("x-api-key") or headers.get("api-key") or ""


def sha256_of(key: str) -> str:
    """Give the digest of a key that is kept in its place."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


def read_keys(path: Path) -> tuple[Key, ...]:
    """Give the keys of a file, in its order.

    Raises:
        FileFormatError: If it can't be read, or an entry is wrong; the message names the entry.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FileFormatError(
            f"{path}: there is no such file of keys. Make one: gtekit keys new NAME --keys-file {path}"
        ) from None
    except OSError as error:
        raise FileFormatError(f"{path}: the keys can't be read ({error.strerror}). Change its permissions.") from None
    except ValueError as error:  # of TOML or of UTF-8
        raise FileFormatError(f"{path}: is not TOML ({error}). gtekit keys writes such files.") from None
    if unknown := sorted(set(content) - {"key"}):
        raise FileFormatError(f"{path}: {unknown[0]!r} has no meaning here; a file of keys has [[key]] entries alone.")
    entries = content.get("key", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise FileFormatError(f"{path}: 'key' is not a list of tables; write each key under a line [[key]].")
    keys = tuple(_key(path, number, entry) for number, entry in enumerate(entries, 1))
    for what in ("name", "sha256"):
        values = [getattr(key, what) for key in keys]
        for number, value in enumerate(values):
            if value in values[:number]:
                raise FileFormatError(f"{path}: two keys have the {what} {value}. Remove one of them.")
    return keys


def _key(path: Path, number: int, entry: Mapping[str, Any]) -> Key:
    where = f"{path}: key {number}"
    if unknown := sorted(set(entry) - {field.name for field in fields(Key)}):
        known = ", ".join(field.name for field in fields(Key))
        raise FileFormatError(f"{where}: {unknown[0]!r} has no meaning here; possible: {known}.")
    name, sha256 = entry.get("name"), entry.get("sha256")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise FileFormatError(
            f"{where}: name is {name!r}; expected 1 to 64 letters, digits, dots, dashes, underscores."
        )
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        raise FileFormatError(
            f"{where} ({name}): sha256 is not 64 hexadecimal digits in lower case. Make the key anew: gtekit keys new"
        )
    expires = entry.get("expires")
    if expires is not None and (isinstance(expires, datetime) or not isinstance(expires, date)):
        raise FileFormatError(f"{where} ({name}): expires is {expires}; expected a day, such as 2027-01-31.")
    scopes = entry.get("scopes", list(SCOPES))
    if not isinstance(scopes, list) or not scopes or not set(map(str, scopes)) <= set(SCOPES):
        raise FileFormatError(f"{where} ({name}): scopes is {scopes!r}; expected some of: {', '.join(SCOPES)}.")
    return Key(
        name=name,
        sha256=sha256,
        requests_per_minute=_limit(where, entry, "requests_per_minute"),
        tokens_per_minute=_limit(where, entry, "tokens_per_minute"),
        expires=expires,
        scopes=_scopes(scopes),
    )


def _scopes(names: Sequence[str]) -> tuple[Scope, ...]:
    return tuple(scope for scope in SCOPES if scope in names)


def _limit(where: str, entry: Mapping[str, Any], field: str) -> int | None:
    value = entry.get(field)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST_LIMIT:
        raise FileFormatError(
            f"{where} ({entry['name']}): {field} is {value!r}; expected a whole number, 1 or more. Leave it out for "
            f"no limit."
        )
    return value


def _bare(authorization: str) -> str:
    scheme, _, rest = authorization.strip().partition(" ")
    return rest.strip() if scheme.lower() == "bearer" else authorization.strip()


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _count(count: int) -> str:
    return f"{count} key{'' if count == 1 else 's'}"
