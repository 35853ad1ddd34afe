"""How much memory the bodies and answers of all requests take, and the limit of it."""

from typing import TYPE_CHECKING, Final

from gtekit.serving.problems import Kind, Problem

if TYPE_CHECKING:
    from gtekit.serving.metrics import Metrics

COPIES: Final = 2  # of a body: the bytes and the strings that are made of them


class Lease:
    """What one request holds of the memory of all. Used on the event loop alone.

    Args:
        metrics: Its `held_bytes` is the sum over all requests.
        limit: Of that sum, in bytes.
    """

    __slots__ = ("_held", "_limit", "_metrics")

    def __init__(self, metrics: "Metrics", limit: int) -> None:
        self._metrics = metrics
        self._limit = limit
        self._held = 0

    def take(self, body_bytes: int) -> None:
        """Hold memory for so many more bytes of a body.

        Raises:
            Problem: OVERLOADED, if the other requests leave too little; TOO_LARGE, if it would not fit alone.
        """
        needed = COPIES * body_bytes
        if self._held + needed > self._limit:
            raise Problem(
                Kind.TOO_LARGE,
                f"The body needs {self._held + needed:,} bytes of memory; all requests together may take "
                f"{self._limit:,} (--max-memory-bytes).",
            )
        if self._metrics.held_bytes + needed > self._limit:
            raise Problem(
                Kind.OVERLOADED,
                f"The requests under way take {self._metrics.held_bytes:,} of {self._limit:,} bytes "
                f"(--max-memory-bytes). Try again shortly.",
                retry_after_s=1.0,
            )
        self.hold(needed)

    def hold(self, size: int) -> None:
        """Hold memory that is there already: an answer."""
        self._held += size
        self._metrics.held_bytes += size

    def release(self) -> None:
        """Give everything back."""
        self._metrics.held_bytes -= self._held
        self._held = 0
