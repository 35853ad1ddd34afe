"""States in a folder: files that never change, a manifest a version, and one file that names the newest.

    gtekit-index.json        what this is: the format, the Space, the number format of vectors
    current.json             the number of the newest version: replacing this file is what acknowledges a write
    versions/00000007.json   segments, rows of them that are gone, columns
    segments/00000007-0.*    vectors (.npy), ids with metadata and texts (JSON lines)
    tags.json, notes/*.json
    lock                     held while somebody writes

Files are on the disk before a manifest names them, and the manifest before `current.json` does.
"""

import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gtekit.errors import FileFormatError, GtekitError, VectorIndexError
from gtekit.files import lock_folder
from gtekit.index.exact.backend import ExactBackend
from gtekit.index.exact.durable import WHAT_TO_DO, read_json, sync_folder, write_json
from gtekit.index.exact.manifest import (
    created_from_json,
    files_from_json,
    find_damage,
    open_segment,
    part_to_json,
    there_from_json,
    write_segment,
)
from gtekit.index.exact.segment import Files, Segment
from gtekit.index.exact.state import Part, State
from gtekit.index.interface import Space, Version
from gtekit.index.names import no_tag

HEADER = "gtekit-index.json"
FORMAT = 1
LOCK_WAIT_S = 10.0  # a write of another process takes less, unless it is large
LOCK_POLL_S = 0.01
READ_TRIES = 20  # of a version that `optimize` drops while it is opened; the newest is never dropped


def is_exact(folder: Path) -> bool:
    """Whether a folder holds an index of this backend."""
    return (folder / HEADER).is_file()


def create_folder(folder: Path, space: Space, vector_dtype: str) -> ExactBackend:
    """Make an empty index: the whole folder appears at once.

    Raises:
        VectorIndexError: If it can't be made.
    """
    folder = Path.cwd() / folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = folder.parent / f".{folder.name}-{secrets.token_hex(8)}"
        made.mkdir()
    except OSError as error:
        raise VectorIndexError(f"{folder}: can't be made ({error.strerror}). Choose another place.") from None
    try:
        for name in ("versions", "segments", "notes"):
            (made / name).mkdir()
        header = {
            "format": FORMAT,
            "backend": "exact",
            "space": {**asdict(space), "prompts": dict(space.prompts)},
            "vector_dtype": vector_dtype,
        }
        write_json(made / HEADER, header)
        write_json(made / "tags.json", {})
        _write_manifest(made, State(1, datetime.now(UTC), {}, ()))
        write_json(made / "current.json", {"version": 1})
        if folder.is_dir():
            folder.rmdir()  # empty, or this fails
        made.rename(folder)
        sync_folder(folder.parent)
    except OSError as error:
        raise VectorIndexError(f"{folder}: can't be made ({error.strerror}). Choose another place.") from None
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return open_folder(folder)


def open_folder(folder: Path) -> ExactBackend:
    """Open an index.

    Raises:
        VectorIndexError: If it is damaged, or of a later format.
    """
    store = FolderStore(folder)
    store.current()  # what is damaged shows now, not at the first search
    return ExactBackend(store, "exact")


