"""Zstandard: the standard library's module, before Python 3.14 its backport, 1.8 MB on disk (zstandard has 24)."""

import sys

from gtekit.errors import MissingExtraError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    try:
        from backports import zstd
    except ModuleNotFoundError:
        raise MissingExtraError("gtekit serve", "serve", "backports.zstd") from None

__all__ = ["zstd"]
