"""The table of gte-small's model card, as printed there: what the published averages are checked against.

Source: https://huggingface.co/thenlper/gte-small, section Metrics. Scores are in points, 0 to 100.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

SOURCE = "https://huggingface.co/thenlper/gte-small"

CATEGORIES: Mapping[str, int] = MappingProxyType(  # in the order of the page, with the number of tasks in each
    {
        "Clustering": 11,
        "PairClassification": 3,
        "Reranking": 4,
        "Retrieval": 15,
        "STS": 10,
        "Summarization": 1,
        "Classification": 12,
    }
)
ALL_TASKS = sum(CATEGORIES.values())  # 56


@dataclass(frozen=True, slots=True)
class PageRow:
    """One model of the page."""

    model: str
    size_gb: float | None  # of its files; None: nobody can download it
    dimension: int
    max_tokens: int
    average: float  # over all 56 tasks
    categories: Mapping[str, float]


def _row(model: str, size_gb: float | None, dimension: int, max_tokens: int, *scores: float) -> PageRow:
    return PageRow(model, size_gb, dimension, max_tokens, scores[0], dict(zip(CATEGORIES, scores[1:], strict=True)))


PAGE = (
    _row("gte-large", 0.67, 1024, 512, 63.13, 46.84, 85.00, 59.13, 52.22, 83.35, 31.66, 73.33),
    _row("gte-base", 0.22, 768, 512, 62.39, 46.20, 84.57, 58.61, 51.14, 82.30, 31.17, 73.01),
    _row("e5-large-v2", 1.34, 1024, 512, 62.25, 44.49, 86.03, 56.61, 50.56, 82.05, 30.19, 75.24),
    _row("e5-base-v2", 0.44, 768, 512, 61.50, 43.80, 85.73, 55.91, 50.29, 81.05, 30.28, 73.84),
    _row("gte-small", 0.07, 384, 512, 61.36, 44.89, 83.54, 57.70, 49.46, 82.07, 30.42, 72.31),
    _row("text-embedding-ada-002", None, 1536, 8192, 60.99, 45.90, 84.89, 56.32, 49.25, 80.97, 30.80, 70.93),
    _row("sentence-t5-xxl", 9.73, 768, 512, 59.51, 43.72, 85.06, 56.42, 42.24, 82.63, 30.08, 73.42),
)
