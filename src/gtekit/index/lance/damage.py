"""Which files of a table on disk are missing or were cut short. LanceDB keeps no checksums and does not say."""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

MARK = b"LANC"  # the last bytes of every whole file
DATA_FILE = re.compile(rb"[01]{24}[0-9a-f]{26}\.lance")  # as manifests of LanceDB 0.40 spell it
HINT = "latest_version_hint.json"  # LanceDB 0.40 writes it after each commit
LAST_VERSION = 2**64 - 1  # manifests are named so that the newest comes first


def find_damage(folder: Path, version: int | None = None, indices: Sequence[str] = ()) -> Iterator[str]:
    """Say what is wrong with which file of a version; nothing where no damage is found.

    Args:
        folder: Of the table.
        version: None: the newest.
        indices: Names of the folders of its indices.
    """
    manifest = _manifest(folder, version)
    if manifest is None:
        yield f"{folder / '_versions'}: the file of {'the newest' if version is None else 'this'} version is missing"
        return
    yield from _look_at(manifest)
    for name in sorted(set(DATA_FILE.findall(manifest.read_bytes()))):
        yield from _look_at(folder / "data" / name.decode())
    for index in indices:
        files = [path for path in (folder / "_indices" / index).glob("*") if path.suffix in (".lance", ".idx")]
        if not files:
            yield f"{folder / '_indices' / index}: the files of this index are missing"
        for file in sorted(files):
            yield from _look_at(file)


def find_damaged_history(folder: Path) -> Iterator[str]:
    """Say which files of versions and tags can't be read, and if the newest version that was noted is not there."""
    noted = _noted_version(folder)
    for path in sorted((folder / "_versions").glob("*.manifest")):
        for problem in _look_at(path):
            if path.exists():  # else it was dropped meanwhile
                yield problem
    for path in sorted((folder / "_refs" / "tags").glob("*.json")):
        try:
            json.loads(path.read_text(encoding="utf-8"))["version"]
        except FileNotFoundError:  # removed meanwhile
            continue
        except (OSError, ValueError, KeyError, TypeError):
            yield f"{path}: is damaged; without this file there is no such tag"
    manifest = _manifest(folder, None)
    if manifest is None or int(manifest.stem) > LAST_VERSION - noted:
        yield (
            f"{folder / '_versions'}: version {noted} was written, and its file is missing; older ones are what can be "
            "read. Restore it from a copy"
        )


def _noted_version(folder: Path) -> int:
    """What LanceDB has noted as the newest version, after writing it; 0 where that is not known."""
    try:
        return int(json.loads((folder / "_versions" / HINT).read_text(encoding="utf-8"))["version"])
    except (OSError, ValueError, KeyError, TypeError):  # it is no more than a hint: LanceDB does without it
        return 0


def _manifest(folder: Path, version: int | None) -> Path | None:
    if version is None:
        return min((folder / "_versions").glob("*.manifest"), default=None)
    path = folder / "_versions" / f"{LAST_VERSION - version:020}.manifest"
    return path if path.is_file() else None


def _look_at(path: Path) -> Iterator[str]:
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - len(MARK)))
            is_whole = file.read() == MARK
    except FileNotFoundError:
        yield f"{path}: is missing"
        return
    except OSError as error:
        yield f"{path}: can't be read ({error.strerror})"
        return
    if not is_whole:
        yield f"{path}: does not end as a whole file does; it was cut short or overwritten ({size:,} bytes)"
