"""Settings that can't be, or can't be together, refused before a model is loaded."""

import ipaddress
import math
import socket
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

from gtekit.checkpoint.registry import hub_id_of
from gtekit.config import FEWEST_TOKENS, MOST_BATCH_TOKENS
from gtekit.errors import ArgumentError
from gtekit.serving.memory import COPIES
from gtekit.serving.settings_sources import SETTINGS, Origin, ReadSettings
from gtekit.threads import MOST_THREADS

LEAST: Final[dict[str, float]] = {  # of the others: 1 of whole numbers, above 0 of times
    "port": 0,
    "cache_bytes": 0,
    "max_tokens": FEWEST_TOKENS,
    "max_header_bytes": 256,
    "drain_s": 0,
    "ready_check_s": 1,
}
MOST: Final[dict[str, float]] = {
    "port": 65_535,
    "threads": MOST_THREADS,
    "bulk_call_tokens": MOST_BATCH_TOKENS,
}
MOST_BYTES: Final = 2**46
MOST_SECONDS: Final = 1e7


def check_settings(read: ReadSettings) -> None:
    """Refuse what can't be.

    Raises:
        ArgumentError: The message names the flag, the variable, or the file and its line.
    """
    settings, origins = read.settings, read.origins
    for setting in SETTINGS:
        value = getattr(settings, setting.name)
        if setting.kind in ("whole number", "number") and value is not None:
            _check_number(setting.name, value, origins[setting.name])
    _check_models(settings.model, settings.alias, origins)
    for origin in settings.cors_origin:
        _check_web_origin(origin, origins["cors_origin"])
    _check_listening(read)
    if COPIES * settings.max_body_bytes > settings.max_memory_bytes:
        raise ArgumentError(
            f"max_body_bytes ({settings.max_body_bytes:,}) is more than half of max_memory_bytes "
            f"({settings.max_memory_bytes:,}): such a body and its texts could never be taken. Change one of them."
        )


def is_open_to_others(host: str) -> bool:
    """Say whether other machines can reach an address; no, where it is none that can be listened on."""
    try:
        found = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError):  # the second of a name that is none
        return False
    return not all(ipaddress.ip_address(str(address[0]).partition("%")[0]).is_loopback for *_, address in found)


def split_model(text: str) -> tuple[str, str]:
    """Give name and model of NAME=MODEL; a model without a name is called what it is."""
    name, equals, model = text.partition("=")
    return (name.strip(), model.strip()) if equals else (text.strip(), text.strip())


def _check_number(name: str, value: float, origin: Origin) -> None:
    if isinstance(value, int):
        least, most = LEAST.get(name, 1), MOST.get(name, MOST_BYTES)
        if not least <= value <= most:
            raise ArgumentError(f"{origin.words}: is not possible; expected a whole number from {least} to {most}.")
        return
    least = LEAST.get(name, math.ulp(0.0))
    if not least <= value <= MOST_SECONDS:  # which a NaN is not either
        words = f"of {least:g} or more" if name in LEAST else "above 0"
        raise ArgumentError(f"{origin.words}: is not possible; expected seconds, a number {words}, at most 1e7.")


def _check_models(models: Sequence[str], aliases: Sequence[str], origins: Mapping[str, Origin]) -> None:
    where = origins["model"].words
    if not models:
        raise ArgumentError(f"{where}: names no model. Say one, such as gte-small.")
    names: dict[str, str] = {}
    for text in models:
        name, model = split_model(text)
        if not name or not model:
            raise ArgumentError(f"{where}: {text!r} is no model; expected a model or NAME=MODEL.")
        if name in names:
            raise ArgumentError(f"{where}: two models are called {name}. Give one of them a name: NAME={model}")
        names[name] = model
    known = {*names, *names.values(), *map(hub_id_of, names.values())}
    known |= {name.rstrip("/").rsplit("/", 1)[-1] for name in known}
    where = origins["alias"].words
    seen = set()
    for text in aliases:
        alias, equals, name = text.partition("=")
        if not (alias and equals and name):
            raise ArgumentError(
                f"{where}: {text!r} is no alias; expected ALIAS=NAME, such as text-embedding-3-small=gte-small."
            )
        if name not in known:
            raise ArgumentError(
                f"{where}: {text!r} is for {name}, and no such model is served; there are: {', '.join(names)}."
            )
        if alias in seen:
            raise ArgumentError(f"{where}: {alias} is given twice.")
        seen.add(alias)


def _check_web_origin(text: str, origin: Origin) -> None:
    parts = urlsplit(text)
    is_web = parts.scheme in ("http", "https") and bool(parts.hostname) and text == f"{parts.scheme}://{parts.netloc}"
    if text != "*" and (not is_web or "@" in parts.netloc):
        raise ArgumentError(
            f"{origin.words}: {text!r} is no origin as browsers send it; expected https://app.example or "
            f"http://localhost:3000, without a path or a slash at its end. * is every page."
        )


def _check_listening(read: ReadSettings) -> None:
    settings, origins = read.settings, read.origins
    if not settings.host.strip():
        raise ArgumentError(f"{origins['host'].words}: names no address. 127.0.0.1 is this machine alone.")
    if settings.unix_socket is None:
        return
    of_socket = origins["unix_socket"]
    for name in ("host", "port"):
        if origins[name].rank >= of_socket.rank:
            raise ArgumentError(
                f"{of_socket.words} and {origins[name].words}: the server listens on a socket file or on a port, not "
                f"on both. Leave one of them out."
            )
    if not settings.unix_socket.parent.is_dir():
        raise ArgumentError(f"{of_socket.words}: there is no folder {settings.unix_socket.parent}. Make it first.")
