"""Documents in the order of their likeness to a query: one list or many, texts or vectors made before."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias, Unpack

import numpy as np

from gtekit.arrays import Array, Floats
from gtekit.config import EncodeKeywords
from gtekit.errors import ArgumentError, ShapeError, TextTypeError
from gtekit.inputs import check_count, check_texts
from gtekit.nearest import nearest
from gtekit.tasks.mmr import check_diversity, diversify
from gtekit.tasks.unit_vectors import check_normalized

Documents: TypeAlias = Sequence[str] | Array  # texts, or their vectors (N, D)

POOL = 1000  # with diversity, what is chosen from: the nearest so many, or 10 for each that is asked for


class RankingModel(Protocol):
    """What ranking needs of a model; an Embedder has it."""

    def encode_query(self, queries: Sequence[str], **options: Unpack[EncodeKeywords]) -> Floats:
        """Embed queries, shape (Q, D)."""

    def encode_document(self, documents: Sequence[str], **options: Unpack[EncodeKeywords]) -> Floats:
        """Embed documents, shape (N, D)."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """One document of a ranking."""

    index: int  # in the documents as they were given
    score: float  # the cosine with the query, -1 to 1
    text: str | None = None  # None where vectors were ranked, or no texts were asked for


@dataclass(frozen=True, slots=True)
class _Pool:
    """Documents to choose from; equal texts share a vector, and so a score."""

    vectors: Array  # (U, D)
    places: Sequence[Sequence[int]] | None  # of each vector: the documents that have it, ascending; None: its own row
    texts: Sequence[str] | None
    count: int  # of documents


def rank(
    model: RankingModel,
    query: str,
    documents: Documents,
    *,
    top_k: int | None = None,
    diversity: float = 0.0,
    return_documents: bool = True,
    **options: Unpack[EncodeKeywords],
) -> list[Ranked]:
    """Order documents by their cosine with a query.

    Args:
        model: Puts its query prompt before the query and its document prompt before the documents.
        query: One text.
        documents: A list of str; or vectors of shape (N, D) that the same model made with `encode_document`, of
            length 1, float32 or float16, in memory or memory-mapped.
        top_k: How many to give; None: all.
        diversity: Above 0, up to 1: the more, the less the documents repeat each other (see `mmr`). They are then in
            the order of choice, not of scores, and chosen among the 1,000 nearest, or 10 * top_k if that is more.
            Each choice looks at all of these: without `top_k` the time grows with the square of the documents.
        return_documents: Whether the texts come back in the result.
        **options: The fields of EncodeOptions, without `normalize` and the prompts.

    Returns:
        The best first; of equal scores the earlier document. Of no documents there is an empty list.

    Raises:
        TextTypeError: If something that should be a text is not a str.
        ShapeError: If vectors have another shape than those of the model.
        ArgumentError: If a value is not possible, or one of the vectors is not normalized or not finite.
    """
    if not isinstance(query, str):
        raise TextTypeError(
            f"query is a {type(query).__name__}, expected one str. For many: rerank(model, queries, ...)."
        )
    _check_choices(top_k, diversity, options)
    pool = _pool(model, documents, options)
    return _choose(model.encode_query([query], **_unit(options)), pool, top_k, diversity, return_documents)[0]


def rerank(
    model: RankingModel,
    queries: Sequence[str],
    documents: Documents | Sequence[Documents],
    *,
    top_k: int | None = None,
    diversity: float = 0.0,
    return_documents: bool = True,
    **options: Unpack[EncodeKeywords],
) -> list[list[Ranked]]:
    """Order documents by their cosine with each of several queries. A text is embedded once, wherever it stands.

    Args:
        model: As for `rank`.
        queries: A list of str.
        documents: One list of str, or vectors of shape (N, D), that every query is held against; or, for each query,
            a list or vectors of its own, such as what a first search has found.
        top_k: As for `rank`.
        diversity: As for `rank`.
        return_documents: As for `rank`.
        **options: As for `rank`.

    Returns:
        A ranking for each query, in their order. `index` counts within the documents of that query.

    Raises:
        TextTypeError: As `rank`.
        ShapeError: As `rank`, or if there are lists of documents, but not one for each query.
        ArgumentError: As `rank`.
    """
    _check_choices(top_k, diversity, options)
    checked = check_texts(queries)
    own = _own_documents(documents, len(checked))
    if own is None:
        pool = _pool(model, documents, options)  # type: ignore[arg-type]  # not one for each query, as was just seen
        vectors = model.encode_query(checked, **_unit(options))
        return _choose(vectors, pool, top_k, diversity, return_documents)
    pools = _pools(model, own, options)
    vectors = model.encode_query(checked, **_unit(options))
    return [
        _choose(vector[None], pool, top_k, diversity, return_documents)[0]
        for vector, pool in zip(vectors, pools, strict=True)
    ]


def _check_choices(top_k: int | None, diversity: float, options: EncodeKeywords) -> None:
    if top_k is not None:
        check_count("top_k", top_k)
    check_diversity(diversity)
    for name in ("normalize", "prompt", "prompt_name"):
        if name in options:
            raise ArgumentError(
                f"{name} is not taken here: scores are cosines, and queries and documents have prompts of their own. "
                "For other prompts embed the documents yourself and pass their vectors."
            )


def _unit(options: EncodeKeywords) -> EncodeKeywords:
    return {**options, "normalize": True}


def _own_documents(documents: Documents | Sequence[Documents], queries: int) -> list[Documents] | None:
    """Give the documents of each query, or None where all queries share one list."""
    if not isinstance(documents, list | tuple):
        return None  # vectors, another kind of list of texts, or what `check_texts` refuses
    if not documents or not all(isinstance(entry, list | tuple | np.ndarray) for entry in documents):
        return None  # where one is no text either, that is said with its place
    if len(documents) != queries:
        raise ShapeError(
            f"documents has {len(documents)} lists, queries {queries} texts; give one list for each query, or one list "
            "of texts for all."
        )
    return list(documents)


def _pool(model: RankingModel, documents: Documents, options: EncodeKeywords) -> _Pool:
    if _are_vectors(documents):
        return _pool_of_vectors(documents, "documents")
    return next(_pools_of_texts(model, [check_texts(documents)], options))


def _pools(model: RankingModel, own: list[Documents], options: EncodeKeywords) -> list[_Pool]:
    """Make the pool of each query, all texts in one call to the model."""
    texts = [[] if _are_vectors(documents) else _checked(documents, place) for place, documents in enumerate(own)]
    pools = _pools_of_texts(model, texts, options)
    return [
        _pool_of_vectors(documents, f"documents[{place}]") if _are_vectors(documents) else pool
        for place, (documents, pool) in enumerate(zip(own, pools, strict=True))
    ]


def _checked(documents: Documents, place: int) -> list[str]:
    try:
        return check_texts(documents)
    except TextTypeError as error:
        raise TextTypeError(f"documents[{place}]: {error}") from None


def _pools_of_texts(model: RankingModel, lists: list[list[str]], options: EncodeKeywords) -> Iterator[_Pool]:
    unique = {text: row for row, text in enumerate(dict.fromkeys(text for texts in lists for text in texts))}
    vectors = model.encode_document(list(unique), **_unit(options))
    for texts in lists:
        places: dict[int, list[int]] = {}
        for place, text in enumerate(texts):
            places.setdefault(unique[text], []).append(place)
        rows = vectors if len(lists) == 1 else vectors[list(places)]
        yield _Pool(rows, list(places.values()), texts, len(texts))


def _are_vectors(documents: Documents) -> bool:
    return isinstance(documents, np.ndarray) and (documents.ndim > 1 or documents.dtype.kind not in "OUST")


def _pool_of_vectors(documents: Documents, name: str) -> _Pool:
    vectors = np.asanyarray(documents)
    if vectors.ndim != 2 or vectors.dtype.kind != "f":
        raise ShapeError(
            f"{name} is an array of shape {vectors.shape} and type {vectors.dtype}; expected texts, or vectors of "
            "shape (N, D), float32 or float16."
        )
    vectors = vectors if vectors.itemsize <= 4 else vectors.astype(np.float32)
    check_normalized(vectors, name)  # every row: a long one would come first
    return _Pool(vectors, None, None, len(vectors))


def _choose(
    queries: Floats, pool: _Pool, top_k: int | None, diversity: float, return_documents: bool
) -> list[list[Ranked]]:
    wanted = pool.count if top_k is None else min(int(top_k), pool.count)
    if not wanted or not len(queries):
        return [[] for _ in queries]
    reach = max(POOL, 10 * wanted) if diversity else wanted
    all_scores, all_rows = nearest(queries, pool.vectors, reach)
    rankings = []
    for scores, rows in zip(all_scores, all_rows, strict=True):
        found = _spread_out(scores.tolist(), rows.tolist(), pool.places)[:reach]
        if diversity:
            relevance = np.array([score for score, _, _ in found], np.float32)
            vectors = np.asarray(pool.vectors[[row for _, _, row in found]], np.float32)
            found = [found[place] for place in diversify(relevance, vectors, wanted, diversity)]
        texts = pool.texts if return_documents else None
        rankings.append(
            [Ranked(place, min(max(score, -1.0), 1.0), texts[place] if texts else None) for score, place, _ in found]
        )
    return rankings


def _spread_out(
    scores: list[float], rows: list[int], places: Sequence[Sequence[int]] | None
) -> list[tuple[float, int, int]]:
    """Give score, document and row of everything found, the best first, of equal scores the earlier document."""
    if places is None:
        return list(zip(scores, rows, rows, strict=True))
    found = [(score, place, row) for score, row in zip(scores, rows, strict=True) for place in places[row]]
    return sorted(found, key=lambda entry: (-entry[0], entry[1]))
