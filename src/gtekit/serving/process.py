"""What a process is set to that does nothing but serve. Not done where a server is part of another program."""

import gc
import sys
from typing import Final

SPARE_FILES: Final = 128  # besides connections: models, logs, the event loop
# how long the event loop waits for another thread to give up the interpreter. Beside a bulk job the median query took
# 11 and 15 ms with it, 13 and 24 ms with Python's 0.005, on two busy cores
SWITCH_INTERVAL_S: Final = 0.0005


def allow_connections(connections: int) -> str:
    """Raise the limit of open files so that so many connections fit; say why where they can not, "" where they do."""
    try:
        import resource
    except ModuleNotFoundError:  # Windows, which has no such limit
        return ""
    needed = connections + SPARE_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return ""
    most = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    if most == needed:
        return ""
    return (
        f"This process may open {most:,} files, too few for {connections:,} connections. Raise it (ulimit -n {needed}) "
        f"or lower --max-connections."
    )


def take_short_turns() -> None:
    """Let threads give up the interpreter sooner, so that a tokenizing one holds up no answer."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)


def keep_what_is_loaded() -> None:
    """Spare the garbage collector what stays until the end: models, modules."""
    gc.collect()
    gc.freeze()
