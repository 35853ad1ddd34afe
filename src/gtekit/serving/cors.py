"""Which web pages may call: none but our own, until one is named."""

import re
from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from typing import Final

from gtekit.serving.messages import Header
from gtekit.serving.problems import Kind, Problem

ALLOWED_HEADERS: Final = (
    "authorization, content-type, content-encoding, api-key, x-api-key, x-request-id, x-timeout-ms, x-priority, "
    "openai-organization, openai-project, x-client-name"
)
TELLING: Final = re.compile(
    r"(?:x-stainless|x-fern)-[a-z-]{1,40}"
)  # what openai's and cohere's clients say of themselves
MOST_TELLING: Final = 20
EXPOSED_HEADERS: Final = ", ".join(
    (
        "x-request-id, x-tokens, x-truncated-inputs, x-truncated-indices, x-truncated-query",
        "x-gtekit-model, x-gtekit-fingerprint, x-gtekit-precision, x-gtekit-shape",
        "x-compute-type, x-compute-time, x-compute-characters, x-compute-tokens",
        "x-total-time, x-tokenization-time, x-queue-time, x-inference-time",
        "x-ratelimit-limit-requests, x-ratelimit-remaining-requests, x-ratelimit-reset-requests",
        "x-ratelimit-limit-tokens, x-ratelimit-remaining-tokens, x-ratelimit-reset-tokens",
        "retry-after, retry-after-ms",
    )
)
READING: Final = ("GET", "HEAD")  # a browser says no origin where a page asks, by these, the server it came from
PORT: Final = re.compile(r":[0-9]*\Z")
MAX_AGE_S: Final = 600  # how long a browser remembers what it was told


class Cors:
    """What is said to the browsers of other people's pages.

    Args:
        origins: As browsers write them: https://app.example, without a path; "*" is every page.
    """

    def __init__(self, origins: Sequence[str]) -> None:
        self._origins = frozenset(origin.rstrip("/") for origin in origins)
        self._names = frozenset(PORT.sub("", origin.partition("://")[2]) for origin in self._origins)

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
        asked = request_headers.get("access-control-request-headers", "").lower().replace(" ", "").split(",")
        telling = [name for name in asked if TELLING.fullmatch(name)][:MOST_TELLING]
        return [
            ("access-control-allow-methods", ", ".join(methods)),
            ("access-control-allow-headers", ", ".join((ALLOWED_HEADERS, *telling))),
            ("access-control-max-age", str(MAX_AGE_S)),
        ]

    def refuse_foreign(self, method: str, request_headers: Mapping[str, str], *, is_open: bool = False) -> None:
        """Refuse a page that reaches a server of this machine by a name of its own (DNS rebinding).

        To be asked where nobody needs a key and only this machine is listened to. Without an origin, a POST comes from
        no browser, and a GET may come from one all the same: it has to call this machine by a name of this machine, or
        by that of an allowed origin, as behind a proxy. What is open to everybody anyway is not asked for its name.

        Raises:
            Problem: FORBIDDEN.
        """
        origin = request_headers.get("origin")
        if origin is None and (is_open or method not in READING or "host" not in request_headers):
            return
        name = request_headers.get("host", "").lower()
        host = PORT.sub("", name)
        if "*" in self._origins or origin in self._origins or is_this_machine(host.strip("[]")):
            return
        if origin is None and host in self._names:
            return
        shown = (origin if origin is not None else f"http://{name}")[:200]
        caller = f"A web page of {shown} calls" if origin is not None else "Somebody calls"
        raise Problem(
            Kind.FORBIDDEN,
            f"{caller} this server as {name[:200]!r}; without keys it answers to names of its own machine, as "
            f"localhost. If that is meant: gtekit serve --cors-origin {shown}",
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
