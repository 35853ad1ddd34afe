"""MTEB's TwentyNewsgroupsClustering beside the checkout: ten sets of subjects of posts, with their newsgroups."""

import gzip
import json
from pathlib import Path

FILE = Path(__file__).resolve().parents[4] / "shared" / "data" / "mteb" / "TwentyNewsgroupsClustering" / "test.jsonl.gz"


def read_sets() -> list[tuple[list[str], list[str]]]:
    """Give the texts and labels of each set."""
    with gzip.open(FILE, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [(row["sentences"], row["labels"]) for row in rows]
