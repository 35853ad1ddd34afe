"""MTEB's tasks in one call."""

from pathlib import Path
from typing import Any

import pytest

import gtekit
from gtekit.errors import ArgumentError
from gtekit.evaluation import ResultStore, run_mteb

pytest.importorskip("mteb", reason="needs the extra eval")
pytestmark = pytest.mark.mteb


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"models": "gte-small"}, "models is one str, 'gte-small'"),
        ({"models": ["gte-small"], "tasks": "STS12"}, "tasks is one str, 'STS12'"),
        ({"models": []}, "models is empty"),
        ({"models": ["gte-small"], "settings": "publishd"}, "settings='publishd' is not possible"),
    ],
)
def test_what_can_t_be_meant_is_refused_before_anything_runs(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        run_mteb(**arguments)


def test_a_loaded_model_and_a_named_one_give_the_same_score_once(
    tmp_path: Path, tiny_checkpoint: Path, tiny_data: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    loaded = gtekit.load(tiny_checkpoint, language_warning=False)
    (first,) = run_mteb([loaded], ["STSBenchmark"], data=tiny_data, results=tmp_path / "results", is_partial=True)
    assert "from an earlier run" not in capfd.readouterr().err
    (again,) = run_mteb(
        [str(tiny_checkpoint)], ["STSBenchmark"], data=tiny_data, results=tmp_path / "results", is_partial=True
    )
    assert "from an earlier run" in capfd.readouterr().err
    assert again == first
    assert ResultStore(tmp_path / "results").scores() == [first]
