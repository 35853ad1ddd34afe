"""Blocks that are kept, found again, and not trusted when damaged."""

import multiprocessing
import time
from functools import partial
from pathlib import Path
from typing import IO

import numpy as np
import pytest

from gtekit.errors import FileFormatError
from gtekit.files import Block, BlockStore, Vectors, clear_folder, lock_folder, replace_when_complete

VECTORS = Vectors(np.arange(12, dtype=np.float32).reshape(3, 4), np.ones(3, np.float32))
TEXTS = ["a", "b", "c"]
BLOCK = Block(VECTORS, np.array([3, 700, 2]))


def test_a_saved_block_comes_back_to_the_bit(tmp_path: Path) -> None:
    store = BlockStore(tmp_path, lambda: "settings")
    store.save(0, TEXTS, BLOCK)
    assert store.load(0, TEXTS) is None  # what it has saved itself it has no use for
    found = BlockStore(tmp_path, lambda: "settings").load(0, TEXTS)
    assert found is not None
    assert found.vectors.scales is not None
    assert VECTORS.scales is not None
    assert found.vectors.values.tobytes() == VECTORS.values.tobytes()
    assert found.vectors.scales.tobytes() == VECTORS.scales.tobytes()
    assert found.lengths.tolist() == [3, 700, 2]


def test_keys_depend_on_the_place_the_texts_their_borders_and_the_settings(tmp_path: Path) -> None:
    keys = [
        BlockStore(tmp_path, partial(str, settings)).key(number, texts)
        for number, settings, texts in [
            (0, "a", ["x", "y"]),
            (1, "a", ["x", "y"]),
            (0, "b", ["x", "y"]),
            (0, "a", ["xy"]),
            (0, "a", ["xy", ""]),
            (0, "a", ["y", "x"]),
        ]
    ]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("place", [0, 100, -40])
def test_a_damaged_block_is_not_used(tmp_path: Path, place: int) -> None:
    store = BlockStore(tmp_path, lambda: "settings")
    store.save(0, TEXTS, BLOCK)
    (path,) = tmp_path.iterdir()
    store = BlockStore(tmp_path, lambda: "settings")
    data = bytearray(path.read_bytes())
    data[place] ^= 0xFF
    path.write_bytes(data)
    found = store.load(0, TEXTS)
    assert found is None or np.array_equal(found.vectors.values, VECTORS.values)
    path.write_bytes(data[: len(data) // 2])
    assert store.load(0, TEXTS) is None
    path.write_bytes(b"")
    assert store.load(0, TEXTS) is None


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(OSError, match="half"), replace_when_complete(target) as path:
        _write_half(path)
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]
    assert target.read_text() == "old"
    with replace_when_complete(target) as path:
        path.write_text("new")
        assert target.read_text() == "old"
    assert target.read_text() == "new"


def _write_half(path: Path) -> None:
    path.write_text("half")
    raise OSError("only half of it")


def _hold(folder: Path, ready: "multiprocessing.synchronize.Event") -> None:
    with lock_folder(folder):
        ready.set()
        time.sleep(60)


def test_a_folder_is_held_by_one_process_until_it_dies_however_it_dies(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    other = context.Process(target=_hold, args=(tmp_path / "held", ready))
    other.start()
    assert ready.wait(30)
    with pytest.raises(FileFormatError, match="another gtekit is writing this output"), lock_folder(tmp_path / "held"):
        pass
    other.kill()  # SIGKILL where there are signals
    other.join()
    with lock_folder(tmp_path / "held"):
        pass


def test_a_held_folder_is_removed_with_its_lock_unless_something_is_left_in_it(tmp_path: Path) -> None:
    with lock_folder(tmp_path / "a"):
        (tmp_path / "a" / "work").touch()
        clear_folder(tmp_path / "a")
    assert not (tmp_path / "a").exists()
    with lock_folder(tmp_path / "a"):
        (tmp_path / "a" / "work").touch()
    with pytest.raises(FileFormatError, match="another"), lock_folder(tmp_path / "a"), lock_folder(tmp_path / "a"):
        pass
    assert (tmp_path / "a" / "work").exists()


def test_a_lock_on_a_file_that_was_removed_meanwhile_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between opening the lock file and locking it, whoever held the folder may remove both."""
    folder = tmp_path / "a"
    locked: list[int] = []

    def lock(file: IO[bytes]) -> None:
        if not locked:
            (folder / "lock").unlink()
            folder.rmdir()
        locked.append(file.fileno())

    monkeypatch.setattr("gtekit.files.blocks._lock", lock)
    with lock_folder(folder):
        assert (folder / "lock").exists()
    assert len(locked) == 2
