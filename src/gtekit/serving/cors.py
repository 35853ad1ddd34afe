"""Which web pages may call: none but our own, until one is named."""

import re
from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from typing import Final

from gtekit.serving.messages import Header
from gtekit.serving.problems import Kind, Problem

ALLOWED_HEADERS: Final = "authorization, content-type, x-api-key, x-request-id, x-timeout-ms, x-priority"
EXPOSED_HEADERS: Final = (
    "x-request-id, x-truncated-inputs, x-gtekit-model, x-gtekit-fingerprint, x-gtekit-shape, retry-after, "
    "retry-after-ms"
)
PORT: Final = re.compile(r":[0-9]*\Z")
MAX_AGE_S: Final = 600  # how long a browser remembers what it was told


class Cors:
    """What is said to the browsers of other people's pages.

    Args:
        origins: As browsers write them: https://app.example, without a path; "*" is every page.
    """

    def __init__(self, origins: Sequence[str]) -> None:
        self._origins = frozenset(origin.rstrip("/") for origin in origins)

    def headers(self, request_headers: Mapping[str, str]) -> list[Header]:
        """Give the headers of an answer. No answer allows credentials: keys are sent in a header of their own."""
        if not self._origins:
            return []
        headers: list[Header] = [("vary", "origin")]
        origin = request_headers.get("origin")
        if origin is not None and self._allows(origin):
            headers.append(("access-control-allow-origin", "*" if "*" in self._origins else origin))
            headers.append(("access-control-expose-headers", EXPOSED_HEADERS))
        return headers

    def preflight(self, request_headers: Mapping[str, str], methods: Sequence[str]) -> list[Header] | None:
        """Give the headers that allow a browser to call; None where it did not ask, or for a page that may not."""
        origin = request_headers.get("origin")
        if origin is None or "access-control-request-method" not in request_headers or not self._allows(origin):
            return None
        return [
            ("access-control-allow-methods", ", ".join(methods)),
            ("access-control-allow-headers", ALLOWED_HEADERS),
            ("access-control-max-age", str(MAX_AGE_S)),
        ]

    def refuse_foreign(self, request_headers: Mapping[str, str]) -> None:
        """Refuse a page that reaches a server of this machine by a name of its own (DNS rebinding).

        To be asked where nobody needs a key and only this machine is listened to.

        Raises:
            Problem: FORBIDDEN.
        """
        origin = request_headers.get("origin")
        if origin is None or self._allows(origin):
            return  # not sent by a browser, or allowed
        name = request_headers.get("host", "").lower()
        if not is_this_machine(PORT.sub("", name).strip("[]")):
            raise Problem(
                Kind.FORBIDDEN,
                f"A web page of {origin[:200]} calls this server as {name[:200]!r}. If that is meant: gtekit serve "
                f"--cors-origin {origin[:200]}",
            )

    def _allows(self, origin: str) -> bool:
        return "*" in self._origins or origin in self._origins


def is_this_machine(name: str) -> bool:
    """Tell whether a host, by name or address, is the machine that asks for it."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
