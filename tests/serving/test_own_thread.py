"""Work on a thread of its own."""

import asyncio
import threading

import pytest

from gtekit.serving.own_thread import on_own_thread


def test_what_the_work_gives_or_raises_comes_back() -> None:
    def fail() -> int:
        raise KeyError("gone")

    assert asyncio.run(on_own_thread(lambda: threading.current_thread().name, "test")) == "gtekit-test"
    with pytest.raises(KeyError, match="gone"):
        asyncio.run(on_own_thread(fail, "test"))


def test_who_gives_up_does_not_wait_for_the_thread() -> None:
    go_on, done = threading.Event(), threading.Event()

    def work() -> None:
        go_on.wait(20)
        done.set()

    async def body() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(on_own_thread(work, "test"), 0.01)

    asyncio.run(body())
    assert not done.is_set()
    go_on.set()
    assert done.wait(20)  # and its result, which nobody wants, harms nobody
