"""From pairs that are alike to one row that stands for each group, in one pass over the pairs."""

from collections.abc import Iterable

import numpy as np

from gtekit.arrays import Array, Floats, Ints
from gtekit.cosines import similarity_pairwise
from gtekit.nearest import Pairs

BLOCK_ROWS = 16384


def join_greedily(blocks: Iterable[Pairs], vectors: Array) -> tuple[Ints, Floats]:
    """Give the row that stands for each row: the earliest that stands for itself and is paired with it.

    Args:
        blocks: All pairs that are alike, ordered by right, then left, over all blocks.
        vectors: The rows that they are of, shape (N, D).

    Returns:
        Row numbers and cosines to those rows (1 for a row itself), both of shape (N,).
    """
    stands_for = np.arange(len(vectors))
    scores = np.ones(len(vectors), np.float32)
    for pairs in blocks:
        left, right = pairs.left, pairs.right
        is_settled = left < right[0]  # rows before the first right one have had all their pairs
        is_new = is_settled & (stands_for[left] == left) & (stands_for[right] == right)
        chosen = np.flatnonzero(is_new)[::-1]  # the first pair of a row is written last, and stays
        stands_for[right[chosen]] = left[chosen]
        scores[right[chosen]] = pairs.scores[chosen]
        rest = np.flatnonzero(~is_settled & (stands_for[right] == right))
        for places in np.split(rest, np.flatnonzero(np.diff(right[rest])) + 1):
            is_kept = stands_for[left[places]] == left[places]
            if is_kept.any():
                place = places[is_kept.argmax()]
                stands_for[right[place]] = left[place]
                scores[right[place]] = pairs.scores[place]
    return stands_for, scores


def join_components(blocks: Iterable[Pairs], vectors: Array) -> tuple[Ints, Floats]:
    """Give the row that stands for each row: the earliest that a chain of pairs leads to.

    Args:
        blocks: All pairs that are alike, in any order.
        vectors: The rows that they are of, shape (N, D), normalized.

    Returns:
        Row numbers and cosines to those rows (1 for a row itself), both of shape (N,).
    """
    parents = np.arange(len(vectors))
    for pairs in blocks:
        left, right = parents[pairs.left], parents[pairs.right]
        is_link = left != right
        links = np.unique(np.stack([left[is_link], right[is_link]], axis=1), axis=0)
        for one, other in links.tolist():
            one, other = _root(parents, one), _root(parents, other)
            parents[max(one, other)] = min(one, other)
        while not np.array_equal(shorter := parents[parents], parents):
            parents = shorter
    return parents, _scores(vectors, parents)


def _root(parents: Ints, row: int) -> int:
    while (parent := int(parents[row])) != row:
        parents[row] = parents[parent]  # halves the way of the next who comes by
        row = parent
    return row


def _scores(vectors: Array, stands_for: Ints) -> Floats:
    scores = np.ones(len(vectors), np.float32)
    rows = np.flatnonzero(stands_for != np.arange(len(vectors)))
    for begin in range(0, len(rows), BLOCK_ROWS):
        part = rows[begin : begin + BLOCK_ROWS]
        ones, others = (np.asarray(vectors[numbers], np.float32) for numbers in (part, stands_for[part]))
        scores[part] = similarity_pairwise(ones, others)
    return scores
