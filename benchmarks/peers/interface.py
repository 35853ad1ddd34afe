"""What each measured program looks like to the harness."""

from collections.abc import Sequence
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]
Ints: TypeAlias = NDArray[np.int64]
Setting: TypeAlias = dict[str, int]  # one way to run a peer: batch size, streams, threads; goes through JSON


class Peer(Protocol):
    """A loaded model. Text in, vectors out: tokenizing and pooling are part of what is measured."""

    @property
    def facts(self) -> dict[str, str]:
        """Versions and whatever else explains the speed."""

    def bulk_settings(self) -> list[Setting]:
        """List the settings worth trying for many texts. The fastest in a warm-up run is measured."""

    def single_settings(self) -> list[Setting]:
        """List the settings worth trying for one text at a time."""

    def encode(self, texts: Sequence[str], setting: Setting) -> Floats:
        """Embed many texts, in their order, shape (N, D)."""

    def encode_one(self, text: str, setting: Setting) -> Floats:
        """Embed one text, shape (D,)."""
