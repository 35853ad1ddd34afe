"""The golden files: which there are, what is in them, and how a vector is held against them.

NAME.npz holds the numbers and NAME.json who made them, with which command, from which texts and which tensors.
`record.py` writes both.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gtekit.arrays import Floats, Ints, TokenIds
from tests.golden.texts import all_texts, few_texts, long
from tests.reference import normalized

FOLDER = Path(__file__).parent
MIN_COSINE = 0.999999
MAX_ABS_DIFF = 2e-5  # between unit vectors. float32, another order of summation: right ones stay below 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A checkpoint, the texts that it embeds, and where they are cut."""

    name: str
    texts: tuple[str, ...]
    max_tokens: int
    size: Literal["small", "base", "large"] | None = None  # None: the real all-MiniLM-L6-v2
    num_layers: int | None = None
    seed: int = 0


FEW, ALL, LONG = tuple(few_texts()), tuple(all_texts()), tuple(long())
RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe(name="gte-small", size="small", num_layers=12, seed=1, texts=FEW, max_tokens=512),
        Recipe(name="gte-base", size="base", num_layers=4, seed=2, texts=FEW, max_tokens=512),
        Recipe(name="gte-large", size="large", num_layers=2, seed=3, texts=FEW, max_tokens=512),
        Recipe(name="all-MiniLM-L6-v2", texts=ALL, max_tokens=256),  # as its sentence_bert_config.json says
        Recipe(name="all-MiniLM-L6-v2-at-512", texts=LONG, max_tokens=512),
    )
}
SEEDED = tuple(name for name, recipe in RECIPES.items() if recipe.size)


@dataclass(frozen=True, slots=True, kw_only=True)
class Golden:
    """What transformers gave."""

    about: Mapping[str, Any]  # program versions, command, hashes
    token_ids: TokenIds  # (S,), as transformers' tokenizer gives them, cut at max_tokens
    cu_seqlens: Ints  # (B + 1,)
    mean: Floats  # (B, D), not normalized
    cls: Floats  # (B, D), not normalized; (0, D) where the checkpoint is not seeded, to keep the file small

    def texts(self) -> list[TokenIds]:
        return np.split(self.token_ids, self.cu_seqlens[1:-1])

    def embeddings(self, pooling: str) -> NDArray[np.float64]:
        """Unit vectors, shape (B, D)."""
        return normalized(self.mean if pooling == "mean" else self.cls)

    def first(self, count_tokens: int) -> int:
        """How many texts from the start have so many tokens together: for kernels that are slow."""
        return int(np.searchsorted(self.cu_seqlens, count_tokens, side="right")) - 1


@cache
def read_golden(name: str) -> Golden:
    with np.load(FOLDER / f"{name}.npz", allow_pickle=False) as arrays:
        about = json.loads((FOLDER / f"{name}.json").read_text())
        return Golden(about=about, **{key: arrays[key] for key in ("token_ids", "cu_seqlens", "mean", "cls")})


def tensors_hash(tensors: Mapping[str, NDArray[Any]]) -> str:
    """Sha256 over the names, shapes, dtypes and values of all tensors, in the order of their names."""
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.shape} {tensor.dtype.str}".encode())
        digest.update(np.ascontiguousarray(tensor).data)
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Deviation:
    """How far vectors are from the golden ones."""

    min_cosine: float
    max_abs_diff: float

    @property
    def is_golden(self) -> bool:
        return self.min_cosine >= MIN_COSINE and self.max_abs_diff <= MAX_ABS_DIFF


def deviation(embeddings: NDArray[Any], golden: NDArray[np.float64]) -> Deviation:
    """Compare unit vectors row by row. NaN anywhere counts as infinitely far."""
    assert embeddings.shape == golden.shape
    rows = embeddings.astype(np.float64)
    if not np.isfinite(rows).all():
        return Deviation(-1.0, np.inf)
    cosines = (rows * golden).sum(axis=1) / np.linalg.norm(rows, axis=1)
    return Deviation(float(cosines.min()), float(np.abs(rows - golden).max()))
