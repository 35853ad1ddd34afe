"""MTEB's tasks in one call."""

from pathlib import Path

import pytest

import gtekit
from gtekit.evaluation import ResultStore, run_mteb

pytest.importorskip("mteb", reason="needs the extra eval")
pytestmark = pytest.mark.mteb


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
