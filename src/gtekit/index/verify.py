"""Reading an index back, to find what is wrong with it."""

import numpy as np

from gtekit.errors import VectorIndexError
from gtekit.index.interface import Backend, Records

LENGTH_TOLERANCE = 2e-3  # rounding each number to float16 changes it, and so the length, by at most 2 ** -11
MOST_PROBLEMS = 100


def verify(backend: Backend) -> list[str]:
    """Give what is wrong, at most MOST_PROBLEMS of it."""
    problems = backend.verify()
    seen: set[str] = set()
    rows = 0
    try:
        for records in backend.scan():
            rows += len(records.ids)
            problems += _look_at(records, seen, backend.space.dimension)
            if len(problems) > MOST_PROBLEMS:
                return [*problems[:MOST_PROBLEMS], "and more"]
        counted = backend.count()
    except VectorIndexError as error:
        return list(dict.fromkeys([*problems, str(error)]))
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
