"""Reading an index back, to find what is wrong with it."""

from contextlib import closing

import numpy as np

from gtekit.errors import VectorIndexError
from gtekit.index.interface import Backend, Records

LENGTH_TOLERANCE = 2e-3  # rounding each number to float16 changes it, and so the length, by at most 2 ** -11
MOST_PROBLEMS = 100
TRIES = 5  # to open a state that `optimize` of another process may drop


def verify(backend: Backend) -> list[str]:
    """Give what is wrong, at most MOST_PROBLEMS of it. Rows are those of one state: others may write meanwhile."""
    problems = backend.verify()
    try:
        with closing(_pinned(backend)) as state:
            problems += _read_rows(state)
    except VectorIndexError as error:
        problems.append(str(error))
    problems = list(dict.fromkeys(problems))
    return problems if len(problems) <= MOST_PROBLEMS else [*problems[:MOST_PROBLEMS], "and more"]


def _pinned(backend: Backend) -> Backend:
    """The newest state, to read only: again where another process has dropped it before it was opened."""
    for _ in range(TRIES - 1):
        version = backend.stats().version
        try:
            return backend.checkout(version)
        except VectorIndexError:
            if backend.stats().version == version:
                raise
    return backend.checkout(backend.stats().version)


def _read_rows(state: Backend) -> list[str]:
    problems: list[str] = []
    seen: set[str] = set()
    rows = 0
    try:
        for records in state.scan():
            rows += len(records.ids)
            problems += _look_at(records, seen, state.space.dimension)
            if len(problems) > MOST_PROBLEMS:
                return problems
        counted = state.count()
    except VectorIndexError as error:
        return [*problems, str(error)]
    if counted != rows:
        problems.append(f"the index counts {counted:,} rows, and {rows:,} can be read.")
    return problems


def _look_at(records: Records, seen: set[str], dimension: int) -> list[str]:
    problems = []
    for row_id in records.ids:
        if row_id in seen:
            problems.append(f"id {row_id!r} is there more than once.")
        seen.add(row_id)
    vectors = np.asarray(records.vectors, np.float32)
    if vectors.shape != (len(records.ids), dimension):
        return [*problems, f"vectors have shape {vectors.shape}, expected {(len(records.ids), dimension)}."]
    lengths = np.sqrt(np.einsum("nd,nd->n", vectors, vectors))
    for row in np.flatnonzero(~(np.abs(lengths - 1) < LENGTH_TOLERANCE)).tolist():
        problems.append(f"the vector of id {records.ids[row]!r} has the length {lengths[row]:.4g}, expected 1.")
    return problems
