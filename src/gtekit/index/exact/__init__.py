"""The exact backend: every vector is looked at. In memory, or in a folder of files that never change once written."""

from gtekit.index.exact.backend import ExactBackend
from gtekit.index.exact.folder import create_folder, is_exact, open_folder

__all__ = ["ExactBackend", "create_folder", "is_exact", "open_folder"]
