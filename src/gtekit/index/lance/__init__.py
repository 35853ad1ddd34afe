"""The index of LanceDB, on disk and on S3."""

from gtekit.index.lance.backend import LanceBackend
from gtekit.index.lance.store import is_lance

__all__ = ["LanceBackend", "is_lance"]
