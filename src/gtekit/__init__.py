"""General Text Embeddings (GTE) on your own machine.

>>> import gtekit
>>> model = gtekit.load("gte-small")                              # doctest: +SKIP
>>> embeddings = model.encode(["how do I sort a list?", "..."])   # doctest: +SKIP
"""

from gtekit.chunking import Chunks
from gtekit.client import AsyncClient, Client
from gtekit.config import EncodeKeywords, EncodeOptions, ModelConfig
from gtekit.cosines import bits_similarity, l2_normalize, similarity, similarity_pairwise
from gtekit.embedder import Embedder, load
from gtekit.errors import (
    ArchitectureError,
    ArgumentError,
    CheckpointError,
    CheckpointWarning,
    EndpointError,
    EngineError,
    EvaluationError,
    FileFormatError,
    GtekitError,
    GtekitWarning,
    LanguageWarning,
    MissingExtraError,
    ModelNotFoundError,
    PickleRefusedError,
    ShapeError,
    SpaceError,
    TextTypeError,
    TruncationError,
    TruncationWarning,
    VectorIndexError,
)
from gtekit.truncation import Truncation
from gtekit.vectors import Int8Vectors, from_bits, to_bits, to_float16, to_int8
from gtekit.version import __version__

__all__ = [
    "ArchitectureError",
    "ArgumentError",
    "AsyncClient",
    "CheckpointError",
    "CheckpointWarning",
    "Chunks",
    "Client",
    "Embedder",
    "EncodeKeywords",
    "EncodeOptions",
    "EndpointError",
    "EngineError",
    "EvaluationError",
    "FileFormatError",
    "GtekitError",
    "GtekitWarning",
    "Int8Vectors",
    "LanguageWarning",
    "MissingExtraError",
    "ModelConfig",
    "ModelNotFoundError",
    "PickleRefusedError",
    "ShapeError",
    "SpaceError",
    "TextTypeError",
    "Truncation",
    "TruncationError",
    "TruncationWarning",
    "VectorIndexError",
    "__version__",
    "bits_similarity",
    "from_bits",
    "l2_normalize",
    "load",
    "similarity",
    "similarity_pairwise",
    "to_bits",
    "to_float16",
    "to_int8",
]
