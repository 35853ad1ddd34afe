"""Whose speed counts: a program that answers something else is not faster at the same work."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.peers.catalog import BY_NAME, OWN

# An 8-bit program counts as a rival when its vectors keep this mean cosine to fp32. 0.98 is an angle of 11.5 degrees
# between a text and itself: the scores of two such texts move by up to a tenth, and close hits change places. Below
# that, speed is bought with another answer. The floor is low on purpose: at doubt a fast program counts.
MIN_COSINE = 0.98

FILE = "accuracy.json"
SHARED_BY = "small"  # the folder whose accuracy.json stands for the other shapes

Rows = Mapping[str, Mapping[str, Any]]  # the peers of a result, by name


def find_accuracy(folder: Path) -> dict[str, Any]:
    """Read accuracy.json of a results folder, or of the one beside it for the small shape; {} where neither is."""
    for place in (folder, folder.parent / SHARED_BY):
        if (place / FILE).is_file():
            accuracy: dict[str, Any] = json.loads((place / FILE).read_text(encoding="utf-8"))
            return accuracy
    return {}


def cosine_of(name: str, row: Mapping[str, Any], accuracy: Mapping[str, Any]) -> float:
    """Give the mean cosine of a peer to fp32: on real text and trained weights where measured, else of this run."""
    measured = accuracy.get("peers", {}).get(name, {})
    return float(measured.get("cosine_mean", row.get("cosine_mean", 1.0)))  # unknown: it counts


def is_eligible(name: str, row: Mapping[str, Any], accuracy: Mapping[str, Any]) -> bool:
    """Say whether a peer is accurate enough to be a rival. In fp32 all are: the report shows their cosines."""
    return BY_NAME[name].precision == "float32" or cosine_of(name, row, accuracy) >= MIN_COSINE


def rivals(rows: Rows, precision: str, accuracy: Mapping[str, Any]) -> list[str]:
    """List the peers that gtekit is held against in this precision."""
    return [
        name
        for name, row in rows.items()
        if BY_NAME[name].precision == precision and name != OWN[precision] and is_eligible(name, row, accuracy)
    ]


def best_rival(
    rows: Rows, precision: str, accuracy: Mapping[str, Any], *, by: str, more_is_better: bool = False
) -> str | None:
    """Name the rival with the best value in the field `by`."""
    names = rivals(rows, precision, accuracy)
    return (max if more_is_better else min)(names, key=lambda name: float(rows[name][by])) if names else None
