"""An input that can be read twice: a file as it is, standard input and pipes as a copy that goes away."""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gtekit.errors import FileFormatError


@contextmanager
def seekable_input(file: str, suffix: str) -> Iterator[Path]:
    """Give a path that can be opened as often as needed.

    Args:
        file: As the user named it; - is standard input.
        suffix: What the name of a copy ends in, to say its format.
    """
    path = Path(file)
    is_pipe = path.exists() and not path.is_file() and not path.is_dir()
    if file != "-" and not is_pipe:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="gtekit-") as folder:
        copy = Path(folder, f"standard-input{suffix}")
        with copy.open("wb") as target:
            if is_pipe:
                with path.open("rb") as source:
                    shutil.copyfileobj(source, target)
            else:
                shutil.copyfileobj(sys.stdin.buffer, target)
        try:
            yield copy
        except FileFormatError as error:  # nobody knows the copy
            raise FileFormatError(str(error).replace(str(copy), "standard input" if file == "-" else file)) from None
