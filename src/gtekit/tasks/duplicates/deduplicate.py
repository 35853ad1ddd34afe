"""One text of each kind: near duplicates found by the cosines of their vectors, whole sets or streams."""

import tempfile
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, Unpack, get_args

import numpy as np

from gtekit.any_model import AnyModel
from gtekit.arrays import Array, Floats, Ints
from gtekit.config import EncodeKeywords
from gtekit.errors import ArgumentError, ShapeError
from gtekit.inputs import check_count
from gtekit.nearest import nearest
from gtekit.streaming import BLOCK_TEXTS
from gtekit.tasks.alike import alike_options
from gtekit.tasks.duplicates.distinct import DistinctTexts, Seen, check_iterable, embed_distinct
from gtekit.tasks.duplicates.groups import join_components, join_greedily
from gtekit.tasks.duplicates.near_pairs import least_product, near_pairs
from gtekit.tasks.pairs.thresholds import choose_threshold

Keep = Literal["first", "last", "longest"]
Join = Literal["greedy", "components"]
PROBABILITY = 0.95  # of the same meaning: what is dropped is gone, so be surer than for showing a pair
COPY_ROWS = 16384


@dataclass(frozen=True, slots=True)
class Deduplicated:
    """Which texts stay, and which of those each other one repeats."""

    kept: Ints  # (K,), indices of the texts that stay, ascending
    duplicate_of: Ints  # (N,), the kept text that each one repeats; of a kept one itself
    scores: Floats  # (N,), its cosine to that; 1 where kept
    threshold: float
    method: Join

    @property
    def groups(self) -> list[Ints]:
        """The texts that are alike, two or more each: the kept one, then the others ascending. Largest groups first."""
        order = np.argsort(self.duplicate_of, kind="stable")
        borders = np.flatnonzero(np.diff(self.duplicate_of[order])) + 1
        found = [rows for rows in np.split(order, borders) if len(rows) > 1]
        with_kept_first = [
            np.concatenate([[kept], rows[rows != kept]]) for rows in found for kept in [self.duplicate_of[rows[0]]]
        ]
        return sorted(with_kept_first, key=lambda rows: (-len(rows), rows[0]))


def deduplicate(
    model: AnyModel,
    texts: Iterable[str],
    threshold: float | None = None,
    *,
    prior: float | None = None,
    keep: Keep = "first",
    method: Join = "greedy",
    **options: Unpack[EncodeKeywords],
) -> Deduplicated:
    """Find the texts that repeat others.

    Greedy, the default: texts are gone through in the order that `keep` says; one is a duplicate of the first kept text
    whose cosine reaches the threshold, and is kept where there is none. So no two kept texts reach the threshold, and
    every dropped one reaches it with the text that stands for it. Components: whatever is linked by a chain of such
    pairs is one group; ends of a chain may have little in common, which is why this is not the default.

    Equal texts are found by hash and embedded once. Texts are read one by one and not kept, vectors lie in a temporary
    file.

    Args:
        model: What `gtekit.load` gives.
        texts: Any iterable of str.
        threshold: The least cosine of duplicates. None: where the model's calibration finds the same meaning 95 %
            likely. That holds where as many pairs match as in its data, one in four, which pairs out of a collection
            hardly ever do: give a `prior`, or a threshold that you have looked at.
        prior: The share of all pairs of texts that have the same meaning, which moves the default threshold; None: as
            in the data of the calibration, where it is 25 % for all-MiniLM-L6-v2.
        keep: Which text stands for its like: the first, the last, or the longest (of equally long ones the first).
        method: greedy or components.
        **options: Those of `Embedder.encode`; vectors are always normalized.

    Raises:
        ArgumentError: If a value is not possible.
        SpaceError: If no threshold is given and there is no calibration for the model.
        TextTypeError: If something among the texts is not a str.
    """
    _check_choices(keep, method)
    least = choose_threshold(model, threshold, PROBABILITY, prior, options)
    with embed_distinct(model, texts, options) as distinct:
        order = _order(distinct, keep)
        found = deduplicate_vectors(distinct.vectors, least, order=order, method=method)
        return _of_all_texts(distinct, found, keep)


def deduplicate_vectors(
    vectors: Array, threshold: float, *, order: Array | None = None, method: Join = "greedy"
) -> Deduplicated:
    """Find the vectors that repeat others, as `deduplicate` does.

    Args:
        vectors: Shape (N, D), float32 or float16, normalized; may be memory-mapped.
        threshold: The least cosine of duplicates.
        order: The rows in the order in which they are gone through, shape (N,); None: as they are. Vectors are copied
            to a temporary file in this order.
        method: greedy or components.

    Raises:
        ShapeError: If the vectors have no rows and columns, or `order` does not name each row once.
        ArgumentError: If a value is not possible, or a vector is not normalized.
    """
    _check_choices("first", method)
    join = join_greedily if method == "greedy" else join_components
    with _reordered(vectors, order) as ordered:
        stands_for, scores = join(near_pairs(ordered, threshold), ordered)
    if order is None:
        duplicate_of = stands_for
    else:
        duplicate_of = np.empty_like(stands_for)
        duplicate_of[order] = np.asarray(order, np.int64)[stands_for]
        scores = _scattered(scores, order)
    kept = np.flatnonzero(duplicate_of == np.arange(len(duplicate_of)))
    return Deduplicated(kept, duplicate_of, scores, float(threshold), method)


