"""The names that people build on. A change here is a change for every user: it belongs in CHANGELOG.md."""

import inspect

import pytest

import gtekit
import gtekit.sentence_transformers
from gtekit import errors

FRONT_DOOR = {
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
    "EvaluationError",
    "EngineError",
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
}

EMBEDDER = {
    "batch_tokens",
    "checkpoint",
    "count_tokens",
    "dimension",
    "encode",
    "encode_chunks",
    "encode_document",
    "encode_one",
    "encode_query",
    "encode_stream",
    "engine",
    "fingerprint",
    "isa",
    "max_tokens",
    "memory_bytes",
    "name",
    "normalize",
    "pooling",
    "precision",
    "prompts",
    "revision",
    "similarity",
    "similarity_pairwise",
    "threads",
    "token_states",
    "tokenize",
    "tokenizer",
    "truncation_report",
    "with_max_tokens",
}


def test_the_front_door_has_these_names() -> None:
    assert set(gtekit.__all__) == FRONT_DOOR
    assert all(hasattr(gtekit, name) for name in FRONT_DOOR)


def test_every_error_and_warning_is_at_the_front_door() -> None:
    ours = {
        name for name, kind in vars(errors).items() if isinstance(kind, type) and kind.__module__ == errors.__name__
    }
    assert ours <= set(gtekit.__all__)


def test_a_model_has_these_members(minilm: gtekit.Embedder) -> None:
    assert {name for name in dir(minilm) if not name.startswith("_")} == EMBEDDER


@pytest.mark.parametrize("name", sorted(FRONT_DOOR - {"__version__"}))
def test_every_public_name_has_a_docstring(name: str) -> None:
    assert inspect.getdoc(getattr(gtekit, name))


def test_load_takes_these_arguments() -> None:
    assert list(inspect.signature(gtekit.load).parameters) == [
        "name_or_path",
        "revision",
        "cache_folder",
        "local_files_only",
        "token",
        "threads",
        "isa",
        "precision",
        "max_tokens",
        "language_warning",
    ]


def test_the_drop_in_has_these_names() -> None:
    names = {"SentenceTransformer", "cos_sim", "quantize_embeddings", "util"}
    assert set(gtekit.sentence_transformers.__all__) == names
