"""Which sentences should a summary take? Ways to choose them, held against summaries by people.

    python -m benchmarks.summarization --data ../shared/data/mteb/SummEval --output build/summarization

SummEval has 100 news articles with 11 summaries by people each. Every way chooses sentences for at most 75 words, so
that none wins by choosing long ones; ROUGE-1 and ROUGE-2 (F1, mean over the 11) say how many words and pairs of words
agree.
Differences to the way that `gtekit.tasks.summarize` goes are given with a 95 % interval from 10,000 draws of articles.
The score of the task itself, which judges summaries by machines with `summary_scores`, comes first.
"""

import argparse
import gzip
import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import gtekit
from benchmarks.machine import describe_machine
from gtekit.arrays import Array, Floats, Ints
from gtekit.evaluation.metrics import spearman_with_p
from gtekit.sentences import sentence_spans
from gtekit.tasks import summary_scores
from gtekit.tasks.mmr import diversify
from gtekit.tasks.summarize import DIVERSITY

WORDS = 75
DRAWS = 10_000
DIVERSITIES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7)
DAMPING = 0.85
CHOSEN = "whole text"


@dataclass(frozen=True, slots=True)
class Article:
    """One text with its sentences and what people wrote of it."""

    sentences: list[str]
    vectors: Floats  # (N, D)
    center: Floats  # (D,), of the whole text
    references: list[list[str]]  # as words


def whole_text(article: Article) -> Floats:
    """Cosine with the vector of the whole text."""
    return article.vectors @ article.center


def mean_sentence(article: Article) -> Floats:
    """Cosine with the mean of the sentences' vectors."""
    mean = article.vectors.mean(axis=0)
    return article.vectors @ (mean / np.linalg.norm(mean)).astype(np.float32)


def lexrank(article: Article, threshold: float = 0.0) -> Floats:
    """LexRank (Erkan and Radev 2004, arXiv:1109.2128) on cosines of embeddings, 1 for the most central."""
    cosines = np.clip(article.vectors @ article.vectors.T, 0, 1).astype(np.float64)
    links = (cosines > threshold).astype(np.float64) if threshold else cosines
    steps = links / links.sum(axis=1, keepdims=True)
    ranks = np.full(len(steps), 1 / len(steps))
    for _ in range(100):
        ranks = (1 - DAMPING) / len(steps) + DAMPING * ranks @ steps
    return (ranks / ranks.max()).astype(np.float32)


WAYS: dict[str, Callable[[Article], Floats]] = {
    CHOSEN: whole_text,
    "mean of the sentences": mean_sentence,
    "LexRank, weighted": lexrank,
    "LexRank, links above 0.1": lambda article: lexrank(article, 0.1),
    "LexRank, links above 0.3": lambda article: lexrank(article, 0.3),
}


def words_of(text: str) -> list[str]:
    """Give the words of a text for counting."""
    return re.findall(r"\w+", text.lower())


def rouge(summary: Sequence[str], reference: Sequence[str], size: int) -> float:
    """F1 of the runs of `size` words that both have."""
    ours, theirs = (Counter(zip(*(words[i:] for i in range(size)), strict=False)) for words in (summary, reference))
    both = (ours & theirs).total()
    return 2 * both / max(1, ours.total() + theirs.total())


def within_budget(article: Article, order: Sequence[int] | Ints) -> list[str]:
    """Take sentences, best first, while there is room, and give the words in the order of the text."""
    chosen: list[int] = []
    used = 0
    for index in map(int, order):
        length = len(words_of(article.sentences[index]))
        if used + length <= WORDS:
            chosen.append(index)
            used += length
    return [word for index in sorted(chosen) for word in words_of(article.sentences[index])]


def judge(articles: Sequence[Article], order_of: Callable[[Article], Sequence[int] | Ints]) -> Array:
    """Give ROUGE-1 and ROUGE-2 of each article's summary in points, shape (articles, 2)."""
    scores = []
    for article in articles:
        summary = within_budget(article, order_of(article))
        scores.append([100 * np.mean([rouge(summary, r, size) for r in article.references]) for size in (1, 2)])
    return np.array(scores)


