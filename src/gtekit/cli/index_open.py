"""An index that a command names, and the model that built it."""

import argparse
from typing import TYPE_CHECKING

from gtekit.cli.options import add_model_options, load_model
from gtekit.config import DEFAULT_MODEL

if TYPE_CHECKING:
    from gtekit.embedder import Embedder
    from gtekit.index import Index


def add_index_model_options(parser: argparse.ArgumentParser, default: str) -> None:
    """Add the options of the model; the one that the index names stands in for --model."""
    add_model_options(parser)
    parser.set_defaults(model=None)
    for action in parser._actions:
        if action.dest == "model":
            action.help = f"a short name, a hub id or a folder ({default})"


def load_for(arguments: argparse.Namespace, location: str, *, may_be_new: bool = False) -> "Embedder":
    """Load the model that --model names, or else the one that built the index, and make sure that it is that.

    Raises:
        SpaceError: If the index was built with another.
        VectorIndexError: If there is no index, unless it `may_be_new`.
    """
    from gtekit.errors import VectorIndexError
    from gtekit.index import open as open_index

    try:
        index = open_index(location)
    except VectorIndexError:
        if not may_be_new or not _is_free(location):
            raise
        arguments.model = arguments.model or DEFAULT_MODEL
        return load_model(arguments)
    with index:
        return load_for_open(arguments, index)


def load_for_open(arguments: argparse.Namespace, index: "Index") -> "Embedder":
    """Load the model of an open index, or the one that --model names if it is the same."""
    from gtekit.index.spaces import check_space

    arguments.model = arguments.model or index.space.model
    model = load_model(arguments)
    check_space(index.space, model, index.location)
    return model


def _is_free(location: str) -> bool:
    from pathlib import Path

    if location.startswith("s3://"):
        return True  # what lies there is seen when the index is made
    path = Path(location)
    return not path.exists() or (path.is_dir() and not any(path.iterdir()))
