"""Files to an index of their passages, and again to what has changed: nothing is embedded twice."""

from gtekit.index.build.build import BuildOptions, build_index, check_backend
from gtekit.index.build.report import BuildReport

__all__ = ["BuildOptions", "BuildReport", "build_index", "check_backend"]
