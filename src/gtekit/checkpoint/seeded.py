"""Write a checkpoint whose weights come from a seed: the exact layout and widths of a GTE model, made anywhere.

For golden files, tests, benchmarks and `gtekit verify`. Values are made by integer arithmetic, one float64
multiplication and one rounding, so every machine and every version of numpy writes the same numbers; no function of
the C library's mathematics takes part. They are drawn to be hard on an encoder: weights of spread 0.05, uneven
LayerNorm gains, and a few outlier channels as trained models have them.
"""

import hashlib
import json
import math
import struct
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal, TypedDict, Unpack

import numpy as np

from gtekit.arrays import Array
from gtekit.checkpoint.seeded_vocabulary import SPECIAL_TOKENS, seeded_vocabulary
from gtekit.checkpoint.tensors import expected_tensors
from gtekit.config import ModelConfig, Pooling

Size = Literal["tiny", "small", "base", "large"]
Dtype = Literal["float16", "float32", "bfloat16"]

SPREAD = 0.05  # standard deviation of weights, embeddings and biases
OUTLIER_GAIN = 6.0  # of the few LayerNorm channels that stand out
OUTLIERS_PER_LAYER_NORM = 3
BLOCK = 32_768  # values made at a time: they stay in the cache

#             hidden, layers, heads, feed-forward, vocabulary, positions
_SHAPES = {
    "tiny": (32, 2, 4, 64, 2_048, 64),
    "small": (384, 12, 12, 1_536, 30_522, 512),
    "base": (768, 12, 12, 3_072, 30_522, 512),
    "large": (1_024, 24, 16, 4_096, 30_522, 512),
}
_SAFETENSORS_DTYPES = {"float16": "F16", "float32": "F32", "bfloat16": "BF16"}


class SeededLayout(TypedDict, total=False):
    """How the files are laid out. None of it changes what the model computes, but for pooling and normalize."""

    dtype: Dtype  # of the weights; float16 and float32 hold equal values
    prefix: str  # before every tensor's name, such as "bert."
    extra_tensors: bool  # pooler and position_ids, which no embedding needs
    tokenizer: Literal["json", "vocab"]  # tokenizer.json and vocab.txt, or vocab.txt alone
    pooling: Pooling
    normalize: bool


def seeded_config(size: Size = "small", num_layers: int | None = None) -> ModelConfig:
    """The shape of a GTE model, perhaps with fewer layers; `tiny` is for tests that want to be fast."""
    hidden, layers, heads, feed_forward, vocabulary, positions = _SHAPES[size]
    return ModelConfig(
        hidden_size=hidden,
        num_hidden_layers=num_layers or layers,
        num_attention_heads=heads,
        intermediate_size=feed_forward,
        vocab_size=vocabulary,
        max_position_embeddings=positions,
        type_vocab_size=2,
        layer_norm_eps=1e-12,
    )


def write_seeded_checkpoint(
    folder: Path,
    *,
    size: Size | ModelConfig = "small",
    num_layers: int | None = None,
    seed: int = 0,
    **layout: Unpack[SeededLayout],
) -> Path:
    """Write a whole checkpoint into `folder`, which is made where it is missing.

    Args:
        folder: Where the files go; files of the same names are replaced.
        size: The widths of gte-small, gte-base or gte-large, or any configuration.
        num_layers: Fewer layers than the model has, for a quick test.
        seed: Another number, other weights.
        layout: Dtype, prefix, extra tensors, tokenizer files, pooling, normalization.

    Returns:
        The folder, ready for `load_checkpoint`.
    """
    config = seeded_config(size, num_layers) if isinstance(size, str) else size
    dtype = layout.get("dtype", "float16")
    folder.mkdir(parents=True, exist_ok=True)
    tensors = seeded_tensors(config, seed, extra=layout.get("extra_tensors", True))
    prefix = layout.get("prefix", "")
    stored = {prefix + name: _stored(tensor, dtype) for name, tensor in tensors.items()}
    write_safetensors(folder / "model.safetensors", stored)
    _write_json(folder / "config.json", _bert_config(config, dtype))
    _write_tokenizer(folder, config, with_json=layout.get("tokenizer", "json") == "json")
    _write_modules(folder, config, layout.get("pooling", "mean"), normalize=layout.get("normalize", True))
    return folder


