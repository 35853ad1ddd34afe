"""scikit-learn and matplotlib: asked for by name where they are missing, not imported before they are needed."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gtekit.errors import MissingExtraError
from gtekit.tasks.clusters import cluster_vectors, write_map_picture
from gtekit.tasks.scikit import scikit
from tests.tasks.clusters.blobs import blobs
from tests.tasks.clusters.maps import small_map


def test_without_scikit_learn_the_extra_is_named_and_communities_are_found_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    vectors, truth = blobs(3, 20)
    with pytest.raises(
        MissingExtraError, match=r"k-means needs scikit-learn, which is not installed: pip install 'gtekit\[tasks\]'"
    ):
        cluster_vectors(vectors, clusters=3)
    found = cluster_vectors(vectors, method="communities", threshold=0.5)
    assert len(found) == len(np.unique(truth))


def test_without_matplotlib_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    drawn = small_map()
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match="a picture needs matplotlib"):
        write_map_picture(tmp_path / "map.png", drawn)


def test_importing_the_functions_imports_neither() -> None:
    modules = "'sklearn' in sys.modules, 'matplotlib' in sys.modules"
    code = f"import sys, gtekit.tasks.clusters, gtekit.cli.cluster; print({modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.split() == ["False", "False"]


def test_a_broken_scikit_learn_is_told_from_a_missing_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "sklearn").mkdir()
    (tmp_path / "sklearn" / "__init__.py").write_text("raise ImportError('libgomp.so.1: no such file')")
    for name in [name for name in sys.modules if name.partition(".")[0] == "sklearn"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(MissingExtraError, match=r"can be imported \(this one says: libgomp.so.1: no such file\)"):
        scikit("k-means", "cluster")
