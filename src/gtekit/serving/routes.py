"""The table of routes: which handler answers which path, and in whose words errors are said."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gtekit.serving.messages import Account, Request, Response
from gtekit.serving.problems import STATUSES, Kind, Problem

if TYPE_CHECKING:
    from gtekit.serving.state import State


@dataclass(frozen=True, slots=True)
class Dialect:
    """Somebody's API: how its errors look."""

    name: str
    error_body: Callable[[Problem, int, str], bytes]  # problem, status, request id -> JSON
    statuses: Mapping[Kind, int] = field(default_factory=dict)  # where they differ from STATUSES

    def status(self, kind: Kind) -> int:
        """Give the HTTP status of a kind of problem."""
        return self.statuses.get(kind, STATUSES[kind])


Handler = Callable[[Request, "State", Account], Awaitable[Response]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One operation."""

    method: str
    path: str  # fixed, or with one name in braces at its end: /v1/models/{model}
    dialect: Dialect
    handler: Handler
    summary: str  # for the OpenAPI document
    request: Any = None  # the msgspec type of the body
    response: Any = None  # the msgspec type of the answer; None: described by `response_text`
    response_text: str = ""
    is_open: bool = False  # answers without a key: health