def deduplicate_stream(
    model: AnyModel,
    texts: Iterable[str],
    threshold: float | None = None,
    *,
    prior: float | None = None,
    block_texts: int = BLOCK_TEXTS,
    **options: Unpack[EncodeKeywords],
) -> Iterator[str]:
    """Give each text that repeats none before it, as it is found: what `deduplicate` keeps, of a source without end.

    Memory grows with the texts that are kept, by their vectors (4 D bytes each, up to three times that when they have
    to be moved) and by 110 bytes for each different text.

    Args:
        model: What `gtekit.load` gives.
        texts: Any iterable of str.
        threshold: The least cosine of duplicates; None: as for `deduplicate`.
        prior: As for `deduplicate`.
        block_texts: How many texts are embedded at once; new ones come out after each block. Blocks are read ahead.
        **options: Those of `Embedder.encode`; vectors are always normalized.

    Raises:
        ArgumentError: If a value is not possible.
        SpaceError: If no threshold is given and there is no calibration for the model.
        TextTypeError: If something among the texts is not a str.
    """
    check_iterable(texts)
    check_count("block_texts", block_texts)
    checked = alike_options(model, options)  # here, not at the first block
    least = choose_threshold(model, threshold, PROBABILITY, prior, checked)
    return _stream(model, texts, least, block_texts, checked)


def _stream(
    model: AnyModel, texts: Iterable[str], threshold: float, block_texts: int, options: EncodeKeywords
) -> Iterator[str]:
    seen, waiting, kept = Seen(), deque[str](), _GrowingRows()

    def different() -> Iterator[str]:
        for index, text in enumerate(texts):
            count = len(seen)
            if seen.number(text, index) == count:
                waiting.append(text)  # until its vector comes: a few blocks
                yield text

    stream = model.encode_stream(different(), block_texts=block_texts, **options)
    for vectors in stream:
        block = [waiting.popleft() for _ in vectors]
        rows = np.arange(len(vectors))
        if len(kept.rows):
            best = nearest(vectors, kept.rows, 1)[0][:, 0]
            rows = rows[best < least_product(threshold)]
        new = rows[deduplicate_vectors(vectors[rows], threshold).kept]
        kept.append(vectors[new])
        yield from (block[row] for row in new)


class _GrowingRows:
    """Rows of an array that doubles when it is full."""

    def __init__(self) -> None:
        self._room = np.empty((0, 0), np.float32)
        self._count = 0

    @property
    def rows(self) -> Floats:
        return self._room[: self._count]

    def append(self, rows: Floats) -> None:
        count = self._count + len(rows)
        if count > len(self._room):
            room = np.empty((max(count, 2 * len(self._room)), rows.shape[1]), np.float32)
            if self._count:
                room[: self._count] = self.rows
            self._room = room
        self._room[self._count : count] = rows
        self._count = count


def _order(distinct: DistinctTexts, keep: Keep) -> Ints | None:
    if keep == "longest":
        return np.argsort(-distinct.chars, kind="stable")
    return np.argsort(-distinct.last, kind="stable") if keep == "last" else None


def _of_all_texts(distinct: DistinctTexts, found: Deduplicated, keep: Keep) -> Deduplicated:
    """Spread what was found of the different texts over all, each kind standing for its equal texts."""
    named = distinct.last if keep == "last" else distinct.first
    duplicate_of = named[found.duplicate_of[distinct.kinds]]
    kept = np.flatnonzero(duplicate_of == np.arange(len(duplicate_of)))
    return Deduplicated(kept, duplicate_of, found.scores[distinct.kinds], found.threshold, found.method)


@contextmanager
def _reordered(vectors: Array, order: Array | None) -> Iterator[Array]:
    if order is None or not len(vectors):
        yield vectors
        return
    if not np.array_equal(np.sort(order), np.arange(len(vectors))):
        raise ShapeError(f"order must name each of the {len(vectors):,} rows once.")
    with tempfile.TemporaryFile(prefix="gtekit-") as file:
        for begin in range(0, len(vectors), COPY_ROWS):
            file.write(np.ascontiguousarray(vectors[order[begin : begin + COPY_ROWS]]).data)
        file.flush()
        yield np.memmap(file, vectors.dtype, "r", shape=vectors.shape)


def _scattered(scores: Floats, order: Array) -> Floats:
    found = np.empty_like(scores)
    found[order] = scores
    return found


def _check_choices(keep: str, method: str) -> None:
    for name, value, choices in (("keep", keep, get_args(Keep)), ("method", method, get_args(Join))):
        if value not in choices:
            raise ArgumentError(f"{name}={value!r} is not possible; choose from: {', '.join(choices)}.")
