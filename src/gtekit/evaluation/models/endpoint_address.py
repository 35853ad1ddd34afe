"""Where an endpoint is and what it is told to let us in; the key is read from the environment and from nowhere else."""

import base64
import os
import re
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit

from gtekit.errors import ArgumentError, EndpointError

OPENAI_ADDRESS = "https://api.openai.com/v1"
OPENAI_HOST = "api.openai.com"  # and those of its regions: eu.api.openai.com
OPENAI_KEY_VARIABLE = "OPENAI_API_KEY"
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Address:
    """An address without anything secret."""

    url: str
    place: str  # host and path, as in the fingerprint
    is_openai: bool


@dataclass(frozen=True, slots=True)
class Access:
    """What goes into the header Authorization. Nothing of it is in its repr."""

    key_variable: str  # "" where no key is sent
    authorization: str = field(repr=False)  # "" for none
    secrets: tuple[str, ...] = field(repr=False)  # what must not be in any message


def read_address(address: str) -> Address:
    """Check an address, and take user and password off it.

    Raises:
        ArgumentError: If it is none.
    """
    parts = _split(address)
    host = parts.hostname or ""
    is_openai = host == OPENAI_HOST or host.endswith(f".{OPENAI_HOST}")
    if is_openai and parts.scheme != "https":
        raise ArgumentError(f"address={address!r}: a key for {host} goes over https alone; begin with https://.")
    place = parts.netloc.rpartition("@")[2].lower() + parts.path.rstrip("/")
    return Address(f"{parts.scheme}://{place}", place, is_openai)


def read_access(address: str, key_variable: str | None) -> Access:
    """Read the key.

    Args:
        address: As the caller gave it.
        key_variable: The environment variable that holds the key. None: OPENAI_API_KEY for OpenAI, and no key for
            anybody else: a key for OpenAI is not sent to other servers unless it is named.

    Raises:
        EndpointError: If the variable is not set.
        ArgumentError: If it can't be the name of one, or there is a password in the address as well.
    """
    parts = _split(address)
    where = read_address(address)
    variable = key_variable or (OPENAI_KEY_VARIABLE if where.is_openai else "")
    if variable and not VARIABLE.fullmatch(variable):
        raise ArgumentError(
            "key_variable is no name of an environment variable. Give the name, such as OPENAI_API_KEY, and not the "
            "key itself."
        )
    if parts.username is not None or parts.password is not None:
        if variable:
            raise ArgumentError(f"{where.url}: there is a user in the address and a key in {variable}; use one.")
        return _basic(unquote(parts.username or ""), unquote(parts.password or ""))
    if not variable:
        return Access("", "", ())
    key = os.environ.get(variable, "").strip()
    if not key:
        raise EndpointError(
            f"{where.url}: needs a key, and the environment variable {variable} holds none. Set it (export "
            f"{variable}=...), or name another: key_variable='MY_KEY'."
        )
    if not key.isascii() or not key.isprintable() or " " in key:
        raise ArgumentError(f"the key in {variable} has a space, a line end or a letter that no key has. Set it again.")
    return Access(variable, f"Bearer {key}", (key,))


def _split(address: str) -> SplitResult:
    shown = "the address" if "@" in address else f"address={address!r}"  # a password is not repeated
    try:
        parts = urlsplit(address.strip())
        is_whole = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_whole = False
    if not is_whole:
        raise ArgumentError(
            f"{shown} is none of a server. Write it as {OPENAI_ADDRESS} or http://localhost:8000/v1: everything "
            f"before /embeddings."
        )
    if parts.query or parts.fragment:
        raise ArgumentError(f"{shown} has a part after ? or #, which is not sent. Leave that out.")
    return parts


def _basic(user: str, password: str) -> Access:
    encoded = base64.b64encode(f"{user}:{password}".encode()).decode()
    return Access("", f"Basic {encoded}", tuple(secret for secret in (password, encoded) if secret))
