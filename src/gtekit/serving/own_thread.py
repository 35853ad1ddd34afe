"""Work on a thread of its own: an executor may be full of other work, and the end of the process waits for it."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import TypeVar, cast

T = TypeVar("T")


async def on_own_thread(work: Callable[[], T], name: str) -> T:
    """Give what `work` gives, or raise what it raises.

    Nobody waits for the thread where the caller gives up, or where the process ends.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if done.done():
            return
        if error is None:
            done.set_result(cast("T", result))
        else:
            done.set_exception(error)

    def run() -> None:
        result, failure = None, None
        try:
            result = work()
        except BaseException as error:
            failure = error
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(settle, result, failure)

    Thread(target=run, name=f"gtekit-{name}", daemon=True).start()
    return await done
