"""The nearest documents of every query, exactly, with one block of documents and one block of scores in memory."""

from collections.abc import Iterable

import numpy as np

from gtekit.arrays import Floats, Ints
from gtekit.cosines import similarity

SCORES_AT_ONCE = 1 << 22  # of queries with documents: 16 MiB, and five times that to choose among them


def search(queries: Floats, document_blocks: Iterable[Floats], top_k: int) -> tuple[Ints, Floats]:
    """Find the documents with the largest cosines.

    Args:
        queries: Shape (Q, D).
        document_blocks: Arrays of shape (n, D), N documents in all.
        top_k: How many to find for each query.

    Returns:
        The numbers of the documents and their cosines, both of shape (Q, min(top_k, N)), best first. Of equal ones the
        earlier document comes first; which of them is left out where they don't all fit is not settled.
    """
    best = np.empty((len(queries), 0), np.float32)
    numbers = np.empty((len(queries), 0), np.int64)
    begin = 0
    for block in document_blocks:
        end = begin + len(block)
        best, numbers = _merge(queries, block, begin, (best, numbers), top_k)
        begin = end
    order = np.lexsort((numbers, -best), axis=1)
    return np.take_along_axis(numbers, order, axis=1), np.take_along_axis(best, order, axis=1)


def _merge(queries: Floats, block: Floats, begin: int, so_far: tuple[Floats, Ints], top_k: int) -> tuple[Floats, Ints]:
    best, numbers = so_far
    kept = min(top_k, best.shape[1] + len(block))
    new_best = np.empty((len(queries), kept), np.float32)
    new_numbers = np.empty((len(queries), kept), np.int64)
    step = max(1, SCORES_AT_ONCE // max(len(block), 1))
    for first in range(0, len(queries), step):
        rows = slice(first, first + step)
        scores = np.concatenate([best[rows], similarity(queries[rows], block)], axis=1)
        of_block = np.broadcast_to(np.arange(begin, begin + len(block)), (len(scores), len(block)))
        candidates = np.concatenate([numbers[rows], of_block], axis=1)
        places = np.argpartition(-scores, kept - 1, axis=1)[:, :kept]
        new_best[rows] = np.take_along_axis(scores, places, axis=1)
        new_numbers[rows] = np.take_along_axis(candidates, places, axis=1)
    return new_best, new_numbers
