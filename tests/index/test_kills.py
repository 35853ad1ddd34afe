"""kill -9 at any moment loses nothing that was acknowledged."""

import sys
from pathlib import Path

import pytest

import gtekit.index
from gtekit.index import Space
from tests.index.kills import DIMENSION, Writers, kill_writers

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="forks writers")
SPACE = Space("0" * 64, "seeded", DIMENSION)


def test_a_few_kills_lose_nothing_that_the_exact_backend_acknowledged(tmp_path: Path) -> None:
    location = tmp_path / "killed.index"
    gtekit.index.create(location, SPACE, backend="exact").close()
    with Writers() as writers:
        kill_writers(writers, str(location), kills=8, seed=10, folder=tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_a_hundred_kills_lose_nothing_that_the_exact_backend_acknowledged(dtype: str, tmp_path: Path) -> None:
    location = tmp_path / "killed.index"
    gtekit.index.create(location, SPACE, backend="exact", vector_dtype=dtype).close()  # type: ignore[arg-type]
    with Writers() as writers:
        kill_writers(writers, str(location), kills=100, seed=1000, folder=tmp_path, longest_life_s=0.3, say=print)
