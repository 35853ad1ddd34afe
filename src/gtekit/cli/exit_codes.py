"""What the program's exit code means: one table, shown by `gtekit --help`."""

from enum import IntEnum

from gtekit.errors import (
    CheckpointError,
    EndpointError,
    EngineError,
    GtekitError,
    MissingExtraError,
    ModelNotFoundError,
)


class ExitCode(IntEnum):
    """How a command ended."""

    OK = 0
    FAILED = 1
    BAD_INPUT = 2  # argparse uses 2 for bad arguments as well
    NO_MODEL = 3
    MISSING_EXTRA = 4
    NO_ENGINE = 5
    INTERRUPTED = 130  # 128 + SIGINT, as shells count
    BROKEN_PIPE = 141  # 128 + SIGPIPE


EXIT_CODES = """\
  0    done
  1    a check failed (verify), no choice is exact enough (tune), or the system refused (disk full, no permission)
  2    wrong arguments or bad input: the message names the option, or the file and the line
  3    the model was not found, or its files or its server can't be used
  4    an optional package is missing: the message has the pip line
  5    the engine refused: impossible kernels or threads
  130  interrupted with Ctrl-C
  141  the reader of the output went away (head)"""

_CODES: tuple[tuple[type[GtekitError], ExitCode], ...] = (
    (ModelNotFoundError, ExitCode.NO_MODEL),
    (CheckpointError, ExitCode.NO_MODEL),
    (EndpointError, ExitCode.NO_MODEL),
    (MissingExtraError, ExitCode.MISSING_EXTRA),
    (EngineError, ExitCode.NO_ENGINE),
)


def exit_code_of(error: GtekitError) -> ExitCode:
    """Give the exit code for an error; whatever is not in the table is bad input."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), ExitCode.BAD_INPUT)
