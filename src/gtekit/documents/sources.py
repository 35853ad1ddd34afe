"""Paths, folders, patterns and addresses to files: sorted, each once, what is hidden left out."""

import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from glob import glob
from pathlib import Path

from gtekit.documents.document import Failure
from gtekit.documents.s3 import S3, find_on_s3
from gtekit.documents.source import Source, kind_of, open_local, stamp_of
from gtekit.errors import ArgumentError

PATTERN = re.compile(r"[*?\[]")
INDEX_MARKS = ("gtekit-index.json", "rows.lance")  # a folder with one of these is an index, whose rows are no documents
INDEX = "index"  # what such a folder is counted as


@dataclass(slots=True)
class FoundSources:
    """What there is to read."""

    sources: list[Source] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    passed_over: Counter[str] = field(default_factory=Counter)  # files in folders, by the end of the name
    roots: tuple[str, ...] = ()  # the paths as they were given, each once
    missing: list[str] = field(default_factory=list)  # those of them that are not there, where that is allowed


def find_documents(
    paths: Sequence[str | Path], *, leave_out: Sequence[str | Path] = (), may_miss: bool = False
) -> FoundSources:
    """Find the files under paths, nothing read yet.

    A folder is searched with all its folders, in the order of names; what begins with a dot is left out, and so are
    files whose names say a kind that isn't read here, and folders that are an index of gtekit. Links are followed, and
    a file or folder that several names lead to is taken once. A file that is named itself is taken whatever it is
    called.

    Args:
        paths: Files, folders, patterns with * ** ? [ ], and addresses s3://bucket/prefix.
        leave_out: Files and folders that are not taken, such as the index itself.
        may_miss: Whether a path that is not there, or a pattern without a match, is listed instead of refused.

    Raises:
        ArgumentError: If a path is not there or a pattern matches nothing.
        MissingExtraError: If an address of S3 is named and pyarrow is not installed.
    """
    if not paths:
        raise ArgumentError("no paths to read documents from; name files, folders, patterns or s3:// addresses.")
    roots = tuple(dict.fromkeys(normal_root(path) for path in paths))
    found = FoundSources(roots=tuple(map(_text, roots)))
    seen = {os.path.realpath(path) for path in leave_out}  # and files and folders that were taken
    for root in roots:
        if root.startswith(S3):
            found.sources.extend(find_on_s3(root, found.passed_over, found.missing if may_miss else None))
            continue
        matches = _expand(root)
        for path in matches:
            _add(path, root, found, seen)
        if not matches and not may_miss:
            raise ArgumentError(why_missing(root))
        if not matches:
            found.missing.append(_text(root))
    return found


def why_missing(root: str) -> str:
    """Say that a path gives nothing."""
    if root.startswith(S3):
        return f"{root}: is not there. Name a bucket, a folder in it, or one object."
    what = "matches nothing" if PATTERN.search(root) else "is not there"
    return f"{root}: {what}. Is the path right? It is taken from {Path.cwd()}."


def normal_root(path: str | Path) -> str:
    """Give a path in the form that ids begin with: docs/, ./docs and docs are one."""
    text = os.fspath(path)
    if text.startswith(S3):
        return text.rstrip("/")
    return os.path.normpath(text)


def _expand(root: str) -> list[Path]:
    if os.path.lexists(root):
        return [Path(root)]
    matches = sorted(glob(root, recursive=True)) if PATTERN.search(root) else []  # noqa: PTH207 passes over hidden files
    return [Path(match) for match in matches]


def _add(path: Path, root: str, found: FoundSources, seen: set[str]) -> None:
    if path.is_dir():
        for file in _walk(path, found, seen):
            _add_file(file, root, found, seen)
    else:
        _add_file(path, root, found, seen)


def _walk(folder: Path, found: FoundSources, seen: set[str]) -> Iterator[Path]:
    """Give the files of a folder and those in it. A list, no recursion: links can make paths long, never endless."""
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        if (real := os.path.realpath(here)) in seen:
            continue
        seen.add(real)
        try:
            visible = sorted(path for path in here.iterdir() if not path.name.startswith("."))
        except OSError as error:
            found.failures.append(Failure(_text(here), f"the folder can't be read ({error.strerror})"))
            continue
        if any(path.name in INDEX_MARKS for path in visible):
            found.passed_over[INDEX] += 1
            continue
        folders = [path for path in visible if path.is_dir()]
        waiting.extend(reversed(folders))
        for path in (path for path in visible if path not in set(folders)):
            if kind_of(path.name) is None:
                found.passed_over[path.suffix.lower()] += 1
            else:
                yield path


def _add_file(path: Path, root: str, found: FoundSources, seen: set[str]) -> None:
    if (real := os.path.realpath(path)) in seen:
        return
    seen.add(real)
    try:
        status = path.stat()
    except OSError as error:
        is_link = path.is_symlink()
        found.failures.append(
            Failure(_text(path), f"{'a link to nothing' if is_link else 'not there'} ({error.strerror})")
        )
        return
    kind, is_packed = kind_of(path.name) or ("unknown", path.name.lower().endswith(".gz"))
    found.sources.append(
        Source(
            id=_text(path),
            root=_text(root),
            kind=kind,
            is_packed=is_packed,
            size_bytes=status.st_size,
            stamp=stamp_of(status),
            modified_s=status.st_mtime,
            location=os.path.abspath(path),  # noqa: PTH100 resolve() would follow links
            open=partial(open_local, path),
        )
    )


def _text(path: str | Path) -> str:
    """Give a path as valid text, also where the name of a file is none."""
    return os.fsencode(path).decode("utf-8", "backslashreplace").replace(os.sep, "/")
