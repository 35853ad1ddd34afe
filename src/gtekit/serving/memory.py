"""How much memory the bodies, vectors and answers of all requests take, and the limit of it.

The first `SMALL_BYTES` of each request are held however full the memory is, so that nobody who fills it with large
requests keeps small ones out. A connection has one request at a time: all together hold `SMALL_BYTES` times
--max-connections beyond the limit at most, 201 MB with the defaults.
"""

from typing import TYPE_CHECKING, Final

from gtekit.serving.problems import Kind, Problem

if TYPE_CHECKING:
    from gtekit.serving.metrics import Metrics

COPIES: Final = 2  # of a body: the bytes and the strings that are made of them
SHARE: Final = 4  # of the memory for all requests: the most that one answer may take
SMALL_BYTES: Final = 196_608  # of one request: a body of 64 KiB twice, and as much again for its vectors


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

    @property
    def held(self) -> int:
        """How many bytes this request holds."""
        return self._held

    def take(self, size: int) -> None:
        """Hold so many more bytes: of vectors and states before they are made, of a whole answer before it is sent.

        Raises:
            Problem: As `check`.
        """
        self.check(size)
        self.hold(size)

    def check(self, size: int) -> None:
        """Make sure that so many more bytes could be held: of a small request always.

        Raises:
            Problem: OVERLOADED, if the other requests leave too little; TOO_LARGE, if it would not fit alone.
        """
        if self._held + size > self._limit:
            raise Problem(
                Kind.TOO_LARGE,
                f"The request and its answer need {self._held + size:,} bytes of memory; all requests together may "
                f"take {self._limit:,} (--max-memory-bytes). Send fewer texts at once, or stream them.",
            )
        if self._held + size > SMALL_BYTES and self._metrics.held_bytes + size > self._limit:
            raise Problem(
                Kind.OVERLOADED,
                f"The requests under way take {self._metrics.held_bytes:,} of {self._limit:,} bytes "
                f"(--max-memory-bytes). Try again shortly.",
                retry_after_s=1.0,
            )

    def check_body(self, size: int) -> None:
        """Make sure that a body of so many bytes could be held, before it comes. It may be refused later all the same.

        Raises:
            Problem: As `check`.
        """
        self.check(COPIES * size)

    def take_body(self, size: int) -> None:
        """Hold memory for so many more bytes of a body that have come, and for what is made of them.

        Raises:
            Problem: As `take`.
        """
        self.take(COPIES * size)

    def hold(self, size: int) -> None:
        """Hold memory that is there already: a part of an answer, or what a decompressor needs."""
        self._held += size
        self._metrics.held_bytes += size

    def give_back(self, size: int) -> None:
        """Hold so many bytes less."""
        size = min(size, self._held)
        self._held -= size
        self._metrics.held_bytes -= size

    def release(self) -> None:
        """Give everything back."""
        self.give_back(self._held)
