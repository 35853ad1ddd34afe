"""The pictures: PNG files with all that is there, whatever the names hold."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gtekit.tasks.clusters import cluster_vectors, write_count_picture, write_map_picture
from tests.tasks.clusters.blobs import blobs
from tests.tasks.clusters.maps import small_map


def pixels(path: Path) -> np.ndarray:
    image = pytest.importorskip("matplotlib.image")
    found: np.ndarray = image.imread(path)
    return found


def test_the_map_shows_every_cluster_in_its_colour(tmp_path: Path) -> None:
    write_map_picture(tmp_path / "map.png", small_map())
    found = pixels(tmp_path / "map.png")
    assert found.shape[:2] == (1344, 1920)
    legend = found[100:300, 1330:1420, :3].reshape(-1, 3)
    for color in ("2563c9", "d86600", "2f9c7c", "a77dd4"):
        wanted = np.array([int(color[place : place + 2], 16) for place in (0, 2, 4)]) / 255
        blended = 0.8 * wanted + 0.2
        assert (np.abs(legend - blended).max(axis=1) < 0.03).any(), color


def test_names_with_formulas_and_strange_letters_are_drawn(tmp_path: Path) -> None:
    drawn = small_map()
    names = ["$x_1^", "北京", "a" * 90, "مرحبا"]
    clusters = drawn.clusters.with_terms([()] * 4, names)
    write_map_picture(tmp_path / "map.png", replace(drawn, clusters=clusters, title="costs $5 and $6"))
    assert (tmp_path / "map.png").read_bytes().startswith(b"\x89PNG")


def test_rows_of_no_cluster_and_no_rows_at_all_are_drawn(tmp_path: Path) -> None:
    drawn = small_map()
    labels = np.where(np.arange(len(drawn.texts)) % 3 == 0, -1, drawn.clusters.labels)
    write_map_picture(tmp_path / "map.png", replace(drawn, clusters=replace(drawn.clusters, labels=labels)))
    nothing = cluster_vectors(np.empty((0, 4), np.float32))
    empty = replace(drawn, points=np.empty((0, 2), np.float32), texts=[], clusters=nothing)
    write_map_picture(tmp_path / "empty.png", empty)
    assert (tmp_path / "empty.png").stat().st_size < (tmp_path / "map.png").stat().st_size


def test_the_curve_is_a_picture(tmp_path: Path) -> None:
    choice = cluster_vectors(blobs(4, 20)[0]).count_choice
    assert choice is not None
    write_count_picture(tmp_path / "curve.png", choice)
    assert pixels(tmp_path / "curve.png").shape[:2] == (736, 1280)