def seeded_tensors(config: ModelConfig, seed: int, *, extra: bool = False) -> dict[str, Array]:
    """Every tensor of the encoder as float32, each value exactly a float16.

    Args:
        config: The shape of the model.
        seed: Another number, other weights.
        extra: Whether to add the tensors that BertModel saves and no embedding uses.
    """
    shapes = expected_tensors(config)
    if extra:
        hidden = config.hidden_size
        shapes |= {"pooler.dense.weight": (hidden, hidden), "pooler.dense.bias": (hidden,)}
    tensors: dict[str, Array] = {name: _values(name, shape, seed) for name, shape in shapes.items()}
    if extra:
        tensors["embeddings.position_ids"] = np.arange(config.max_position_embeddings, dtype=np.int64)[None, :]
    return tensors


def _values(name: str, shape: tuple[int, ...], seed: int) -> Array:
    key = int.from_bytes(hashlib.sha256(f"{seed} {name}".encode()).digest()[:8], "little")
    count = math.prod(shape)
    if name.endswith("LayerNorm.weight"):
        gains = 1.0 + _bell(key, 0, count) * (5.0 * SPREAD)  # from about 0.3 to 1.7
        for draw in range(OUTLIERS_PER_LAYER_NORM):
            gains[(key >> (16 * draw)) % count] = OUTLIER_GAIN - draw
        return gains.astype(np.float16).astype(np.float32)
    values = np.empty(count, np.float32)
    for begin in range(0, count, BLOCK):
        end = min(begin + BLOCK, count)
        values[begin:end] = (_bell(key, begin, end) * SPREAD).astype(np.float16)
    return values.reshape(shape)


