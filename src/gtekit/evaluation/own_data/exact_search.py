"""The nearest documents of every query, exactly, with one block of documents in memory."""

from collections.abc import Iterable

import numpy as np

from gtekit.arrays import Floats, Ints
from gtekit.cosines import l2_normalize, within_one
from gtekit.nearest import nearest


def search(queries: Floats, document_blocks: Iterable[Floats], top_k: int) -> tuple[Ints, Floats]:
    """Find the documents with the largest cosines.

    Args:
        queries: Shape (Q, D).
        document_blocks: Arrays of shape (n, D), N documents in all.
        top_k: How many to find for each query.

    Returns:
        The numbers of the documents and their cosines, both of shape (Q, min(top_k, N)), best first. Of equal ones the
        earlier document comes first.
    """
    normalized = l2_normalize(queries)
    best = np.empty((len(queries), 0), np.float32)
    numbers = np.empty((len(queries), 0), np.int64)
    begin = 0
    for block in document_blocks:
        cosines, places = nearest(normalized, l2_normalize(block), top_k)
        best = np.concatenate([best, within_one(cosines)], axis=1)
        numbers = np.concatenate([numbers, places + begin], axis=1)
        order = np.lexsort((numbers, -best), axis=1)[:, :top_k]
        best, numbers = np.take_along_axis(best, order, axis=1), np.take_along_axis(numbers, order, axis=1)
        begin += len(block)
    return numbers, best
