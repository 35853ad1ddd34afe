"""Warnings that point at the caller's own line, however deep inside the package they arise."""

import sys
import warnings

from gtekit.errors import GtekitWarning

_PACKAGE = __name__.partition(".")[0]


def warn_caller(message: str, category: type[GtekitWarning]) -> None:
    """Warn with the first line outside this package as the place.

    `warnings.warn(skip_file_prefixes=...)` does this from Python 3.12 on; we support 3.11.
    """
    depth = 1
    frame = sys._getframe(depth)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == _PACKAGE:
        frame = frame.f_back
        depth += 1
    warnings.warn(message, category, stacklevel=depth + 1)
