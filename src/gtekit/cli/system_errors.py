"""What the operating system refused, in the words of a person: which file, what happened, what to do."""

import errno
import os
from pathlib import Path

WAYS_OUT = {
    errno.ENOSPC: "Free some space, or write to another folder.",
    errno.EDQUOT: "Free some space of your quota, or write to another folder.",
    errno.EFBIG: "The system limits the size of a file (ulimit -f, or the file system): raise it, or write elsewhere.",
    errno.EROFS: "Write to another folder.",
    errno.EACCES: "Change the permissions, or write to another folder.",
    errno.EPERM: "Change the permissions, or write to another folder.",
    errno.EMFILE: "Allow more open files: ulimit -n",
}


def explain(error: OSError | MemoryError, file: str | Path | None = None) -> str:
    """Turn an error of the system into a message.

    Args:
        error: As Python raised it.
        file: As the user calls it, where the error itself names none or one of our own.
    """
    if isinstance(error, MemoryError):
        return f"out of memory{f' ({error})' if str(error) else ''}. Close other programs, or take a smaller model."
    if error.errno is None:  # already in words
        return str(error)
    name = file if file is not None else error.filename
    reason = os.strerror(error.errno)
    return " ".join(filter(None, (f"{name}: {reason}." if name else f"{reason}.", WAYS_OUT.get(error.errno))))
