"""Scores between embeddings, larger is closer: the functions of `sentence_transformers.util`.

Each takes arrays, lists of vectors or torch tensors, and answers with a tensor where a tensor went in and with an array
otherwise. Gradients do not flow through them.
"""

from collections.abc import Callable

import numpy as np

from gtekit.arrays import Array
from gtekit.errors import ArgumentError, ShapeError
from gtekit.sentence_transformers.tensors import Vectors, like, to_array

SMALLEST_NORM = 1e-12  # as in torch.nn.functional.normalize: a vector of zeros stays one

Score = Callable[[Vectors, Vectors], Vectors]


def cos_sim(a: Vectors, b: Vectors) -> Vectors:
    """Give the cosine of every vector of `a` with every vector of `b`, shape (Q, N); one vector is a list of one."""
    return like((a, b), _cosines(*_matrices(a, b)))


def dot_score(a: Vectors, b: Vectors) -> Vectors:
    """Give the dot product of every vector of `a` with every vector of `b`, shape (Q, N)."""
    left, right = _matrices(a, b)
    return like((a, b), left @ right.T)


def euclidean_sim(a: Vectors, b: Vectors) -> Vectors:
    """Give minus the Euclidean distance of every vector of `a` to every vector of `b`, shape (Q, N)."""
    left, right = _matrices(a, b)
    wide_left, wide_right = left.astype(np.float64), right.astype(np.float64)  # float32 would lose close vectors
    squares = np.square(wide_left).sum(1)[:, None] - 2 * wide_left @ wide_right.T + np.square(wide_right).sum(1)
    return like((a, b), -np.sqrt(np.maximum(squares, 0)).astype(left.dtype))


def manhattan_sim(a: Vectors, b: Vectors) -> Vectors:
    """Give minus the sum of absolute differences of every vector of `a` to every vector of `b`, shape (Q, N)."""
    left, right = _matrices(a, b)
    scores = np.empty((len(left), len(right)), left.dtype)
    for row, vector in enumerate(left):  # one by one: all at once would need (Q, N, D)
        scores[row] = -np.abs(right - vector).sum(1)
    return like((a, b), scores)


def pairwise_cos_sim(a: Vectors, b: Vectors) -> Vectors:
    """Give the cosine of each vector of `a` with the one of `b` in the same place, shape (N,)."""
    left, right = _pairs(a, b)
    return like((a, b), (_normalized(left) * _normalized(right)).sum(-1))


def pairwise_dot_score(a: Vectors, b: Vectors) -> Vectors:
    """Give the dot product of each vector of `a` with the one of `b` in the same place, shape (N,)."""
    left, right = _pairs(a, b)
    return like((a, b), (left * right).sum(-1))


def pairwise_euclidean_sim(a: Vectors, b: Vectors) -> Vectors:
    """Give minus the Euclidean distance of each vector of `a` to the one of `b` in the same place, shape (N,)."""
    left, right = _pairs(a, b)
    return like((a, b), -np.sqrt(np.square(left - right).sum(-1)))


def pairwise_manhattan_sim(a: Vectors, b: Vectors) -> Vectors:
    """Give minus the sum of absolute differences of each vector of `a` to the one of `b` in the same place, (N,)."""
    left, right = _pairs(a, b)
    return like((a, b), -np.abs(left - right).sum(-1))


def normalize_embeddings(embeddings: Vectors) -> Vectors:
    """Divide each vector by its L2 norm."""
    return like((embeddings,), _normalized(to_array(embeddings)))


pytorch_cos_sim = cos_sim  # the name of cos_sim in sentence-transformers 1

SCORES: dict[str, tuple[Score, Score]] = {
    "cosine": (cos_sim, pairwise_cos_sim),
    "dot": (dot_score, pairwise_dot_score),
    "euclidean": (euclidean_sim, pairwise_euclidean_sim),
    "manhattan": (manhattan_sim, pairwise_manhattan_sim),
}


def check_similarity_name(name: object) -> str:
    """Give the name of a similarity function, also from the SimilarityFunction of sentence-transformers.

    Raises:
        ArgumentError: If there is no function of that name.
    """
    value = getattr(name, "value", name)  # an enum of theirs holds the name
    if isinstance(value, str) and value in SCORES:
        return value
    raise ArgumentError(f"unknown similarity_fn_name {value!r}; there are: {', '.join(SCORES)}.")


def _cosines(a: Array, b: Array) -> Array:
    cosines: Array = _normalized(a) @ _normalized(b).T
    return cosines


def _normalized(vectors: Array) -> Array:
    norms = np.sqrt(np.square(vectors).sum(-1, keepdims=True))
    normalized: Array = vectors / np.maximum(norms, SMALLEST_NORM)
    return normalized


def _matrices(a: Vectors, b: Vectors) -> tuple[Array, Array]:
    left, right = np.atleast_2d(to_array(a)), np.atleast_2d(to_array(b))
    if left.ndim != 2 or right.ndim != 2 or left.shape[1] != right.shape[1]:
        raise ShapeError(
            f"embeddings of shapes {left.shape} and {right.shape} can't be compared; both must be (count, dimension) "
            f"with the same dimension. Vectors of different models live in different spaces."
        )
    return left, right


def _pairs(a: Vectors, b: Vectors) -> tuple[Array, Array]:
    left, right = to_array(a), to_array(b)
    if left.shape != right.shape:
        raise ShapeError(
            f"pairs need one vector of b for each of a, shapes are {left.shape} and {right.shape}; "
            f"to compare all with all, use cos_sim(a, b) or model.similarity(a, b)."
        )
    return left, right