class FolderStore:
    """Keeps states in a folder. One process at a time writes; any number read."""

    def __init__(self, folder: Path) -> None:
        self.location = str(folder)
        self._folder = Path.cwd() / folder  # found again after a change of the working folder
        header = self._read_header()
        self.space = Space(**header["space"])
        self.vector_dtype: str = header["vector_dtype"]
        self._write_mutex = threading.Lock()
        self._mutex = threading.Lock()  # of self._state, held for moments: threads search while another writes
        self._state: State | None = None

    def current(self) -> State:
        """Give the newest state, also one that another process has written."""
        with self._mutex:
            for _ in range(READ_TRIES):
                number = self._current_number()
                if self._state is not None and self._state.number == number:
                    return self._state
                with suppress(FileNotFoundError):  # dropped just now: there is a newer one
                    self._state = self._load(number)
                    return self._state
                if self._current_number() == number:
                    break
            raise self._missing(number)

    @contextmanager
    def writing(self) -> Iterator[State]:
        """Hold off all others that write; gives the newest state."""
        try:
            with self._write_mutex, self._locked():
                yield self.current()
        except OSError as error:
            if isinstance(error, GtekitError):
                raise
            raise VectorIndexError(
                f"{self.location}: can't be written ({error.strerror or error}). Is the disk full, or are permissions "
                "missing? Nothing of this write counts."
            ) from error

    def commit(self, state: State) -> None:
        """Make this the newest state; when it returns, it stays so."""
        folder = self._folder / "segments"
        parts = []
        for number, part in enumerate(state.parts):
            if part.segment.files is None:
                files = write_segment(folder, f"{state.number:08}-{number}", part.segment)
                opened = open_segment(folder, files, self.space.dimension, self.vector_dtype)
                part = replace(part, segment=opened)
            parts.append(part)
        sync_folder(folder)
        state = replace(state, parts=tuple(parts))
        _write_manifest(self._folder, state)
        write_json(self._folder / "current.json", {"version": state.number})
        with self._mutex:
            self._state = state

    def clean(self) -> None:
        """Drop former states without a tag, and files that no state has."""
        kept = {self.current().number, *self._tags().values()}
        names = set()
        for path in (self._folder / "versions").iterdir():
            if _number(path) in kept:
                names |= {entry["name"] for entry in read_json(path)["segments"]}
            else:
                _remove(path)
        for path in (self._folder / "segments").iterdir():
            if path.name.split(".")[0] not in names:
                _remove(path)

    def load(self, version: int | str) -> State:
        """Give a former state."""
        number = self._tags().get(version) if isinstance(version, str) else version
        if number is not None and number <= self._current_number():
            with suppress(FileNotFoundError):
                return self._load(number)
        raise VectorIndexError(
            f"{self.location}: there is no version {version!r}. Numbers: see versions(); tags: "
            f"{', '.join(sorted(self._tags())) or 'none'}."
        )

    def versions(self) -> list[Version]:
        """Give all states that are kept."""
        tags = self._tags()
        newest = self._current_number()
        found = []
        for path in sorted((self._folder / "versions").glob("*.json")):
            number = _number(path)
            with suppress(FileNotFoundError):
                if number is not None and number <= newest:  # a later one was never acknowledged
                    names = tuple(sorted(tag for tag, tagged in tags.items() if tagged == number))
                    found.append(Version(number, created_from_json(read_json(path)), names))
        return found

    def tag(self, name: str) -> None:
        """Name the newest state."""
        write_json(self._folder / "tags.json", {**self._tags(), name: self.current().number})

    def untag(self, name: str) -> None:
        """Take a name away."""
        tags = self._tags()
        if tags.pop(name, None) is None:
            raise VectorIndexError(no_tag(self.location, name, tags))
        write_json(self._folder / "tags.json", tags)

    def read_note(self, name: str) -> Mapping[str, Any] | None:
        """Give a note."""
        try:
            return read_json(self._folder / "notes" / f"{name}.json")
        except FileNotFoundError:
            return None

    def write_note(self, name: str, note: Mapping[str, Any]) -> None:
        """Keep a note."""
        write_json(self._folder / "notes" / f"{name}.json", note)

    def size_bytes(self, state: State) -> int | None:
        """Give the bytes of all files, those of former states too."""
        size = 0
        for path in self._folder.rglob("*"):
            with suppress(FileNotFoundError):
                size += path.stat().st_size if path.is_file() else 0
        return size

    def verify(self, state: State) -> list[str]:
        """Compare the files of all versions with their checksums; read notes and tags, and open what is tagged."""
        problems = []
        whole: set[str] = set()  # segments
        for path in sorted((self._folder / "versions").glob("*.json")):
            number = _number(path)
            if number is not None and number <= state.number:
                found = self._damage_of(path, whole)
                problems += found if path.exists() else []  # else dropped meanwhile, and its segments with it
        for path in sorted((self._folder / "notes").glob("*.json")):
            problems += _problem(lambda path=path: read_json(path))  # type: ignore[misc]
        problems += self._problems_of_tags()
        if not self._path(state.number).exists() and self._current_number() == state.number:
            problems.append(str(self._missing(state.number)))
        return list(dict.fromkeys(problems))

    def _damage_of(self, path: Path, whole: set[str]) -> list[str]:
        """What is wrong with a version; segments that are not are added to those that are whole."""
        problems = []
        try:
            for files in map(files_from_json, read_json(path)["segments"]):
                if files.name in whole:
                    continue
                if found := find_damage(self._folder / "segments", files):
                    problems += found
                else:
                    whole.add(files.name)
        except FileNotFoundError:  # dropped meanwhile
            return []
        except VectorIndexError as error:
            problems.append(str(error))
        except (KeyError, TypeError, ValueError, AttributeError):
            problems.append(f"{path}: is no description of a version. {WHAT_TO_DO}")
        return problems

    def _problems_of_tags(self) -> list[str]:
        try:
            tags = self._tags()
        except VectorIndexError as error:
            return [str(error)]
        problems = []
        for name, number in sorted(tags.items()):
            found = _problem(lambda number=number: self._load(number))  # type: ignore[misc]
            if not self._path(number).exists():
                found = [f"{self._path(number)}: is missing, and the tag {name!r} stands for it. {WHAT_TO_DO}"]
            if found and self._tags().get(name) == number:  # else it was moved or removed meanwhile
                problems += found
        return problems

    def close(self) -> None:
        """Let go of files."""
        with self._mutex:
            self._state = None

    def _load(self, number: int) -> State:
        path = self._path(number)
        manifest = read_json(path)
        try:
            entries = [(files_from_json(entry), there_from_json(entry)) for entry in manifest["segments"]]
            created, columns = created_from_json(manifest), dict(manifest["columns"])
        except (KeyError, TypeError, ValueError, AttributeError):
            raise VectorIndexError(f"{path}: is no description of a version. {WHAT_TO_DO}") from None
        parts = tuple(Part(self._open(files), is_there) for files, is_there in entries)
        return State(number, created, columns, parts)

    def _open(self, files: Files) -> Segment:
        state = self._state
        for part in state.parts if state is not None else ():
            if part.segment.files == files:
                return part.segment  # with what was read of it so far
        return open_segment(self._folder / "segments", files, self.space.dimension, self.vector_dtype)

    def _path(self, number: int) -> Path:
        return self._folder / "versions" / f"{number:08}.json"

    def _current_number(self) -> int:
        try:
            number = read_json(self._folder / "current.json").get("version")
        except FileNotFoundError:
            raise VectorIndexError(f"{self._folder / 'current.json'}: is missing. {WHAT_TO_DO}") from None
        if not isinstance(number, int):
            raise VectorIndexError(f"{self._folder / 'current.json'}: names no version. {WHAT_TO_DO}")
        return number

    def _tags(self) -> dict[str, int]:
        try:
            return read_json(self._folder / "tags.json")
        except FileNotFoundError:
            raise VectorIndexError(f"{self._folder / 'tags.json'}: is missing. {WHAT_TO_DO}") from None

    def _missing(self, number: int) -> VectorIndexError:
        """Say which file of a version is not there."""
        path = self._path(number)
        if path.exists():
            segments = self._folder / "segments"
            entries = [files_from_json(entry) for entry in read_json(path)["segments"]]
            paths = [files.path(segments, what) for files in entries for what in files.sizes]
            path = next((path for path in paths if not path.exists()), path)
        return VectorIndexError(f"{path}: is missing. {WHAT_TO_DO}")

    def _read_header(self) -> dict[str, Any]:
        path = self._folder / HEADER
        header = read_json(path)
        if header.get("format") != FORMAT or header.get("backend") != "exact":
            raise VectorIndexError(
                f"{path}: is of format {header.get('format')!r}, and this gtekit reads {FORMAT}. Use a later gtekit."
            )
        return header

    @contextmanager
    def _locked(self) -> Iterator[None]:
        until = time.monotonic() + LOCK_WAIT_S
        with ExitStack() as stack:
            while True:
                try:
                    stack.enter_context(lock_folder(self._folder))
                    break
                except FileFormatError:
                    if time.monotonic() > until:
                        raise VectorIndexError(
                            f"{self.location}: another process has been writing to this index for {LOCK_WAIT_S:g} "
                            "s. One at a time can; wait for it, and write again. Reading is possible meanwhile."
                        ) from None
                    time.sleep(LOCK_POLL_S)
            yield


def _write_manifest(folder: Path, state: State) -> None:
    manifest = {
        "version": state.number,
        "created": state.created.isoformat(),
        "columns": dict(state.columns),
        "segments": [part_to_json(part) for part in state.parts],
    }
    write_json(folder / "versions" / f"{state.number:08}.json", manifest)


def _number(path: Path) -> int | None:
    """The version that a manifest is of; None for a file that a killed process has left."""
    return int(path.stem) if path.suffix == ".json" and path.stem.isdigit() else None


def _problem(read: Callable[[], object]) -> list[str]:
    """What is wrong with a file that is there, by reading it."""
    try:
        read()
    except VectorIndexError as error:
        return [str(error)]
    except FileNotFoundError:  # said elsewhere, if it has to be there
        return []
    return []


def _remove(path: Path) -> None:
    with suppress(OSError):  # Windows keeps what a reader has mapped; the next time will do
        path.unlink()
