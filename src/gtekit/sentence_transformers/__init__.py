"""The names of sentence-transformers over gtekit: change the import and leave the rest of your code as it is.

>>> from gtekit.sentence_transformers import SentenceTransformer
>>> from gtekit.sentence_transformers.util import cos_sim

What is kept, what is refused and the few answers that differ are listed in docs/sentence-transformers.md.
"""

from gtekit.sentence_transformers import util
from gtekit.sentence_transformers.model import SentenceTransformer
from gtekit.sentence_transformers.quantization import quantize_embeddings
from gtekit.sentence_transformers.similarity import cos_sim

__all__ = ["SentenceTransformer", "cos_sim", "quantize_embeddings", "util"]
