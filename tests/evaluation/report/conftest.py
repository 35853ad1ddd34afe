"""One report of everything, built once."""

import pytest

from gtekit.evaluation.report import Report, build_report
from gtekit.evaluation.results import ResultStore
from tests.evaluation.report.scores import full_store


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> ResultStore:
    return full_store(tmp_path_factory.mktemp("results"))


@pytest.fixture(scope="session")
def report(store: ResultStore) -> Report:
    return build_report(store.scores(), store)
