"""The contract, kept by LanceDB in a folder and on a server that speaks S3."""

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("lancedb")

from tests.index.contract import Contract
from tests.index.places import Place
from tests.index.s3 import new_place, s3_environment, s3_server


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with s3_server() as endpoint, s3_environment(endpoint):
        yield endpoint


class TestLanceFolder(Contract):
    """Vectors as float16, answers from the matrix in memory."""

    @pytest.fixture
    def place(self, tmp_path: Path) -> Place:
        return Place(str(tmp_path / "lance.index"), "lance", has_words=True)


class TestLanceFolderReadInBlocks(Contract):
    """Vectors as float32, as where there are too many rows for memory and no graph yet."""

    examples = 10

    @pytest.fixture
    def place(self, tmp_path: Path) -> Place:
        options = {"vector_dtype": "float32", "exact_below": 0}
        return Place(str(tmp_path / "lance.index"), "lance", options, has_words=True, max_abs_diff=1e-5)


class TestLanceOnS3(Contract):
    """Vectors as float16, on moto's server."""

    examples = 3
    filters = 30

    @pytest.fixture
    def place(self, endpoint: str) -> Place:
        return Place(new_place(), "lance", has_words=True)
