"""The tiny test sets, written once."""

from pathlib import Path

import pytest

from tests.evaluation.mteb_tasks.tiny import write_tasks


@pytest.fixture(scope="session")
def tiny_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tasks(tmp_path_factory.mktemp("data"))
