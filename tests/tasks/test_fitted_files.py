"""Files of what was fitted: whole, checked, and for one model alone."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from gtekit.errors import FileFormatError
from gtekit.tasks.fitted_files import read_fitted, write_fitted

KIND = "gtekit thing 1"


def make(values: Mapping[str, Any]) -> float:
    return float(values["number"])


def test_what_was_written_is_read(tmp_path: Path) -> None:
    write_fitted(tmp_path / "a.json", KIND, {"number": 0.1 + 0.2, "text": "naïve"})
    assert read_fitted(tmp_path / "a.json", KIND, make) == 0.1 + 0.2
    assert [file.name for file in tmp_path.iterdir()] == ["a.json"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is not JSON"),
        ("{", "is not JSON"),
        ("\udcff", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ('{"kind": "gtekit thing 1", "number": NaN}', "is not JSON"),
        ("[1]", "is no gtekit thing 1"),
        ('{"kind": "other"}', "its field 'kind' is 'other'"),
        ('{"kind": "gtekit thing 1"}', "is a damaged gtekit thing 1 .KeyError"),
        ('{"kind": "gtekit thing 1", "number": "x"}', "is a damaged gtekit thing 1 .ValueError"),
        ('{"kind": "gtekit thing 1", "number": {}}', "is a damaged gtekit thing 1 .TypeError"),
    ],
)
def test_a_file_that_is_something_else_is_refused(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "a.json").write_text(content, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(FileFormatError, match=message):
        read_fitted(tmp_path / "a.json", KIND, make)


def test_a_file_or_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match=r"a\.json: can't be read"):
        read_fitted(tmp_path / "a.json", KIND, make)
    with pytest.raises(FileFormatError, match="no file can be made"):
        write_fitted(tmp_path / "none" / "a.json", KIND, {})
