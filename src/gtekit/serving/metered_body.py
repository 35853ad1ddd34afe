"""A body that is paid for as it is read, from the tokens that its key may use in a minute."""

import math
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Final, cast

from gtekit.serving.messages import Account, Request
from gtekit.serving.problems import Kind, Problem
from gtekit.serving.rates import MOST_MINUTES, Reservation

if TYPE_CHECKING:
    from gtekit.serving.bodies import BodyReader

TOKEN_BYTES: Final = 3  # of UTF-8 in JSON: a Chinese character; an English token has 4 or 5, which is given back
STEP_S: Final = 5.0  # of a stream's tokens at once, so that it goes on evenly


class MeteredBody:
    """What `Request.read` is for a key with a limit of tokens: as `BodyReader`, and it takes tokens.

    Args:
        request: Whose body it is.
        reservation: Takes the tokens.
        account: What the request has cost so far.
    """

    def __init__(self, request: Request, reservation: Reservation, account: Account) -> None:
        self._body = cast("BodyReader", request.read)
        self._length = int(request.header("content-length", "0"))
        self._reservation = reservation
        self._account = account
        self._open = 0  # bytes of a stream that are not answered

    async def __call__(self) -> AsyncIterator[bytes]:
        """Give the body in parts; its length as it is declared is paid for before the first.

        Raises:
            Problem: RATE_LIMIT or TOO_LARGE, if the key has too few tokens; and as `BodyReader`.
        """
        self._reservation.raise_to(_tokens(self._length))
        size = 0
        async for part in self._body():
            size += len(part)
            self._reservation.raise_to(_tokens(size))  # more than its length where it was compressed
            yield part

    async def unlimited(self) -> AsyncIterator[bytes]:
        """Give a body of any length in parts, as fast as the key may go: a stream is not refused, it waits.

        Raises:
            Problem: TOO_LARGE, if one line would wait for minutes; and as `BodyReader.unlimited`.
        """
        per_minute = self._reservation.per_minute
        step = max(1, int(per_minute * STEP_S / 60)) * TOKEN_BYTES
        async for part in self._body.unlimited():
            for begin in range(0, len(part), step):
                piece = part[begin : begin + step]
                self._open += len(piece)
                if _tokens(self._open) > MOST_MINUTES * per_minute:
                    raise Problem(
                        Kind.TOO_LARGE,
                        f"A line has more than {self._open:,} bytes; the key may use {per_minute:,} tokens a minute, "
                        f"and a line {MOST_MINUTES} times that at most. Split its text.",
                    )
                await self._reservation.wait_for(_tokens(len(piece)))
                yield piece

    def answered(self, open_bytes: int) -> None:
        """Settle what a stream has cost so far: all of it is answered but the last `open_bytes`."""
        self._open = open_bytes
        self._reservation.settle(self._account.tokens + _tokens(open_bytes))


def note_answered(request: Request, open_bytes: int) -> None:
    """Say how much of a stream waits for an answer, where somebody pays for it."""
    if isinstance(request.read, MeteredBody):
        request.read.answered(open_bytes)


def _tokens(size: int) -> int:
    return math.ceil(size / TOKEN_BYTES)
