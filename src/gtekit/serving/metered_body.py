"""A body that is paid for as it is read, from the tokens that its key may use in a minute."""

import math
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Final, cast

from gtekit.serving.messages import Account, Request
from gtekit.serving.rates import Reservation

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
            Problem: As `BodyReader.unlimited`.
        """
        step = max(1, int(self._reservation.per_minute * STEP_S / 60)) * TOKEN_BYTES
        async for part in self._body.unlimited():
            for begin in range(0, len(part), step):
                piece = part[begin : begin + step]
                self._reservation.settle(self._account.tokens)  # who reads on is done with what came before
                await self._reservation.wait_for(_tokens(len(piece)))
                yield piece


def _tokens(size: int) -> int:
    return math.ceil(size / TOKEN_BYTES)
