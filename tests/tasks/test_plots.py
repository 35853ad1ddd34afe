"""What is checked before a plot is drawn, and before anything is embedded for it."""

import sys
from pathlib import Path

import pytest

from gtekit.errors import ArgumentError, FileFormatError, MissingExtraError
from gtekit.tasks.plots import check_plot


def test_names_and_folders_are_checked(tmp_path: Path) -> None:
    check_plot(tmp_path / "a.SVG")
    check_plot(str(tmp_path / "a.png"))
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(ArgumentError, match=r"ends in \.svg or \.png"):
        check_plot(tmp_path / "a.pdf")
    with pytest.raises(FileFormatError, match="there is no folder"):
        check_plot(tmp_path / "none" / "a.png")
    with pytest.raises(FileFormatError, match="is a folder"):
        check_plot(tmp_path / "folder.png")


def test_a_missing_matplotlib_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match="a picture needs matplotlib, which is not installed"):
        check_plot(tmp_path / "a.png")
