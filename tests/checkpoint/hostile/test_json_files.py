"""Small files made to break a reader: every one that the loader opens, in every way it can be wrong."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from gtekit.checkpoint import load_checkpoint
from gtekit.errors import CheckpointError

FILES = ["config.json", "modules.json", "1_Pooling/config.json", "sentence_bert_config.json", "tokenizer_config.json"]
FILES += ["config_sentence_transformers.json"]


def _folder(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.mkdir()


DAMAGES: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "cut short": lambda path: path.write_bytes(b'{"a": [1, 2'),
    "a number": lambda path: path.write_bytes(b"12"),
    "not text": lambda path: path.write_bytes(b"\xff\xfe\x00\x01"),
    "deeply nested": lambda path: path.write_bytes(b"[" * 200_000 + b"]" * 200_000),
    "a key twice": lambda path: path.write_bytes(b'{"a": 1, "a": 2}'),
    "a huge number": lambda path: path.write_bytes(b'{"a": ' + b"9" * 20_000 + b"}"),
    "half a surrogate": lambda path: path.write_bytes(b'"\\ud800"'),
    "a folder": _folder,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_is_named(folder: Path, name: str, damage: Callable[[Path], object]) -> None:
    damage(folder / name)
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(folder)
    assert str(folder / name) in str(caught.value)
    assert "expected" in str(caught.value)
    assert "found" in str(caught.value)


def test_a_file_of_a_gigabyte_is_not_read(folder: Path) -> None:
    with (folder / "modules.json").open("wb") as file:
        file.truncate(1 << 30)  # a hole: it takes no space on the disk
    with pytest.raises(
        CheckpointError, match=r"modules.json: expected at most 67,108,864 bytes .* found 1,073,741,824"
    ):
        load_checkpoint(folder)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.parametrize("name", ["modules.json", "tokenizer.json"])
def test_a_pipe_does_not_make_the_reader_wait(folder: Path, name: str) -> None:
    (folder / name).unlink()
    os.mkfifo(folder / name)
    with pytest.raises(CheckpointError, match=rf"{name}: expected a file, found something that is not a regular file"):
        load_checkpoint(folder)
