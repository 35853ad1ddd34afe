"""Which documents leave an index: those whose files are gone, never those that could not be read."""

from collections.abc import Mapping
from pathlib import Path, PurePath

from gtekit.documents import FoundSources, why_missing
from gtekit.errors import ArgumentError, VectorIndexError
from gtekit.index.build.entries import Entry
from gtekit.index.build.places import place_of


def check_roots(entries: Mapping[str, Entry], found: FoundSources, *, prune: bool) -> None:
    """Make sure that no path has become empty: a disk that is not mounted must not empty the index.

    Raises:
        ArgumentError: If one is not there, and the index has nothing of it: even with `prune` it is a slip then.
        VectorIndexError: If one is empty or not there, and `prune` is not set.
    """
    for path in found.missing:
        if not any(_is_of(entry, place_of(path)) for entry in entries.values()):
            raise ArgumentError(why_missing(path))
    if prune:
        return
    places = {place_of(source.location) for source in found.sources}
    alive = {place_of(source.root) for source in found.sources} | {
        entry.root for entry in entries.values() if entry.location in places
    }
    missing = set(map(place_of, found.missing))
    for root in map(place_of, found.roots):
        before = sum(_is_of(entry, root) if root in missing else entry.root == root for entry in entries.values())
        if before and root not in alive:
            state = "holds nothing to read" if _is_there(root) else "is not there"
            raise VectorIndexError(
                f"{root}: {state} now, and the index has {before:,} document{'s' * (before != 1)} of it. Is a disk not "
                f"mounted? If they are to leave the index: --prune (prune=True), with this path and all that are to "
                f"stay."
            )


def gone_entries(
    entries: Mapping[str, Entry], found: FoundSources, *, seen: set[str], failed: set[str], prune: bool
) -> tuple[list[Entry], int]:
    """Give the documents that leave, and how many stay though nothing was said of them.

    Args:
        entries: What the index had.
        found: What there is now.
        seen: Documents that were read, or did not need to be.
        failed: Places of files and folders that could not be read, or not to their end: what the index has of them
            stays.
        prune: Whether what is of other paths leaves, too.
    """
    gone: list[Entry] = []
    roots = set(map(place_of, found.roots))
    of_others = 0
    for entry in entries.values():
        if entry.document_id in seen or entry.location in failed or _lies_in(entry.location, failed):
            continue
        if prune or entry.root in roots or _has_vanished(entry):
            gone.append(entry)
        else:
            of_others += 1
    return gone, of_others


def _is_of(entry: Entry, root: str) -> bool:
    return root in (entry.root, entry.location) or entry.location.startswith(f"{root}/")


def _is_there(root: str) -> bool:
    return root.startswith("s3://") or Path(root).exists()


def _lies_in(place: str, failed: set[str]) -> bool:
    return any(folder.as_posix() in failed for folder in PurePath(place).parents) if failed else False


def _has_vanished(entry: Entry) -> bool:
    """Whether a file that was named itself, as a shell does that expands *.txt, is not there any more."""
    if entry.root != entry.location or entry.location.startswith("s3://"):
        return False
    path = Path(entry.location)
    return path.parent.is_dir() and not path.exists()
