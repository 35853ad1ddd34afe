"""One build of an index at a time: the next one is told who is at it."""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from pathlib import Path

from gtekit.errors import FileFormatError, VectorIndexError
from gtekit.files import lock_folder

FOLDER = ".building"  # in that of the index; it is there while a build runs
HOLDER = "holder.json"


@contextmanager
def only_build(location: str) -> Iterator[None]:
    """Hold an index on a disk for the build of this process. The operating system lets go when the process dies.

    On S3 nothing can be held: two builds at once are found by the number of their rows, each by the other.

    Raises:
        VectorIndexError: If another process builds it.
    """
    if location.startswith("s3://"):
        yield
        return
    folder = Path(location, FOLDER)
    with ExitStack() as stack:
        try:
            stack.enter_context(lock_folder(folder))
        except FileFormatError:
            raise VectorIndexError(
                f"{location}: is being built right now{_who(folder)}. One build at a time can: wait for it, or end "
                f"it, and build again; what it has written is not embedded again."
            ) from None
        holder = folder / HOLDER
        about = {
            "process": os.getpid(),
            "machine": socket.gethostname(),
            "since": datetime.now().astimezone().isoformat(" ", "seconds"),
        }
        holder.write_text(json.dumps(about), encoding="utf-8")
        stack.callback(holder.unlink, missing_ok=True)
        yield


def _who(folder: Path) -> str:
    with suppress(OSError, ValueError, KeyError, TypeError):  # it may just be ending
        about = json.loads((folder / HOLDER).read_text(encoding="utf-8"))
        return f" by process {about['process']} of {about['machine']}, since {about['since']}"
    return " by another process"
