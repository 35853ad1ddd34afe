"""How fast are all pairs above a threshold found, beside `paraphrase_mining_embeddings` of sentence-transformers?

    PYTHONPATH=src .venv-eval/bin/python -m benchmarks.duplicates --output benchmarks/results/duplicates

Both get the same vectors in one process and take turns. sentence-transformers knows no threshold: it is given the
smallest `top_k` and `max_pairs` with which it leaves no pair of the threshold out, and what lies below is dropped.
Brute force by numpy, in blocks of the upper triangle, says which pairs there are.
"""

import argparse
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import describe_machine, load_average
from benchmarks.search_vectors import base_vectors, noisy_vectors
from gtekit.arrays import Floats, Ints
from gtekit.engine.native import chosen_isa
from gtekit.nearest import Pairs, pairs_above
from gtekit.threads import available_threads

BLOCK = 4096
ROUNDING = 2e-6  # products this close to the threshold are on one side in one order of the sum, on the other in another

Result = dict[str, Any]


def all_above(vectors: Floats, threshold: float) -> Pairs:
    blocks = list(pairs_above(vectors, threshold))
    return Pairs(*(np.concatenate([getattr(block, name) for block in blocks]) for name in ("left", "right", "scores")))


def brute_force(vectors: Floats, threshold: float) -> tuple[Ints, int]:
    """Give the pairs as numbers left * N + right, and how many products lie within rounding of the threshold."""
    found, close = [], 0
    for first in range(0, len(vectors), BLOCK):
        block = vectors[first : first + BLOCK]
        products = block @ vectors[: first + len(block)].T
        right, left = np.nonzero(products >= threshold - ROUNDING)
        is_pair = left < right + first
        right, left = right[is_pair], left[is_pair]
        scores = products[right, left]
        close += int((scores < threshold + ROUNDING).sum())
        is_above = scores >= np.float32(threshold)
        found.append(left[is_above] * len(vectors) + right[is_above] + first)
    return np.sort(np.concatenate(found)), close


def mine(vectors: object, top_k: int, max_pairs: int) -> list[list[float]]:
    from sentence_transformers.util import paraphrase_mining_embeddings

    pairs: list[list[float]] = paraphrase_mining_embeddings(vectors, top_k=top_k, max_pairs=max_pairs)
    return pairs


def measure(vectors: Floats, threshold: float, rounds: int) -> Result:
    """Time both in turns, and compare what they find."""
    import torch

    pairs = all_above(vectors, threshold)
    partners = np.bincount(np.concatenate([pairs.left, pairs.right]), minlength=len(vectors))
    # as many as the most partners of a row; a few more pairs than there are, so that rounding leaves none out
    top_k, max_pairs = int(partners.max()), len(pairs.left) + 1000
    tensor = torch.from_numpy(vectors)
    ours, theirs = [], []
    mined: list[list[float]] = []
    for _ in range(rounds):
        begun = time.perf_counter()
        pairs = all_above(vectors, threshold)
        ours.append(time.perf_counter() - begun)
        begun = time.perf_counter()
        mined = mine(tensor, top_k, max_pairs)
        theirs.append(time.perf_counter() - begun)
        print(f"gtekit {ours[-1]:.1f} s, sentence-transformers {theirs[-1]:.1f} s", file=sys.stderr)
    expected, close = brute_force(vectors, threshold)
    numbers = np.sort(pairs.left * len(vectors) + pairs.right)
    of_theirs = np.array([i * len(vectors) + j for score, i, j in mined if score >= threshold], np.int64)
    return {
        "rows": len(vectors),
        "threshold": threshold,
        "pairs": len(numbers),
        "pairs_by_brute_force": len(expected),
        "pairs_by_sentence_transformers": len(of_theirs),
        "missed_of_brute_force": len(np.setdiff1d(expected, numbers)),
        "beyond_brute_force": len(np.setdiff1d(numbers, expected)),
        "missed_by_sentence_transformers": len(np.setdiff1d(expected, of_theirs)),
        "products_within_rounding_of_threshold": close,
        "top_k": top_k,
        "gtekit_seconds": ours,
        "sentence_transformers_seconds": theirs,
        "ratio": statistics.median(their / our for their, our in zip(theirs, ours, strict=True)),
    }


def table(result: Result) -> str:
    """Write the result as Markdown."""
    ours, theirs = (statistics.median(result[f"{name}_seconds"]) for name in ("gtekit", "sentence_transformers"))
    machine = result["machine"]
    return (
        f"All pairs of {result['rows']:,} vectors with a cosine of at least {result['threshold']}, {result['threads']} "
        f"threads, kernels {result['isa']}, rounds: {len(result['gtekit_seconds'])}. Load of the machine before and "
        f"after: {machine['load_before']}, {machine['load_after']}.\n\n"
        "| | seconds | pairs | missed of brute force |\n|---|---:|---:|---:|\n"
        f"| gtekit | {ours:.1f} | {result['pairs']:,} | {result['missed_of_brute_force']} |\n"
        f"| sentence-transformers, top_k {result['top_k']} | {theirs:.1f} | "
        f"{result['pairs_by_sentence_transformers']:,} | {result['missed_by_sentence_transformers']} |\n"
        f"| brute force by numpy | | {result['pairs_by_brute_force']:,} | |\n\n"
        f"gtekit is {result['ratio']:.1f} times as fast. {result['products_within_rounding_of_threshold']} products "
        "lie so close to the threshold that the order of a sum decides.\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True, help="folder for duplicates.json and .md")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--threshold", type=float, default=0.85)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--vectors", type=Path, default=Path("build/benchmarks/minilm.npy"), help="kept between runs")
    args = parser.parse_args()
    machine = describe_machine()
    vectors = noisy_vectors(base_vectors(args.vectors), args.rows)
    result = {
        "question": "duplicates",
        "isa": chosen_isa(None),
        "threads": available_threads().threads,
        **measure(vectors, args.threshold, args.rounds),
        "machine": {**machine, "load_after": load_average()},
    }
    args.output.mkdir(parents=True, exist_ok=True)
    (args.output / "duplicates.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    (args.output / "duplicates.md").write_text(table(result), encoding="utf-8")
    print(table(result))


if __name__ == "__main__":
    main()
