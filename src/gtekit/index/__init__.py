"""Vectors that stay: an index that is searched by text, by vector or both."""

from gtekit.index.index import Index
from gtekit.index.interface import Hit, Mode, Recall, Records, Space, Stats, Value, Version
from gtekit.index.opening import create, in_memory
from gtekit.index.opening import open_index as open  # noqa: A004  # as in gtekit.index.open
from gtekit.index.spaces import Model

__all__ = [
    "Hit",
    "Index",
    "Mode",
    "Model",
    "Recall",
    "Records",
    "Space",
    "Stats",
    "Value",
    "Version",
    "create",
    "in_memory",
    "open",
]
