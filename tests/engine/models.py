"""Small random models and packed texts for the tests of engines."""

from collections.abc import Sequence
from functools import cache

import numpy as np

from gtekit.arrays import Array, Ints, TokenIds
from gtekit.config import ModelConfig
from gtekit.engine.native import NativeEngine

BUDGET = 256  # batch_tokens of the tests that do not vary it


def bert_config(
    hidden_size: int, layers: int, heads: int, intermediate_size: int, *, vocab_size: int = 1_000
) -> ModelConfig:
    return ModelConfig(
        hidden_size=hidden_size,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=intermediate_size,
        vocab_size=vocab_size,
        max_position_embeddings=512,
        type_vocab_size=2,
        layer_norm_eps=1e-12,
    )


TINY = bert_config(64, 2, 4, 128, vocab_size=30_522)  # runs every kernel, costs nothing
SHALLOW = bert_config(384, 1, 12, 1_536)  # one true layer of gte-small
DEEP = bert_config(384, 12, 12, 1_536)  # all layers of gte-small: where work has to take a while


def random_tensors(config: ModelConfig, *, seed: int = 0) -> dict[str, Array]:
    """Every tensor of a BERT encoder under its Hugging Face name, float32, uneven LayerNorm gains."""
    rng = np.random.default_rng(seed)

    def normal(*shape: int) -> Array:
        return rng.standard_normal(shape, np.float32) * np.float32(0.08)

    size, wide = config.hidden_size, config.intermediate_size
    tensors = {
        "embeddings.word_embeddings.weight": normal(config.vocab_size, size),
        "embeddings.position_embeddings.weight": normal(config.max_position_embeddings, size),
        "embeddings.token_type_embeddings.weight": normal(config.type_vocab_size, size),
        "embeddings.LayerNorm.weight": 1 + normal(size),
        "embeddings.LayerNorm.bias": normal(size),
    }
    for layer in range(config.num_hidden_layers):
        prefix = f"encoder.layer.{layer}."
        for name, rows, columns in (
            ("attention.self.query", size, size),
            ("attention.self.key", size, size),
            ("attention.self.value", size, size),
            ("attention.output.dense", size, size),
            ("intermediate.dense", wide, size),
            ("output.dense", size, wide),
        ):
            tensors[f"{prefix}{name}.weight"] = normal(rows, columns)
            tensors[f"{prefix}{name}.bias"] = normal(rows)
        for name in ("attention.output.LayerNorm", "output.LayerNorm"):
            tensors[f"{prefix}{name}.weight"] = 1 + normal(size)
            tensors[f"{prefix}{name}.bias"] = normal(size)
    return tensors


@cache
def native(config: ModelConfig, isa: str | None = None, threads: int | None = None) -> NativeEngine:
    """One engine per shape, kernel set and thread count for the whole test run, all with the same weights."""
    return NativeEngine(config, random_tensors(config), isa=isa, threads=threads)


def random_texts(lengths: Sequence[int], config: ModelConfig, *, seed: int = 0) -> list[TokenIds]:
    rng = np.random.default_rng(seed)
    return [rng.integers(0, config.vocab_size, length, np.int32) for length in lengths]


def pack(texts: Sequence[TokenIds]) -> tuple[TokenIds, Ints]:
    """Lay texts end to end: token ids (S,) and where each begins and the last one ends (B + 1,)."""
    cu_seqlens = np.cumsum([0, *(len(text) for text in texts)], dtype=np.int64)
    return np.concatenate([np.empty(0, np.int32), *texts]), cu_seqlens


def embed(engine: NativeEngine, texts: Sequence[TokenIds], *, batch_tokens: int = BUDGET) -> Array:
    return engine.encode(*pack(texts), pooling="mean", normalize=True, batch_tokens=batch_tokens)
