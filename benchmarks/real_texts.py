"""Real English for the accuracy question: what 8 bits cost shows on text that a trained model understands.

Texts have the lengths of the mixed corpus, in words instead of tokens, and are made of whole sentences that follow
one another: of MTEB's abstracts, news and captions where ../shared/data/mteb is, else of this repository's own pages.
"""

import gzip
import json
import math
import random
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.workloads import MIXED, SEED, lengths_of

ROOT = Path(__file__).resolve().parent.parent
MTEB = ROOT.parent / "shared" / "data" / "mteb"
MTEB_FIELDS = (
    ("SciFact/corpus.jsonl.gz", "text"),
    ("SummEval/test.jsonl.gz", "text"),
    ("STSBenchmark/test.jsonl.gz", "sentence1"),
)
TOKENS_PER_WORD = 1.4  # of English prose, punctuation included
SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
NO_PROSE = re.compile(r"^(```.*?^```|\s*[|#<].*?$|\s{4,}.*?$)", re.MULTILINE | re.DOTALL)  # code, tables, headings


def mteb_passages() -> Iterator[str]:
    """Read passages of MTEB test sets."""
    for file, field in MTEB_FIELDS:
        with gzip.open(MTEB / file, "rt", encoding="utf-8") as lines:
            for line in lines:
                yield json.loads(line)[field]


def repository_passages() -> Iterator[str]:
    """Read the prose of this repository's pages."""
    for file in [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")), ROOT / "benchmarks" / "README.md"]:
        for paragraph in NO_PROSE.sub("", file.read_text(encoding="utf-8")).split("\n\n"):
            if prose := " ".join(paragraph.split()):
                yield prose


def compose(passages: Sequence[str], words: Sequence[int]) -> list[str]:
    """Join sentences that follow one another to texts of about so many words each, from the first passage on."""
    sentences = (sentence for passage in passages for sentence in SENTENCE_END.split(passage) if sentence)
    texts = []
    for wanted in words:
        picked: list[str] = []
        found = 0
        while found < wanted and (sentence := next(sentences, None)):
            picked.append(sentence)
            found += len(sentence.split())
        if picked:
            texts.append(" ".join(" ".join(picked).split()[:wanted]))
    return texts


def real_texts(count: int) -> tuple[str, list[str]]:
    """Give where the texts come from, and `count` of them; passages come again if they don't suffice."""
    random_numbers = random.Random(f"{SEED} real")
    source = "MTEB" if MTEB.is_dir() else "this repository's pages"
    passages = list(mteb_passages() if MTEB.is_dir() else repository_passages())
    words = [max(round(length / TOKENS_PER_WORD), 2) for length in lengths_of(MIXED, count)]
    passages *= math.ceil(2 * sum(words) / sum(len(passage.split()) for passage in passages))
    random_numbers.shuffle(passages)
    random_numbers.shuffle(words)
    return source, compose(passages, words)
