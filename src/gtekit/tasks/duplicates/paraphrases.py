"""Texts that say the same in other words: the pairs among many texts whose cosines are large."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Unpack

import numpy as np

from gtekit.any_model import AnyModel
from gtekit.arrays import Array
from gtekit.config import EncodeKeywords
from gtekit.inputs import check_count
from gtekit.nearest import Pairs
from gtekit.tasks.alike import alike_options
from gtekit.tasks.duplicates.distinct import DistinctTexts, embed_distinct
from gtekit.tasks.duplicates.near_pairs import near_pairs
from gtekit.tasks.pairs.thresholds import choose_threshold

MOST_PAIRS = 100_000
PROBABILITY = 0.5  # of the same meaning: more likely than not


def paraphrases(
    model: AnyModel,
    texts: Iterable[str],
    *,
    threshold: float | None = None,
    prior: float | None = None,
    max_pairs: int = MOST_PAIRS,
    **options: Unpack[EncodeKeywords],
) -> Pairs:
    """Find the pairs of texts that are most alike, best first.

    Equal texts are embedded once, and the first stands for all: each later one is paired with the first alone, with a
    score of 1.

    Args:
        model: What `gtekit.load` gives.
        texts: Any iterable of str; they are read once and not kept.
        threshold: The least cosine. None: where the model's calibration finds the same meaning more likely than not.
            That holds where as many pairs match as in its data, one in four, which pairs out of a collection hardly
            ever do: give a `prior`, or a threshold that you have looked at.
        prior: The share of all pairs of texts that have the same meaning, which moves the default threshold; None: as
            in the data of the calibration, where it is 25 % for all-MiniLM-L6-v2.
        max_pairs: The most pairs to give; memory grows with it and not with what is found.
        **options: Those of `Embedder.encode`; vectors are always normalized.

    Returns:
        Pairs of indices, the smaller one left, and cosines; of equal cosines the earlier pair comes first.

    Raises:
        ArgumentError: If a value is not possible.
        SpaceError: If no threshold is given and there is no calibration for the model.
        TextTypeError: If something among the texts is not a str.
    """
    check_count("max_pairs", max_pairs)
    return best_pairs(paraphrase_stream(model, texts, threshold=threshold, prior=prior, **options), max_pairs)


def paraphrase_stream(
    model: AnyModel,
    texts: Iterable[str],
    *,
    threshold: float | None = None,
    prior: float | None = None,
    **options: Unpack[EncodeKeywords],
) -> Iterator[Pairs]:
    """Give all pairs that `paraphrases` would find without a limit, in blocks as they are found.

    The texts are all read before the first block; after that of equal texts, pairs come in the order of their later
    texts.
    """
    checked = alike_options(model, options)  # here, not at the first block
    least = choose_threshold(model, threshold, PROBABILITY, prior, checked)
    return _stream(model, texts, least, checked)


def paraphrase_pairs(vectors: Array, threshold: float, *, max_pairs: int = MOST_PAIRS) -> Pairs:
    """Find the pairs of vectors with the largest cosines, best first.

    For all pairs, in blocks: `gtekit.nearest.pairs_above`.

    Args:
        vectors: Shape (N, D), float32 or float16, normalized; may be memory-mapped.
        threshold: The least cosine.
        max_pairs: The most pairs to give.

    Raises:
        ShapeError: If the vectors have no rows and columns.
        ArgumentError: If a value is not possible, or a vector is not normalized.
    """
    check_count("max_pairs", max_pairs)
    return best_pairs(near_pairs(vectors, threshold), max_pairs)


def best_pairs(blocks: Iterable[Pairs], max_pairs: int) -> Pairs:
    """Keep the pairs with the largest scores, best first; of equal ones the earlier pair. Holds 3 * max_pairs or so."""
    left, right, scores = np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32)
    least = -np.inf  # below it no pair can be among the best
    for block in blocks:
        for begin in range(0, len(block.scores), max_pairs):
            part = slice(begin, begin + max_pairs)
            is_candidate = block.scores[part] >= least
            left = np.concatenate([left, block.left[part][is_candidate]])
            right = np.concatenate([right, block.right[part][is_candidate]])
            scores = np.concatenate([scores, block.scores[part][is_candidate]])
            if len(scores) >= 2 * max_pairs:
                left, right, scores = _sorted(left, right, scores, max_pairs)
                least = scores[-1]
    return Pairs(*_sorted(left, right, scores, max_pairs))


def _sorted(left: Array, right: Array, scores: Array, max_pairs: int) -> tuple[Array, Array, Array]:
    order = np.lexsort((right, left, -scores))[:max_pairs]
    return left[order], right[order], scores[order]


def _stream(model: AnyModel, texts: Iterable[str], threshold: float, options: EncodeKeywords) -> Iterator[Pairs]:
    with embed_distinct(model, texts, options) as distinct:
        first = distinct.first
        near = near_pairs(distinct.vectors, threshold, progress=options.get("progress"))
        # kinds are numbered in the order of their first texts: the smaller index stays left
        found = (Pairs(first[pairs.left], first[pairs.right], pairs.scores) for pairs in near)
        yield from chain(_repeats(distinct), found)


def _repeats(distinct: DistinctTexts) -> Iterator[Pairs]:
    firsts = distinct.first[distinct.kinds]
    rows = np.flatnonzero(firsts != np.arange(len(firsts)))
    if len(rows):
        yield Pairs(firsts[rows], rows, np.ones(len(rows), np.float32))
