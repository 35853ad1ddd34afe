"""The texts: words from the checkpoint's own vocabulary, with lengths that are the same in every run.

Lengths are the quantiles of a log-normal distribution and not random draws, so that a corpus of any size has the
same shape; only their order and the words come from the seeded generator. Speed depends on lengths alone.
"""

import json
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist

SEED = 20261123
SPECIAL_TOKENS = 2  # [CLS] and [SEP]


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """Texts of one shape. Lengths are in tokens, [CLS] and [SEP] included."""

    name: str
    title: str
    texts: int
    median: float
    sigma: float  # of the logarithm of the length
    shortest: int
    longest: int


MIXED = Workload(name="mixed", title="mixed-length corpus", texts=400, median=85, sigma=0.83, shortest=3, longest=512)
QUERIES = Workload(name="queries", title="short queries", texts=1000, median=10, sigma=0.3, shortest=5, longest=24)
DOCUMENTS = Workload(
    name="documents", title="512-token documents", texts=16, median=512, sigma=0, shortest=512, longest=512
)
WORKLOADS = {workload.name: workload for workload in (MIXED, QUERIES, DOCUMENTS)}


def lengths_of(workload: Workload, count: int) -> list[int]:
    """Give `count` lengths in tokens, ascending."""
    quantiles = (NormalDist().inv_cdf((row + 0.5) / count) for row in range(count))
    wished = (round(workload.median * math.exp(workload.sigma * z)) for z in quantiles)
    return [min(max(length, workload.shortest), workload.longest) for length in wished]


def whole_words(model: Path) -> list[str]:
    """Read the words that the checkpoint's tokenizer keeps whole: each is one token."""
    if (model / "vocab.txt").is_file():
        vocabulary = (model / "vocab.txt").read_text(encoding="utf-8").splitlines()
    else:
        ids: dict[str, int] = json.loads((model / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
        vocabulary = sorted(ids, key=ids.__getitem__)
    words = [word for word in vocabulary if word.isascii() and word.isalpha() and word.islower() and len(word) > 1]
    if len(words) < 100:
        raise SystemExit(f"{model}: only {len(words)} whole words in the vocabulary, at least 100 are needed.")
    return words


def write_text(length: int, words: Sequence[str], random_numbers: random.Random) -> str:
    """Write sentences of `length` tokens in all. Frequent words, early in the vocabulary, come more often (Zipf)."""
    left = length - SPECIAL_TOKENS
    sentences: list[str] = []
    while left > 0:
        size = min(left, random_numbers.randint(8, 20))  # the full stop is one of them
        picked = [words[int(len(words) ** random_numbers.random()) - 1] for _ in range(max(size - 1, 1))]
        sentences.append(" ".join(picked).capitalize() + ("." if size > 1 else ""))
        left -= size
    return " ".join(sentences)


def write_texts(workload: Workload, count: int, words: Sequence[str], max_tokens: int) -> list[str]:
    """Write the texts of a workload, none longer than the model reads, in an order unrelated to length."""
    random_numbers = random.Random(f"{SEED} {workload.name}")
    lengths = [min(length, max_tokens) for length in lengths_of(workload, count)]
    random_numbers.shuffle(lengths)
    return [write_text(length, words, random_numbers) for length in lengths]


def describe(lengths: Sequence[int]) -> dict[str, float]:
    """Summarize lengths in tokens."""
    ordered = sorted(lengths)
    deciles = {f"p{share}": ordered[(len(ordered) - 1) * share // 100] for share in (10, 25, 50, 75, 90, 99)}
    total = sum(ordered)
    mean_of_a_token = sum(length * length for length in ordered) / total  # how long the text of a random token is
    return {
        "texts": len(ordered),
        "tokens": total,
        "shortest": ordered[0],
        **deciles,
        "longest": ordered[-1],
        "mean": round(total / len(ordered), 1),
        "token_weighted_mean": round(mean_of_a_token, 1),
    }
