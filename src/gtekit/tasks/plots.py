"""Pictures: whether matplotlib is there, and whether a plot can be written where it is asked for."""

from pathlib import Path

from gtekit.errors import ArgumentError, FileFormatError, MissingExtraError
from gtekit.files import check_writable

PLOT_SUFFIXES = (".svg", ".png")


def check_plot(path: Path | str) -> None:
    """Make sure, ahead of long work, that a plot can be drawn and written.

    Raises:
        ArgumentError: If the name ends in something else than .svg or .png.
        FileFormatError: If no file can be made there.
        MissingExtraError: If matplotlib is not installed.
    """
    path = Path(path)
    if path.suffix.lower() not in PLOT_SUFFIXES:
        raise ArgumentError(f"{path}: the name of a plot ends in {' or '.join(PLOT_SUFFIXES)}.")
    if not path.parent.is_dir():
        raise FileFormatError(f"{path}: there is no folder {path.parent}. Make it, or choose another.")
    if path.is_dir():
        raise FileFormatError(f"{path}: is a folder. Name a file.")
    check_writable(path)
    check_matplotlib()


def check_matplotlib() -> None:
    """Make sure that pictures can be drawn.

    Raises:
        MissingExtraError: If matplotlib is not installed, or can't be imported as it is.
    """
    try:
        import matplotlib  # noqa: F401 - only whether it is there
    except ImportError as error:
        is_missing = isinstance(error, ModuleNotFoundError) and error.name == "matplotlib"
        package = "matplotlib" if is_missing else f"a matplotlib that can be imported (this one says: {error})"
        raise MissingExtraError("a picture", "tasks", package) from None
