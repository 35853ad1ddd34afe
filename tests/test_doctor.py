"""What the doctor finds, and what it says would be slow and why."""

from pathlib import Path

import pytest

from gtekit import _core
from gtekit.doctor import examine


def test_the_doctor_sees_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GTEKIT_ISA", raising=False)
    found = examine()
    assert found.kernels_possible == _core.isas()
    assert found.kernels_chosen == found.kernels_possible[0]
    assert found.threads is not None
    assert found.threads >= 1
    assert found.thread_limits
    assert found.versions["numpy"]
    assert found.problems == []


def test_forced_kernels_and_too_many_threads_are_slow_and_the_doctor_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GTEKIT_ISA", "scalar")
    monkeypatch.setenv("GTEKIT_THREADS", "1000")
    slow = "\n".join(examine().slow)
    if _core.isas() != ["scalar"]:
        assert "GTEKIT_ISA=scalar forces scalar" in slow
    assert "GTEKIT_THREADS=1000" in slow


def test_settings_that_stop_everything_are_problems(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GTEKIT_ISA", "mmx")
    monkeypatch.setenv("GTEKIT_THREADS", "many")
    found = examine()
    assert (found.kernels_chosen, found.threads) == (None, None)
    assert any("GTEKIT_ISA=mmx" in text and "scalar" in text for text in found.problems)
    assert any("GTEKIT_THREADS='many'" in text for text in found.problems)


def test_the_cache_and_offline_mode_are_reported(offline_hub: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(Path(offline_hub["HF_HOME"]) / "hub"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    found = examine()
    assert "thenlper/gte-small" in found.cached_models
    assert found.offline
    assert found.variables["HF_HUB_OFFLINE"] == "1"
    assert found.notes == []
