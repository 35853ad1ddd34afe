"""Vectors to search in: all-MiniLM-L6-v2's of short English texts, repeated as often as it takes with other noise.

The texts are MTEB's Banking77 and TwitterURLCorpus in ../shared/data/mteb. A vector and its noisy copy have a cosine of
about 0.89, two copies 0.8: near-duplicates, with the directions that a trained model gives.
"""

import gzip
import json
from pathlib import Path

import numpy as np

import gtekit
from benchmarks.real_texts import MTEB
from benchmarks.workloads import SEED
from gtekit.arrays import Floats
from gtekit.cosines import l2_normalize

FILES = (("Banking77Classification/train.jsonl.gz", "text"), ("TwitterURLCorpus/test.jsonl.gz", "sent2"))
BASE_TEXTS = 12_000
NOISE = 0.5  # length of what is added to vectors of length 1


def base_vectors(cache: Path) -> Floats:
    """Embed the texts, or read the vectors of an earlier run from the file."""
    if cache.is_file():
        stored: Floats = np.load(cache)
        return stored
    texts: dict[str, None] = {}
    for file, field in FILES:
        with gzip.open(MTEB / file, "rt", encoding="utf-8") as lines:
            texts.update(dict.fromkeys(json.loads(line)[field] for line in lines))
    some = list(texts)
    np.random.default_rng(SEED).shuffle(some)
    vectors = gtekit.load("all-MiniLM-L6-v2").encode(some[:BASE_TEXTS])
    cache.parent.mkdir(parents=True, exist_ok=True)
    np.save(cache, vectors)
    return vectors


def noisy_vectors(base: Floats, count: int, seed: int = SEED) -> Floats:
    """Give `count` normalized vectors: the base as it is, or the first of it, then copies with noise."""
    random_numbers = np.random.default_rng(seed)
    vectors = np.empty((count, base.shape[1]), np.float32)
    for first in range(0, count, len(base)):
        block = base[: count - first]
        noise = l2_normalize(random_numbers.standard_normal(block.shape, np.float32))
        vectors[first : first + len(block)] = l2_normalize(block + np.float32(NOISE) * noise) if first else block
    return vectors


def query_vectors(base: Floats, count: int) -> Floats:
    """Give queries: noisy copies of other rows than those that a batch begins with."""
    return noisy_vectors(np.roll(base, -count, axis=0)[:count].copy(), 2 * count, seed=SEED + 1)[count:]
