"""Arrays and torch tensors alike: a tensor that goes in comes out as a tensor, and torch is never imported for it."""

import importlib
import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, TypeGuard

import numpy as np

from gtekit.arrays import Array
from gtekit.errors import MissingExtraError, ShapeError

# A list of vectors, an array or a torch.Tensor. Any: torch is an optional package that type checkers may not see.
Vectors: TypeAlias = Any


def is_tensor(value: object) -> TypeGuard[Vectors]:
    """Tell whether a value is a torch.Tensor; where torch was never imported, nothing is."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def to_array(vectors: Vectors) -> Array:
    """Give vectors as an array of at least float32: a shorter float or an integer would round the scores.

    Raises:
        ShapeError: If the vectors of a list have different lengths.
    """
    if is_tensor(vectors):
        tensor = vectors.detach().cpu()
        array: Array = (tensor if tensor.element_size() == 8 else tensor.float()).numpy()
    elif isinstance(vectors, Sequence) and any(map(is_tensor, vectors)):
        return _stack([to_array(vector) for vector in vectors])
    else:
        array = _stack(vectors) if isinstance(vectors, Sequence) else np.asarray(vectors)
    return array if array.dtype == np.float64 else array.astype(np.float32, copy=False)


def like(inputs: Sequence[Vectors], array: Array) -> Vectors:
    """Give an array as a tensor on the same device where one of the inputs holds tensors, else as it is."""
    for vectors in inputs:
        first = vectors[0] if isinstance(vectors, Sequence) and len(vectors) else vectors
        if is_tensor(first):
            return sys.modules["torch"].from_numpy(np.ascontiguousarray(array)).to(first.device)
    return array


def tensor_maker(purpose: str) -> Callable[[Array], Vectors]:
    """Give the function that turns an array into a torch.Tensor that shares its memory.

    Raises:
        MissingExtraError: If torch is not installed.
    """
    try:
        torch = importlib.import_module("torch")
    except ImportError as error:
        raise MissingExtraError(purpose, "torch", "torch") from error
    return lambda array: torch.from_numpy(np.ascontiguousarray(array))


def _stack(vectors: Sequence[Vectors]) -> Array:
    try:
        array = np.asarray(vectors)
        is_typed = len(vectors) > 0 and isinstance(vectors[0], np.ndarray)
        return array if is_typed else array.astype(np.float32)  # plain numbers are float32, as torch reads them
    except ValueError as error:
        lengths = sorted({len(vector) for vector in vectors if hasattr(vector, "__len__")})
        raise ShapeError(
            f"these embeddings have {lengths} numbers; all must have the same count. Were they made by different "
            f"models, or with different truncate_dim?"
        ) from error
