"""A BERT encoder in numpy, one text at a time, in float64: what the engines are held against, and its wrong versions.

It reads like the paper (arXiv:1810.04805) and knows no speed. Each wrong version is a mistake that ports of BERT
really make; a golden check is trusted only once it has refused every one of them.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gtekit.config import ModelConfig, Pooling

Doubles: TypeAlias = NDArray[np.float64]
Mistake = Literal["tanh GELU", "eps 1e-5", "no token types", "padding in the mean", "cls for mean"]
MISTAKES: tuple[Mistake, ...] = ("tanh GELU", "eps 1e-5", "no token types", "padding in the mean", "cls for mean")
PAD_ID = 0


@dataclass(frozen=True, slots=True)
class Reference:
    """A model and the mistake it makes: None for the right one."""

    config: ModelConfig
    tensors: Mapping[str, NDArray[Any]]
    mistake: Mistake | None = None

    def embed(self, texts: Sequence[NDArray[np.int32]], pooling: Pooling = "mean") -> Doubles:
        """Pool the hidden states of each text, shape (B, D), not normalized."""
        if self.mistake == "padding in the mean":
            longest = max(len(token_ids) for token_ids in texts)
            padded = [np.pad(token_ids, (0, longest - len(token_ids)), constant_values=PAD_ID) for token_ids in texts]
            hidden = [self.hidden_states(ids, len(token_ids)) for ids, token_ids in zip(padded, texts, strict=True)]
        else:
            hidden = [self.hidden_states(token_ids, len(token_ids)) for token_ids in texts]
        if pooling == "cls" or self.mistake == "cls for mean":
            return np.stack([states[0] for states in hidden])
        return np.stack([states.mean(axis=0) for states in hidden])

    def hidden_states(self, token_ids: NDArray[np.int32], length: int) -> Doubles:
        """Run all layers on one text of which the first `length` tokens are real, shape (S, D)."""
        hidden = self.embeddings(token_ids)
        for layer in range(self.config.num_hidden_layers):
            prefix = f"encoder.layer.{layer}."
            mixed = self.attention(hidden, prefix + "attention.self.", length)
            mixed = self.linear(mixed, prefix + "attention.output.dense")
            hidden = self.layer_norm(hidden + mixed, prefix + "attention.output.LayerNorm")
            widened = self.gelu(self.linear(hidden, prefix + "intermediate.dense"))
            narrowed = self.linear(widened, prefix + "output.dense")
            hidden = self.layer_norm(hidden + narrowed, prefix + "output.LayerNorm")
        return hidden

    def embeddings(self, token_ids: NDArray[np.int32]) -> Doubles:
        total = self.weight("embeddings.word_embeddings.weight", token_ids)
        total = total + self.weight("embeddings.position_embeddings.weight", np.arange(len(token_ids)))
        if self.mistake != "no token types":
            total = total + self.weight("embeddings.token_type_embeddings.weight", np.zeros(1, np.int64))
        return self.layer_norm(total, "embeddings.LayerNorm")

    def attention(self, hidden: Doubles, prefix: str, length: int) -> Doubles:
        heads = self.config.num_attention_heads
        split = (len(hidden), heads, self.config.hidden_size // heads)
        query, key, value = (
            self.linear(hidden, prefix + part).reshape(split).transpose(1, 0, 2)  # (H, S, E)
            for part in ("query", "key", "value")
        )
        scores = query @ key.transpose(0, 2, 1) / math.sqrt(split[2])  # (H, S, S)
        scores[:, :, length:] = -np.inf  # nobody attends to padding
        weights = np.exp(scores - scores.max(axis=2, keepdims=True))
        weights /= weights.sum(axis=2, keepdims=True)
        mixed: Doubles = (weights @ value).transpose(1, 0, 2).reshape(hidden.shape)
        return mixed

    def linear(self, hidden: Doubles, name: str) -> Doubles:
        result: Doubles = hidden @ self.weight(name + ".weight").T + self.weight(name + ".bias")
        return result

    def layer_norm(self, hidden: Doubles, name: str) -> Doubles:
        eps = 1e-5 if self.mistake == "eps 1e-5" else self.config.layer_norm_eps
        centred = hidden - hidden.mean(axis=1, keepdims=True)
        variance = np.square(centred).mean(axis=1, keepdims=True)
        result: Doubles = centred / np.sqrt(variance + eps) * self.weight(name + ".weight") + self.weight(
            name + ".bias"
        )
        return result

    def gelu(self, x: Doubles) -> Doubles:
        if self.mistake == "tanh GELU":
            share: Doubles = np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))
        else:
            share = erf(x / math.sqrt(2))
        return 0.5 * x * (1 + share)

    def weight(self, name: str, rows: NDArray[Any] | None = None) -> Doubles:
        return as_doubles(self.tensors[name] if rows is None else self.tensors[name][rows])


def as_doubles(tensor: NDArray[Any]) -> Doubles:
    if tensor.dtype == np.uint16:  # bfloat16 as raw bits: the upper half of a float32
        tensor = (tensor.astype(np.uint32) << 16).view(np.float32)
    return tensor.astype(np.float64, copy=False)


def widened(tensors: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The tensors with all layers as float64 already: for a reference that runs more than a few texts."""
    return {name: as_doubles(tensor) if name.startswith("encoder.") else tensor for name, tensor in tensors.items()}


GRID_STEP = 1 / 256
GRID = np.arange(0, 6 + GRID_STEP, GRID_STEP)  # beyond 6, erf is 1 to the last bit of a double
ERF_ON_GRID = np.array([math.erf(x) for x in GRID])


def erf(x: Doubles) -> Doubles:
    """Error function, to 1e-11: a Taylor step of degree 3 from the nearest grid point, whose value is math.erf's."""
    magnitude = np.minimum(np.abs(x), 6.0)
    nearest = np.rint(magnitude / GRID_STEP).astype(np.int64)
    x0 = GRID[nearest]
    step = magnitude - x0
    slope = 2 / math.sqrt(math.pi) * np.exp(-x0 * x0)
    value: Doubles = ERF_ON_GRID[nearest] + slope * step * (1 - x0 * step + (2 * x0 * x0 - 1) / 3 * step**2)
    return np.copysign(value, x)


def normalized(embeddings: NDArray[Any]) -> Doubles:
    """Divide each row by its L2 norm, in float64."""
    rows = embeddings.astype(np.float64)
    units: Doubles = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return units
