"""Vectors that stay: an index that is searched by text, by vector or both."""

from gtekit.index.build import BuildOptions, BuildReport, build_index
from gtekit.index.index import Index
from gtekit.index.interface import Hit, Mode, Recall, Records, Space, Stats, Value, Version
from gtekit.index.opening import create, in_memory
from gtekit.index.opening import open_index as open  # noqa: A004  # as in gtekit.index.open
from gtekit.index.passages import PassageHit, search_passages
from gtekit.index.spaces import Model

__all__ = [
    "BuildOptions",
    "BuildReport",
    "Hit",
    "Index",
    "Mode",
    "Model",
    "PassageHit",
    "Recall",
    "Records",
    "Space",
    "Stats",
    "Value",
    "Version",
    "build_index",
    "create",
    "in_memory",
    "open",
    "search_passages",
]
