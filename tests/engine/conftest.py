"""Fixtures of the engine tests: every kernel set that this machine can run, or the one that GTEKIT_ISA forces."""

import os
from collections.abc import Iterator

import pytest

from gtekit import _core
from tests.engine.models import native

FORCED = os.environ.get("GTEKIT_ISA")


@pytest.fixture(scope="session", params=[FORCED] if FORCED else _core.isas())
def isa(request: pytest.FixtureRequest) -> str:
    """A kernel set that can run here; a test that asks for it runs once per set."""
    name: str = request.param
    return name


@pytest.fixture(scope="session", autouse=True)
def _engines_end_before_python_does() -> Iterator[None]:
    yield
    native.cache_clear()
