"""Blocks of texts from an iterable of any length, each tokenized while the one before is computed."""

from collections.abc import Callable, Generator, Iterable, Iterator
from threading import Event
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from gtekit.inputs import wrong_text

BLOCK_TEXTS = 4096
BLOCK_CHARS = 1_000_000  # about 250,000 tokens: seconds of work, a few MB

if TYPE_CHECKING:
    from concurrent.futures import Future

T = TypeVar("T")
Block: TypeAlias = tuple[int, list[str]]  # the index of its first text, its texts


def blocks_of(texts: Iterable[str], block_texts: int = BLOCK_TEXTS) -> Iterator[Block]:
    """Pull texts and give them in blocks, each with the index of its first text.

    Raises:
        TextTypeError: If something that comes is not a str.
    """
    block: list[str] = []
    first_index = chars = 0
    for index, text in enumerate(texts):
        if not isinstance(text, str):
            raise wrong_text(text, index)
        block.append(text)
        chars += len(text)
        if len(block) >= block_texts or chars >= BLOCK_CHARS:
            yield first_index, block
            block, first_index, chars = [], index + 1, 0
    if block:
        yield first_index, block


def one_ahead(blocks: Iterator[Block], prepare: Callable[[int, list[str], Event], T]) -> Generator[T, None, None]:
    """Give each block prepared, while the next one is being prepared on a thread of its own.

    The blocks are pulled on the calling thread: a database cursor or a file stays where it was opened. An error,
    from pulling or from preparing, comes after the blocks before it. Closing ends the thread, and sets
    the event that each preparation was given: nobody waits for its result then.
    """
    from concurrent.futures import ThreadPoolExecutor

    stop = Event()
    pool = ThreadPoolExecutor(1, "gtekit-stream")
    try:
        coming: Future[T] | None = None
        while True:
            block, error = _pull(blocks)
            ready, coming = coming, pool.submit(prepare, *block, stop) if block else None
            if ready is not None:
                yield ready.result()
            if error is not None:
                raise error
            if coming is None:
                return
    finally:
        stop.set()
        pool.shutdown(cancel_futures=True)


def _pull(blocks: Iterator[Block]) -> tuple[Block | None, Exception | None]:
    try:
        return next(blocks, None), None
    except Exception as error:  # the caller's own; raised once the blocks before it are out
        return None, error
