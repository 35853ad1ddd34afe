"""Files on their way to the disk."""

from pathlib import Path

from gtekit.index.lance.disk import DiskSync


def write(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x")
    return path


def test_each_file_is_synced_once(tmp_path: Path) -> None:
    write(tmp_path / "rows.lance" / "data" / "old")
    disk = DiskSync(tmp_path / "rows.lance")
    assert disk.sync() == []
    new = {write(tmp_path / "rows.lance" / "data" / "new"), write(tmp_path / "rows.lance" / "_indices" / "1" / "a")}
    assert set(disk.sync()) == new
    assert disk.sync() == []


def test_of_a_new_table_everything_is_synced(tmp_path: Path) -> None:
    file = write(tmp_path / "rows.lance" / "_versions" / "1.manifest")
    assert DiskSync(tmp_path / "rows.lance", is_new=True).sync() == [file]


def test_what_is_not_on_a_disk_is_left_alone() -> None:
    assert DiskSync(None).sync() == []
