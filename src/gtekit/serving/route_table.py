"""All operations of the server, found by method and path."""

from collections.abc import Sequence
from urllib.parse import unquote

from gtekit.serving import health, metrics, openapi, page_routes
from gtekit.serving.dialects import cohere, jina, native, openai, tei
from gtekit.serving.famous_paths import HINTS
from gtekit.serving.problems import Kind, Problem
from gtekit.serving.routes import Dialect, Route

PARTS = (openai, tei, cohere, jina, native, health, metrics, page_routes, openapi)
ROUTES: tuple[Route, ...] = tuple(route for part in PARTS for route in part.ROUTES)


PLAIN = Dialect("plain", openai.error_body)  # for what is no request, and where no dialect fits


class RouteTable:
    """Finds routes.

    Args:
        routes: No two of them with the same method and path.
    """

    def __init__(self, routes: Sequence[Route]) -> None:
        self.routes = tuple(routes)
        self._fixed: dict[str, dict[str, Route]] = {}
        self._open: dict[str, dict[str, Route]] = {}  # by what comes before the name in braces
        for route in routes:
            start, brace, _ = route.path.partition("{")
            methods = (self._open if brace else self._fixed).setdefault(start, {})
            if route.method in methods:
                raise ValueError(f"{route.method} {route.path} is there twice.")
            methods[route.method] = route
        self._dialects = {route.dialect.name: route.dialect for route in reversed(routes)}

    def find(self, method: str, path: str) -> Route:
        """Give the route of a request.

        Args:
            method: HEAD finds what GET finds.
            path: As it was sent, without the query.

        Raises:
            Problem: NO_ROUTE or METHOD.
        """
        if method == "CONNECT":
            raise Problem(Kind.METHOD, "This server is no proxy: CONNECT is not done here. Call it by its own address.")
        methods = self.methods(path)
        route = methods.get(method) or (methods.get("GET") if method == "HEAD" else None)
        if route is not None:
            return route
        if not methods:
            said = unquote(path)
            hint = HINTS.get(said, "")
            if self.methods(path.rstrip("/")):
                hint = "It is there without the slash at its end."
            raise Problem(
                Kind.NO_ROUTE,
                f"There is nothing at {said[:200]!r}. {hint}{' ' if hint else ''}All paths: GET /openapi.json",
            )
        allowed = ", ".join(self.allowed(path))
        raise Problem(Kind.METHOD, f"{unquote(path)[:200]} takes {allowed}, and not {method[:20]}.")

    def methods(self, path: str) -> dict[str, Route]:
        """Give the routes of a path by their method."""
        found = self._fixed.get(path)
        if found is not None:
            return found
        for start, methods in self._open.items():
            if path.startswith(start) and _is_name(path[len(start) :]):
                return methods
        return {}

    def allowed(self, path: str) -> list[str]:
        """Give the methods that a path takes."""
        methods = list(self.methods(path))
        return sorted([*methods, "HEAD"] if "GET" in methods else methods)

    def dialect(self, path: str) -> Dialect:
        """Give the dialect that says what is wrong with a path that is not there, or not for a method."""
        for route in self.methods(path).values():
            return route.dialect
        name = "openai" if path.startswith("/v1/") else "cohere" if path.startswith("/v2/") else "tei"
        return self._dialects.get(name, PLAIN)


def _is_name(rest: str) -> bool:
    name = unquote(rest)  # of a model: thenlper/gte-small
    return bool(name) and not name.startswith("/") and not name.endswith("/") and "//" not in name
