"""Whose vectors they are: only those of one model can be compared with each other."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from gtekit.arrays import Floats
from gtekit.errors import ArgumentError, SpaceError
from gtekit.index.interface import Space

CHECKPOINT_FILES = ("config.json", "modules.json")  # a folder with one of them goes before the hub
IN_MEMORY = "memory"  # the location of an index that has none


class Model(Protocol):
    """What an index needs from a model; an Embedder has all of it."""

    @property
    def name(self) -> str:
        """The name to load it by."""

    @property
    def fingerprint(self) -> str:
        """Equal for models that give equal vectors."""

    @property
    def dimension(self) -> int:
        """D, the length of a vector."""

    @property
    def precision(self) -> str:
        """The number format that it computes in."""

    @property
    def prompts(self) -> Mapping[str, str]:
        """Its prompts, by name."""

    def encode_query(self, queries: Sequence[str]) -> Floats:
        """Embed queries."""

    def encode_document(self, documents: Sequence[str]) -> Floats:
        """Embed documents."""


def space_of(model: Model | Space) -> Space:
    """Give the space that a model embeds into.

    Raises:
        ArgumentError: If this is no model.
    """
    if isinstance(model, Space):
        return model
    if not hasattr(model, "fingerprint"):
        raise ArgumentError(
            f"model={model!r} is a {type(model).__name__}; pass a loaded model: gtekit.load('all-MiniLM-L6-v2')."
        )
    return Space(model.fingerprint, _full_name(model.name), model.dimension, model.precision, dict(model.prompts))


def _full_name(name: str) -> str:
    """The name of a model, with all of its path where it is a folder: found from any working folder."""
    with suppress(OSError, ValueError, RuntimeError):  # no name that a file system could have
        folder = Path(name).expanduser()
        if any((folder / file).is_file() for file in CHECKPOINT_FILES):
            return str(folder.absolute())
    return name


def check_space(space: Space, given: Model | Space, location: str) -> None:
    """Make sure that a model gives vectors of this space.

    Raises:
        SpaceError: If it does not, with the model that does.
    """
    other = space_of(given)
    if other.fingerprint != space.fingerprint:
        alike = " (the name is the same, the weights or settings are not)" if other.model == space.model else ""
        raise SpaceError(
            f"{location}: built with the model {space.model!r} (fingerprint {space.fingerprint[:12]}), and "
            f"{other.model!r} (fingerprint {other.fingerprint[:12]}) was given{alike}. Their vectors can't be "
            f"compared. {_fix(space, location)}"
        )


def check_fingerprint(space: Space, fingerprint: str, location: str) -> None:
    """Make sure that vectors come from the model of this space.

    Raises:
        SpaceError: If they do not.
    """
    if fingerprint != space.fingerprint:
        raise SpaceError(
            f"{location}: built with the model {space.model!r} (fingerprint {space.fingerprint[:12]}), and the vectors "
            f"come from one with the fingerprint {fingerprint[:12]}. They can't be compared. {_fix(space, location)}"
        )


def check_dimension(space: Space, dimension: int, name: str, location: str) -> None:
    """Make sure that vectors are as long as those of this space.

    Raises:
        SpaceError: If they are not.
    """
    if dimension != space.dimension:
        raise SpaceError(
            f"{location}: {name} {'has' if name == 'query' else 'have'} {dimension} dimensions, those of the index "
            f"have {space.dimension}; they come from the model {space.model!r}. {_fix(space, location)}"
        )


def line_with_model(space: Space, location: str) -> str:
    """Give the line of code that opens an index with its model."""
    if location == IN_MEMORY:
        return f"gtekit.index.in_memory(gtekit.load({space.model!r}))"
    return f"gtekit.index.open({location!r}, model=gtekit.load({space.model!r}))"


def _fix(space: Space, location: str) -> str:
    return f"Use that model: {line_with_model(space, location)}, or build the index anew with the other one."
