"""Rows for the tests of the backend over LanceDB."""

import numpy as np

from gtekit.arrays import Floats
from gtekit.cosines import l2_normalize
from gtekit.index.interface import Records, Space, Value

D = 32
SPACE = Space("f" * 64, "some-model", D, "int8", {"document": "passage: "})


def vectors(count: int, seed: int = 0) -> Floats:
    return l2_normalize(np.random.default_rng(seed).normal(size=(count, D)).astype(np.float32))


def rows(ids: list[str], seed: int = 0, metadata: list[dict[str, Value]] | None = None) -> Records:
    return Records(ids, vectors(len(ids), seed), [f"the {name} runs" for name in ids], metadata)


def many(count: int, seed: int = 0) -> Records:
    return rows([f"row{number}" for number in range(count)], seed, [{"n": number} for number in range(count)])


def best(records: Records, query: Floats, top_k: int) -> list[str]:
    stored = np.asarray(records.vectors, np.float16).astype(np.float32)
    order = np.argsort(-(stored @ query), kind="stable")[:top_k]
    return [records.ids[row] for row in order]
