"""What code that was written for sentence-transformers imports from `sentence_transformers.util`.

The name is theirs. The functions live in similarity.py, search.py, quantization.py and arguments.py.
"""

from gtekit.sentence_transformers.quantization import quantize_embeddings, truncate_embeddings
from gtekit.sentence_transformers.search import semantic_search
from gtekit.sentence_transformers.similarity import (
    cos_sim,
    dot_score,
    euclidean_sim,
    manhattan_sim,
    normalize_embeddings,
    pairwise_cos_sim,
    pairwise_dot_score,
    pairwise_euclidean_sim,
    pairwise_manhattan_sim,
    pytorch_cos_sim,
)

__all__ = [
    "cos_sim",
    "dot_score",
    "euclidean_sim",
    "manhattan_sim",
    "normalize_embeddings",
    "pairwise_cos_sim",
    "pairwise_dot_score",
    "pairwise_euclidean_sim",
    "pairwise_manhattan_sim",
    "pytorch_cos_sim",
    "quantize_embeddings",
    "semantic_search",
    "truncate_embeddings",
]
