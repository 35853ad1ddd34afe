"""One ranking out of two: by meaning and by words."""

from collections.abc import Sequence
from dataclasses import replace

from gtekit.errors import ArgumentError
from gtekit.index.interface import Hit


def fuse(near: Sequence[Hit], wordy: Sequence[Hit], text_weight: float) -> list[Hit]:
    """Rank rows by a weighted sum of two scores, each brought to 0 to 1.

    Cosines go from the smallest to the largest of those that are given. BM25 goes from 0, for a row without any of the
    words, to the largest. On SciFact (all-MiniLM-L6-v2, int8; 0.648 by vector, 0.685 by words) nDCG@10 is 0.736 this
    way, 0.728 with BM25 from its smallest, 0.731 with standard scores and 0.714 by ranks (RRF, k = 60).

    Args:
        near: Rows with their cosine as `vector_score`.
        wordy: Rows with BM25 as `text_score`.
        text_weight: What words count, 0 to 1; the rest is meaning.

    Returns:
        Every row once, best first, `score` from 0 to 1; of equal ones the larger cosine, then the smaller id.
    """
    cosines = {hit.id: hit.vector_score for hit in near if hit.vector_score is not None}
    words = {hit.id: hit.text_score for hit in wordy if hit.text_score is not None}
    by_cosine, by_words = _scaled(cosines, least=None), _scaled(words, least=0.0)
    rows = {hit.id: hit for hit in (*wordy, *near)}
    fused = [
        replace(
            hit,
            score=(1 - text_weight) * by_cosine.get(row_id, 0.0) + text_weight * by_words.get(row_id, 0.0),
            vector_score=cosines.get(row_id),
            text_score=words.get(row_id),
        )
        for row_id, hit in rows.items()
    ]
    return sorted(fused, key=lambda hit: (-hit.score, -cosines.get(hit.id, -1.0), hit.id))


def check_weight(text_weight: object) -> None:
    """Make sure that a weight lies between 0 and 1.

    Raises:
        ArgumentError: If it does not.
    """
    is_number = isinstance(text_weight, int | float) and not isinstance(text_weight, bool)
    if not is_number or not 0 <= text_weight <= 1:  # type: ignore[operator]
        raise ArgumentError(
            f"text_weight={text_weight!r} is not possible; choose a number, 0 (meaning alone) to 1 (words alone)."
        )


def _scaled(scores: dict[str, float], *, least: float | None) -> dict[str, float]:
    if not scores:
        return {}
    low = min(scores.values()) if least is None else least
    width = max(scores.values()) - low
    return {row_id: (score - low) / width if width > 0 else 1.0 for row_id, score in scores.items()}
