"""An index that a command names, and the model that built it."""

import argparse
from pathlib import Path
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


def load_for(
    arguments: argparse.Namespace, location: str, *, may_be_new: bool = False, backend: str | None = None
) -> "Embedder":
    """Load the model that --model names, or else the one that built the index, and make sure that it is that.

    A new index keeps the name of its model: of a folder that is the whole path, for the next command may run elsewhere.

    Raises:
        SpaceError: If the index was built with another.
        VectorIndexError: If there is no index, unless it `may_be_new`, or it is of another than `backend`.
    """
    from gtekit.errors import VectorIndexError
    from gtekit.index import open as open_index
    from gtekit.index.build import check_backend

    try:
        index = open_index(location)
    except VectorIndexError:
        if not may_be_new or not is_free(location):
            raise
        arguments.model = arguments.model or DEFAULT_MODEL
        arguments.model = _absolute_folder(arguments.model)
        return load_model(arguments)
    with index:
        check_backend(index, backend)
        return load_for_open(arguments, index)


def load_for_open(arguments: argparse.Namespace, index: "Index") -> "Embedder":
    """Load the model of an open index, or the one that --model names if it is the same."""
    from gtekit.index.spaces import check_space

    arguments.model = arguments.model or index.space.model
    model = load_model(arguments)
    check_space(index.space, model, index.location)
    return model


def _absolute_folder(model: str) -> str:
    folder = Path(model).expanduser()
    is_checkpoint = (folder / "config.json").is_file() or (folder / "modules.json").is_file()
    return str(folder.absolute()) if is_checkpoint else model


def is_free(location: str) -> bool:
    """Whether a new index can be made there, as far as that is seen from here."""
    if location.startswith("s3://"):
        return True  # what lies there is seen when the index is made
    path = Path(location)
    return not path.exists() or (path.is_dir() and not any(path.iterdir()))
