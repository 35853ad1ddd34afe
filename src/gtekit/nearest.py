"""The nearest vectors, exactly: the best of all products of queries with rows, without keeping all products."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from gtekit import _core
from gtekit.arrays import Array, Floats, Ints
from gtekit.engine.native import chosen_isa
from gtekit.errors import ArgumentError, ShapeError
from gtekit.inputs import check_count
from gtekit.threads import MOST_THREADS, VARIABLE, available_threads

BLOCK_ROWS = 4096  # later rows of pairs that are looked for in one go
MOST_PAIRS = 1 << 22  # of one block: 84 MB here, and twice that while they are put in order


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of rows whose product reaches a threshold."""

    left: Ints  # (P,), always the smaller row number
    right: Ints  # (P,)
    scores: Floats  # (P,)


def nearest(
    queries: Array, vectors: Array, top_k: int, *, allowed: Array | None = None, threads: int | None = None
) -> tuple[Floats, Ints]:
    """Find the rows with the largest products.

    Every product is summed in one order, number by number, in float32: it has the same bits whatever the other
    queries, the rows allowed and the threads are.

    Args:
        queries: Shape (Q, D), float32 or float16, normalized where cosines are wanted.
        vectors: Shape (N, D), float32 or float16, in memory or memory-mapped, row by row. What does not lie row by
            row is copied.
        top_k: How many to find for each query.
        allowed: Which rows may be found, bool, shape (N,); None: all.
        threads: The most to use; None: as many as this process may.

    Returns:
        Scores and row numbers, each (Q, min(top_k, rows allowed)), best first; of equal ones the earlier row. What is
        no number comes last.

    Raises:
        ShapeError: If the dimensions differ, or `allowed` has not one value for each row.
        ArgumentError: If an array is of another type, or `top_k` or `threads` is not possible.
        EngineError: If GTEKIT_ISA names kernels that can't run here.
    """
    check_count("top_k", top_k)
    queries, vectors = _readable(queries, "queries"), _readable(vectors, "vectors")
    if queries.shape[1] != vectors.shape[1]:
        raise ShapeError(
            f"queries have shape {queries.shape}, vectors {vectors.shape}; both need two dimensions, the second alike."
        )
    rows = len(vectors)
    if allowed is not None:
        allowed = _check_allowed(allowed, rows)
        rows = int(np.count_nonzero(allowed))
    return _core.find_nearest(
        queries,
        vectors,
        top_k=min(int(top_k), rows),
        allowed=None if allowed is None else allowed.view(np.uint8),
        isa=chosen_isa(None),
        threads=_choose_threads(threads),
    )


def pairs_above(
    vectors: Array, threshold: float, *, threads: int | None = None, report: Callable[[int], None] | None = None
) -> Iterator[Pairs]:
    """Find every pair of rows whose product is at least `threshold`.

    The products are those of `nearest`, bit for bit.

    Args:
        vectors: Shape (N, D), float32 or float16, normalized where cosines are wanted; in memory or memory-mapped.
        threshold: The least product, taken as float32.
        threads: The most to use; None: as many as this process may.
        report: Told how many rows have been compared with all before them, after each block and before it comes out.

    Yields:
        Blocks of pairs, by their right rows, then their left ones. A block has no more than MOST_PAIRS pairs, or those
        of one right row; that bounds the memory.

    Raises:
        ShapeError: If there are not two dimensions.
        ArgumentError: If the array is of another type, or `threshold` or `threads` is not possible.
        EngineError: If GTEKIT_ISA names kernels that can't run here.
    """
    vectors = _readable(vectors, "vectors")
    if np.isnan(threshold):
        raise ArgumentError("threshold is NaN, which no product reaches; give a number, such as 0.9.")
    return _blocks_of_pairs(vectors, float(np.float32(threshold)), _choose_threads(threads), report)


def _blocks_of_pairs(
    vectors: Array, threshold: float, threads: int, report: Callable[[int], None] | None
) -> Iterator[Pairs]:
    isa = chosen_isa(None)
    begin, rows = 0, BLOCK_ROWS
    while begin < len(vectors):
        end = min(begin + rows, len(vectors))
        most = MOST_PAIRS if end - begin > 1 else len(vectors)
        found = _core.find_pairs(vectors, begin, end, threshold=threshold, most=most, isa=isa, threads=threads)
        if found is None:  # too many for one block: the same rows again in smaller ones
            rows = (end - begin + 1) // 2
            continue
        begin, rows = end, min(2 * rows, BLOCK_ROWS)
        if report is not None:
            report(end)
        if len(found[0]):
            yield Pairs(*found)


def _readable(vectors: Array, name: str) -> Array:
    """Give the array as the core reads it: float32 or float16, row by row."""
    if not isinstance(vectors, np.ndarray) or vectors.dtype not in (np.float32, np.float16):
        found = vectors.dtype if isinstance(vectors, np.ndarray) else type(vectors).__name__
        raise ArgumentError(f"{name} are {found}; expected a numpy array of float32 or float16.")
    if vectors.ndim != 2:
        raise ShapeError(f"{name} have shape {vectors.shape}; expected two dimensions, a vector in each row.")
    return np.ascontiguousarray(vectors)


def _check_allowed(allowed: Array, rows: int) -> Array:
    if not isinstance(allowed, np.ndarray) or allowed.dtype != np.bool_:
        found = allowed.dtype if isinstance(allowed, np.ndarray) else type(allowed).__name__
        raise ArgumentError(f"allowed is {found}; expected a numpy array of bool, one for each row.")
    if allowed.shape != (rows,):
        raise ShapeError(f"allowed has shape {allowed.shape}; expected ({rows},), one value for each row of vectors.")
    return np.ascontiguousarray(allowed)


def _choose_threads(threads: int | None) -> int:
    if threads is None:
        return _available(os.environ.get(VARIABLE))
    check_count("threads", threads, most=MOST_THREADS)
    return int(threads)


@lru_cache(maxsize=1)
def _available(_chosen: str | None) -> int:
    return available_threads().threads  # reads files for 0.3 ms, as long as one query takes among 10,000 rows
