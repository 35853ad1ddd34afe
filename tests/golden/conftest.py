"""Fixtures of the golden tests: every kernel set that this machine can run."""

from tests.engine.conftest import isa

__all__ = ["isa"]