def compare(articles: Sequence[Article]) -> list[dict[str, Any]]:
    """Judge every way with every diversity, beside the first sentences and chance."""
    random_numbers = np.random.default_rng(0)
    found: dict[tuple[str, float | None], Array] = {
        ("first sentences", None): judge(articles, lambda article: range(len(article.sentences))),
        ("by chance", None): judge(articles, lambda article: random_numbers.permutation(len(article.sentences))),
    }
    for name, way in WAYS.items():
        for diversity in DIVERSITIES:

            def order(article: Article, way: Callable[[Article], Floats] = way, d: float = diversity) -> Ints:
                return diversify(way(article), article.vectors, len(article.sentences), d)

            found[name, diversity] = judge(articles, order)
    shipped = found[CHOSEN, DIVERSITY]
    draws = np.random.default_rng(1).integers(0, len(articles), (DRAWS, len(articles)))
    rows = []
    for (name, row_diversity), scores in found.items():
        difference = (scores - shipped)[draws].mean(axis=1)
        low, high = np.percentile(difference, [2.5, 97.5], axis=0)
        rows.append(
            {
                "way": name,
                "diversity": row_diversity,
                **{
                    f"rouge_{size}": {
                        "mean": float(scores[:, column].mean()),
                        "difference": float((scores - shipped)[:, column].mean()),
                        "low": float(low[column]),
                        "high": float(high[column]),
                    }
                    for column, size in enumerate((1, 2))
                },
            }
        )
    return rows


def task_score(model: gtekit.Embedder, rows: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Score the task as MTEB's first version does, the mean of correlation and p value, and by correlation alone."""
    scored = [
        spearman_with_p(
            row["relevance"], summary_scores(model, row["human_summaries"], row["machine_summaries"]).tolist()
        )
        for row in rows
        if len(set(row["relevance"])) > 1
    ]
    return {"cosine_spearman": 100 * float(np.mean(scored)), "correlation": 100 * float(np.mean(scored, axis=0)[0])}


def read_article(model: gtekit.Embedder, row: dict[str, Any]) -> Article:
    """Embed the sentences of an article and the whole of it."""
    sentences = [row["text"][begin:end] for begin, end in sentence_spans(row["text"])]
    vectors = model.encode([*sentences, row["text"]], normalize=True, on_truncation="chunk")
    return Article(sentences, vectors[:-1], vectors[-1], [words_of(text) for text in row["human_summaries"]])


def markdown(result: dict[str, Any]) -> str:
    """Give the result as tables."""
    task = result["task"]
    lines = [
        f"# Summaries on SummEval, {result['model']}, {result['precision']}",
        "",
        f"The task's score through `summary_scores`: {task['cosine_spearman']:.2f} (mean of correlation and p value, "
        f"as published); the correlation alone: {task['correlation']:.2f}.",
        "",
        f"Sentences for at most {WORDS} words of {result['articles']} articles. Differences are to the way that "
        f"`summarize` goes ({CHOSEN}, diversity {DIVERSITY}), with 95 % intervals.",
        "",
        "| sentences nearest to | diversity | ROUGE-1 | difference | ROUGE-2 | difference |",
        "|---|---|---|---|---|---|",
    ]
    for row in result["ways"]:
        cells = [row["way"], "-" if row["diversity"] is None else f"{row['diversity']:g}"]
        for size in (1, 2):
            one = row[f"rouge_{size}"]
            cells += [f"{one['mean']:.2f}", f"{one['difference']:+.2f} ({one['low']:+.2f} to {one['high']:+.2f})"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join([*lines, ""])


def main() -> None:
    """Measure and write summarization.json and summarization.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="a folder with test.jsonl.gz")
    parser.add_argument("--output", type=Path, required=True, help="a folder, made where it is not there")
    parser.add_argument("--model", default="all-MiniLM-L6-v2")
    parser.add_argument("--precision", choices=("float32", "int8"), default="float32")
    arguments = parser.parse_args()
    with gzip.open(arguments.data / "test.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    model = gtekit.load(arguments.model, precision=arguments.precision)
    result = {
        "model": model.name,
        "fingerprint": model.fingerprint,
        "precision": model.precision,
        "machine": describe_machine(),
        "articles": len(rows),
        "task": task_score(model, rows),
        "ways": compare([read_article(model, row) for row in rows]),
    }
    arguments.output.mkdir(parents=True, exist_ok=True)
    (arguments.output / "summarization.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    (arguments.output / "summarization.md").write_text(markdown(result), encoding="utf-8")
    print(markdown(result))


if __name__ == "__main__":
    main()
