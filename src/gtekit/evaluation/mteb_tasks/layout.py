"""The files that a task has in a folder of data, and the fields of their rows.

One folder a task, named as MTEB names it; in it JSON lines, plain (.jsonl) or packed (.jsonl.gz). SPLIT is the split
that MTEB scores: test, of MSMARCO dev.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Kind = Literal["text", "optional text", "texts", "number", "numbers", "grade", "label", "labels", "binary", "id"]
SPLIT = "SPLIT"


@dataclass(frozen=True, slots=True)
class FileLayout:
    """One file of a task."""

    name: str  # without .jsonl or .jsonl.gz
    fields: Mapping[str, Kind]
    as_long: tuple[tuple[str, str], ...] = ()  # pairs of fields whose lists have to be equally long


LAYOUTS: Mapping[str, tuple[FileLayout, ...]] = MappingProxyType(
    {
        "STS": (FileLayout(SPLIT, {"sentence1": "text", "sentence2": "text", "score": "number"}),),
        "PairClassification": (FileLayout(SPLIT, {"sent1": "text", "sent2": "text", "label": "binary"}),),
        "Classification": (
            FileLayout("train", {"text": "text", "label": "label"}),
            FileLayout(SPLIT, {"text": "text", "label": "label"}),
        ),
        "Clustering": (FileLayout(SPLIT, {"sentences": "texts", "labels": "labels"}, (("sentences", "labels"),)),),
        "Summarization": (
            FileLayout(
                SPLIT,
                {"text": "text", "human_summaries": "texts", "machine_summaries": "texts", "relevance": "numbers"},
                (("machine_summaries", "relevance"),),
            ),
        ),
        "Reranking": (FileLayout(SPLIT, {"query": "text", "positive": "texts", "negative": "texts"}),),
        "Retrieval": (
            FileLayout("corpus", {"_id": "id", "title": "optional text", "text": "text"}),
            FileLayout("queries", {"_id": "id", "text": "text"}),
            FileLayout("qrels", {"query_id": "id", "corpus_id": "id", "score": "grade"}),
        ),
    }
)
