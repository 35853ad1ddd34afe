"""What the embedder needs from an engine, whichever one runs the model."""

from collections.abc import Callable
from typing import Protocol

from gtekit.arrays import Floats, Ints, TokenIds
from gtekit.config import Pooling

Report = Callable[[int, int], None]  # texts done, tokens done: called a few times a second


class Engine(Protocol):
    """Packed token ids in, vectors out. Thread-safe, deterministic, raises and never aborts."""

    @property
    def hidden_size(self) -> int:
        """D, the length of a vector."""

    @property
    def isa(self) -> str:
        """The kernels that run, such as scalar, avx2, avx512_vnni, neon_dotprod."""

    @property
    def precision(self) -> str:
        """The number format of the linear layers."""

    @property
    def threads(self) -> int:
        """The most threads that a call uses."""

    @property
    def memory_bytes(self) -> int:
        """Weights and scratch memory held right now."""

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
        """Embed packed texts.

        Args:
            token_ids: All texts end to end, special tokens included, shape (S,).
            cu_seqlens: Where each text begins and the last one ends, shape (B + 1,), ascending.
            pooling: How token vectors become one vector.
            normalize: Whether to divide each vector by its L2 norm.
            batch_tokens: Tokens of a micro-batch; a longer text is a micro-batch of its own.
            report: Called from the calling thread while the work goes on.

        Returns:
            Shape (B, D), in the order of the texts, the same bits whatever the batch.
        """

    def hidden_states(
        self, token_ids: TokenIds, cu_seqlens: Ints, *, batch_tokens: int, report: Report | None = None
    ) -> Floats:
        """Give the last hidden state of every token, packed like `token_ids`, shape (S, D)."""