def _bell(key: int, begin: int, end: int) -> Array:
    """Bell-shaped float64 of mean 0 and spread 1: the sum of the four 16-bit parts of SplitMix64's outputs."""
    state = np.arange(begin + 1, end + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(key)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    state ^= state >> np.uint64(31)
    parts = sum((state >> np.uint64(shift)) & np.uint64(0xFFFF) for shift in (0, 16, 32, 48))
    return (np.asarray(parts).astype(np.int64) - 2 * 65_535) * (1.0 / 37_837.0)  # 65_536 * sqrt(4 / 12): their spread


def _stored(tensor: Array, dtype: Dtype) -> tuple[str, Array]:
    """The word of the format for the dtype that a tensor is stored in, and its values in that dtype."""
    if tensor.dtype == np.int64:
        return "I64", tensor.astype("<i8")
    if dtype == "bfloat16":
        return "BF16", to_bfloat16(tensor).astype("<u2")
    return _SAFETENSORS_DTYPES[dtype], tensor.astype("<f2" if dtype == "float16" else "<f4")


def write_safetensors(path: Path, tensors: Mapping[str, tuple[str, Array]]) -> None:
    """Write arrays as a safetensors file, in the order given. Each comes with the format's word for its dtype."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    position = 0
    for name, (dtype, values) in tensors.items():
        end = position + values.nbytes
        header[name] = {"dtype": dtype, "shape": list(values.shape), "data_offsets": [position, end]}
        position = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # the data begins at a multiple of 8
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for _, values in tensors.values():
            file.write(np.ascontiguousarray(values).data)


def to_bfloat16(values: Array) -> Array:
    """The bits of float32 `values` rounded to bfloat16, to nearest and ties to even, as uint16. Finite values only."""
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
    return ((bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))) >> np.uint32(16)).astype(np.uint16)


def _bert_config(config: ModelConfig, dtype: Dtype) -> dict[str, Any]:
    return {
        "architectures": ["BertModel"],
        "attention_probs_dropout_prob": 0.1,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "initializer_range": 0.02,
        "model_type": "bert",
        "pad_token_id": 0,
        "position_embedding_type": "absolute",
        "torch_dtype": dtype,
        "transformers_version": "4.28.1",
        "use_cache": True,
        **asdict(config),
    }


def _write_tokenizer(folder: Path, config: ModelConfig, *, with_json: bool) -> None:
    vocabulary = seeded_vocabulary(config.vocab_size)
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n", "utf-8", newline="\n")
    words = {"cls_token": "[CLS]", "mask_token": "[MASK]", "pad_token": "[PAD]", "sep_token": "[SEP]"}
    words["unk_token"] = "[UNK]"
    settings = {
        "clean_up_tokenization_spaces": True,
        "do_basic_tokenize": True,
        "do_lower_case": True,
        "model_max_length": config.max_position_embeddings,
        "never_split": None,
        "strip_accents": None,
        "tokenize_chinese_chars": True,
        "tokenizer_class": "BertTokenizer",
    }
    _write_json(folder / "tokenizer_config.json", settings | words)
    _write_json(folder / "special_tokens_map.json", words)
    if with_json:
        _write_json(folder / "tokenizer.json", _tokenizer_json(vocabulary))


def _tokenizer_json(vocabulary: list[str]) -> dict[str, Any]:
    """As `tokenizers` saves it, with MiniLM's truncation and padding to 128, which a reader must ignore."""
    first, second = {"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}
    cls, sep = ({"SpecialToken": {"id": token, "type_id": 0}} for token in ("[CLS]", "[SEP]"))
    last = {"SpecialToken": {"id": "[SEP]", "type_id": 1}}
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    return {
        "version": "1.0",
        "truncation": {"direction": "Right", "max_length": 128, "strategy": "LongestFirst", "stride": 0},
        "padding": {
            "strategy": {"Fixed": 128},
            "direction": "Right",
            "pad_to_multiple_of": None,
            "pad_id": 0,
            "pad_type_id": 0,
            "pad_token": "[PAD]",
        },
        "added_tokens": [{"id": number, "content": token, **flags} for token, number in SPECIAL_TOKENS.items()],
        "normalizer": {
            "type": "BertNormalizer",
            "clean_text": True,
            "handle_chinese_chars": True,
            "strip_accents": None,
            "lowercase": True,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [cls, first, sep],
            "pair": [cls, first, sep, second, last],
            "special_tokens": {
                token: {"id": token, "ids": [SPECIAL_TOKENS[token]], "tokens": [token]} for token in ("[CLS]", "[SEP]")
            },
        },
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {
            "type": "WordPiece",
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": {token: number for number, token in enumerate(vocabulary)},
        },
    }


def _write_modules(folder: Path, config: ModelConfig, pooling: Pooling, *, normalize: bool) -> None:
    names = ["Transformer", "Pooling", "Normalize"][: 3 if normalize else 2]
    steps = [
        {
            "idx": idx,
            "name": str(idx),
            "path": f"{idx}_{name}" if idx else "",
            "type": f"sentence_transformers.models.{name}",
        }
        for idx, name in enumerate(names)
    ]
    _write_json(folder / "modules.json", steps)
    _write_json(
        folder / "sentence_bert_config.json", {"max_seq_length": config.max_position_embeddings, "do_lower_case": False}
    )
    (folder / "1_Pooling").mkdir(exist_ok=True)
    modes = {
        "pooling_mode_cls_token": pooling == "cls",
        "pooling_mode_mean_tokens": pooling == "mean",
        "pooling_mode_max_tokens": False,
        "pooling_mode_mean_sqrt_len_tokens": False,
    }
    _write_json(folder / "1_Pooling" / "config.json", {"word_embedding_dimension": config.hidden_size, **modes})


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", "utf-8", newline="\n")
