"""What LanceDB raises, as errors of this package: what happened, which file, what to do."""

import random
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from gtekit.errors import GtekitError, VectorIndexError

# Sources of Rust and tracebacks of Python behind a message say nothing to the reader.
NOISE = re.compile(
    r",? /(?:root/\.cargo|rustc|[^ ]*/registry)/\S+|\. Detail: Python exception.*|^lance error: ", re.DOTALL
)
CONFLICT = re.compile(r"conflict|concurrent writer|concurrent transaction|preempted", re.IGNORECASE)
UNREACHABLE = "the server can't be reached. Check the network and AWS_ENDPOINT_URL"
ADDRESS = re.compile(r"\bhttps?://[^\s/?)\"']+")
S3_HINTS = (
    ("NoSuchBucket", "there is no such bucket. Make it, or correct the name"),
    ("InvalidAccessKeyId", "the key is not known there. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
    ("AccessDenied", "access is refused. Check the keys (AWS_ACCESS_KEY_ID) and what they may do with this bucket"),
    ("error sending request", UNREACHABLE),
    ("kind: Connect", UNREACHABLE),
)
SYSTEM_HINTS = (
    ("(os error 28)", "the disk is full. Free some space, and try again"),
    ("(os error 122)", "your quota of the disk is full. Free some space of it, and try again"),
    ("(os error 27)", "the system limits the size of a file (ulimit -f, or the file system). Raise it, and try again"),
    ("(os error 30)", "the disk can't be written to. Make it writable, or choose another place"),
    ("(os error 13)", "permission is missing. Change that of the folder, or choose another place"),
    ("(os error 1)", "the system does not permit it. Change the permissions, or choose another place"),
    ("(os error 24)", "too many files are open. Allow more: ulimit -n"),
)
PANICS = ("PanicException", "RustPanic")  # of Rust; the first derives from BaseException
MOST_SAID = 400  # characters: errors of S3 hold whole answers of the server
ATTEMPTS = 6  # LanceDB makes 10 of its own within each
LONGEST_PAUSE_S = 2.0

Result = TypeVar("Result")


def until_committed(location: str, doing: str, action: Callable[[], Result]) -> Result:
    """Do something that other writers may get in the way of, again where they did.

    Raises:
        VectorIndexError: If they were quicker each time; nothing of it was written then.
    """
    for attempt in range(ATTEMPTS):
        try:
            return action()
        except RuntimeError as error:
            if isinstance(error, GtekitError) or not CONFLICT.search(str(error)):
                raise
        time.sleep(random.uniform(0, min(LONGEST_PAUSE_S, 0.02 * 2**attempt)))
    raise VectorIndexError(
        f"{location}: {doing}: other writers were quicker {ATTEMPTS} times in a row. Nothing of this call was written; "
        "try again, or let fewer processes write."
    )


@contextmanager
def lance_errors(location: str, doing: str, damage: Callable[[], Sequence[str]] = list) -> Iterator[None]:
    """Turn what LanceDB raises into VectorIndexError.

    Args:
        location: Of the index.
        doing: What was tried, as in "while reading rows".
        damage: Looks for files that are not whole, and is asked only after an error.

    Raises:
        VectorIndexError: With the damaged files where there are some; LanceDB's own message does not name a file that
            was cut short.
    """
    try:
        yield
    except GtekitError:
        raise
    except BaseException as error:
        is_panic = type(error).__name__ in PANICS
        if not is_panic and not isinstance(error, RuntimeError | ValueError | OSError):
            raise
        raise VectorIndexError(f"{location}: {doing}: {_explain(error, damage)}") from error


def _explain(error: BaseException, damage: Callable[[], Sequence[str]]) -> str:
    said = NOISE.sub("", str(error)).strip()
    if hint := next((hint for sign, hint in S3_HINTS if sign in said), None):
        if hint == UNREACHABLE and (address := ADDRESS.search(said)):
            return f"{address[0]}: {hint}."  # the rest is a dump of a dozen lines
        return f"{hint}. LanceDB says: {said[:MOST_SAID]}"
    if isinstance(error, OSError) and error.errno is not None:
        said = f"{error.strerror} (os error {error.errno})"
    if hint := next((hint for sign, hint in SYSTEM_HINTS if sign in said), None):
        return f"{hint}. LanceDB says: {said[:MOST_SAID]}."
    if problems := list(damage()):
        return (
            f"{'; '.join(problems)}. Restore what is damaged from a copy, or build the index anew. LanceDB says: {said}"
        )
    if isinstance(error, RuntimeError) and "Not found" in said:
        return f"a file is missing: {said}. Restore it from a copy, or build the index anew."
    return f"{said[:MOST_SAID]}."
