"""The engine for CPUs: our own C++ core behind the Engine protocol."""

import os
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from gtekit import _core
from gtekit.arrays import Array, Floats, Ints, TokenIds
from gtekit.config import MOST_BATCH_TOKENS, ModelConfig, Pooling, Precision
from gtekit.errors import ArgumentError, EngineError
from gtekit.protocols import Report
from gtekit.threads import MOST_THREADS, available_threads

TENSOR_DTYPES = (np.float32, np.float16, np.uint16)


class NativeEngine:
    """Runs a BERT encoder on the CPU.

    Args:
        config: Shape of the encoder.
        tensors: The checkpoint's arrays by their Hugging Face names; float32, float16, or bfloat16 as uint16 bits.
        isa: Kernel set. None: the environment's GTEKIT_ISA, else the fastest that can run here.
        threads: The most that work at once. None: as many as this process may use.
        precision: Of the linear layers. "int8" quantizes the weights now, 20 to 60 ms for gte-small, and the rows that
            meet them as they come, each with its own scales: no calibration, and the same bits whatever the batch.

    Raises:
        EngineError: If the kernel set can't run here; the message lists those that can.
        ArgumentError: If a tensor is missing or has another shape than `config` says.
    """

    def __init__(
        self,
        config: ModelConfig,
        tensors: Mapping[str, Array],
        *,
        isa: str | None = None,
        threads: int | None = None,
        precision: Precision = "float32",
    ) -> None:
        if threads is not None and not 1 <= threads <= MOST_THREADS:
            raise ArgumentError(
                f"threads={threads} is not possible; give 1 to {MOST_THREADS}, or None for all available."
            )
        self.hidden_size = config.hidden_size
        try:
            self._encoder = _core.Encoder(
                _core.ModelConfig(**asdict(config)),
                readable(tensors),
                isa=chosen_isa(isa),
                precision=precision,
                threads=threads if threads is not None else available_threads().threads,
            )
        except ValueError as error:
            raise ArgumentError(str(error)) from None

    @property
    def precision(self) -> str:
        """The number format of the linear layers."""
        return self._encoder.precision

    @property
    def isa(self) -> str:
        """The kernels that run, such as scalar, avx2, avx512_vnni, neon_dotprod."""
        return self._encoder.isa

    @property
    def threads(self) -> int:
        """The most threads that a call uses."""
        return self._encoder.threads

    @property
    def memory_bytes(self) -> int:
        """Weights and scratch memory held right now."""
        return self._encoder.weight_bytes + self._encoder.workspace_bytes

    def time_parts(self, on: bool) -> None:
        """Begin or end measuring where the time of a forward pass goes, all at 0 again. Off, it costs nothing."""
        self._encoder.time_parts(on)

    def part_seconds(self) -> dict[str, float]:
        """Give the seconds of each part of the forward pass, of all threads together, since `time_parts(True)`."""
        return self._encoder.part_seconds()

    def encode(
        self,
        token_ids: TokenIds,
        cu_seqlens: Ints,
        *,
        pooling: Pooling,
        normalize: bool,
        batch_tokens: int,
        report: Report | None = None,
    ) -> Floats:
        """Embed packed texts; see `gtekit.protocols.Engine.encode`."""
        ids, ends = packed(token_ids, cu_seqlens, batch_tokens)
        try:
            return self._encoder.encode(
                ids, ends, pooling=pooling, normalize=normalize, batch_tokens=batch_tokens, report=report
            )
        except ValueError as error:
            raise ArgumentError(str(error)) from None

    def hidden_states(
        self, token_ids: TokenIds, cu_seqlens: Ints, *, batch_tokens: int, report: Report | None = None
    ) -> Floats:
        """Give the last hidden state of every token; see `gtekit.protocols.Engine.hidden_states`."""
        ids, ends = packed(token_ids, cu_seqlens, batch_tokens)
        try:
            return self._encoder.hidden_states(ids, ends, batch_tokens=batch_tokens, report=report)
        except ValueError as error:
            raise ArgumentError(str(error)) from None


def chosen_isa(isa: str | None) -> str:
    """Name the kernel set to run: as asked, as GTEKIT_ISA says, or the fastest."""
    possible = _core.isas()
    asked = isa or os.environ.get("GTEKIT_ISA") or possible[0]
    if asked not in possible:
        source = "isa" if isa else "GTEKIT_ISA"
        raise EngineError(f"{source}={asked!r} can't run on this machine; possible here: {', '.join(possible)}.")
    return asked


def packed(token_ids: TokenIds, cu_seqlens: Ints, batch_tokens: int) -> tuple[TokenIds, Ints]:
    """Check the arrays of a call and bring them into the layout that the core reads."""
    if not 1 <= batch_tokens <= MOST_BATCH_TOKENS:
        raise ArgumentError(f"batch_tokens={batch_tokens} is not possible; give 1 to {MOST_BATCH_TOKENS:,}.")
    return whole_numbers("token_ids", token_ids, np.int32), whole_numbers("cu_seqlens", cu_seqlens, np.int64)


def whole_numbers(name: str, array: Array, dtype: type[np.signedinteger[Any]]) -> Array:
    """Give a one-dimensional array of integers as contiguous `dtype`, or say what it is instead."""
    if not isinstance(array, np.ndarray):
        raise ArgumentError(f"{name} is a {type(array).__name__}; expected a numpy array of integers, shape (n,).")
    if array.ndim != 1 or not np.issubdtype(array.dtype, np.integer):
        raise ArgumentError(f"{name} has shape {array.shape} and type {array.dtype}; expected (n,) of integers.")
    limits = np.iinfo(dtype)
    if array.size and (array.min() < limits.min or array.max() > limits.max):
        raise ArgumentError(f"{name} holds {array.min()} to {array.max()}, beyond what {limits.dtype} can hold.")
    return np.ascontiguousarray(array, dtype)


def readable(tensors: Mapping[str, Array]) -> dict[str, Array]:
    """Check that the core can read every tensor; it checks names and shapes itself."""
    for name, tensor in tensors.items():
        if not isinstance(tensor, np.ndarray) or tensor.dtype not in TENSOR_DTYPES:
            found = tensor.dtype if isinstance(tensor, np.ndarray) else type(tensor).__name__
            raise ArgumentError(
                f"tensor {name!r} is {found}; expected float32, float16, or uint16 with the bits of bfloat16."
            )
    return {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
