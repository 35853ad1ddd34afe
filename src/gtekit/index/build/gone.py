"""Which documents leave an index: those whose files are gone, never those that could not be read."""

from collections.abc import Mapping
from pathlib import Path

from gtekit.documents import FoundSources
from gtekit.errors import VectorIndexError
from gtekit.index.build.entries import Entry


def check_roots(entries: Mapping[str, Entry], found: FoundSources, *, prune: bool) -> None:
    """Make sure that no path has become empty: a disk that is not mounted must not empty the index.

    Raises:
        VectorIndexError: If one has, and `prune` is not set.
    """
    if prune:
        return
    names = {source.id for source in found.sources}
    alive = {source.root for source in found.sources} | {
        entry.root for entry in entries.values() if entry.source in names
    }
    for root in found.roots:
        before = sum(entry.root == root for entry in entries.values())
        if before and root not in alive:
            raise VectorIndexError(
                f"{root}: holds nothing to read now, and the index has {before:,} documents of it. Is a disk not "
                f"mounted? If they are to leave the index: --prune (prune=True)."
            )


def gone_entries(
    entries: Mapping[str, Entry], found: FoundSources, *, seen: set[str], failed: set[str], prune: bool
) -> tuple[list[Entry], int]:
    """Give the documents that leave, and how many stay though nothing was said of them.

    Args:
        entries: What the index had.
        found: What there is now.
        seen: Documents that were read, or did not need to be.
        failed: Files and folders that could not be read, or not to their end: what the index has of them stays.
        prune: Whether what is of other paths leaves, too.
    """
    gone: list[Entry] = []
    of_others = 0
    for entry in entries.values():
        if entry.document_id in seen or entry.source in failed or _lies_in(entry.source, failed):
            continue
        if prune or entry.root in found.roots or _has_vanished(entry):
            gone.append(entry)
        else:
            of_others += 1
    return gone, of_others


def _lies_in(source: str, failed: set[str]) -> bool:
    return any(str(folder) in failed for folder in Path(source).parents) if failed else False


def _has_vanished(entry: Entry) -> bool:
    """Whether a file that was named itself, as a shell does that expands *.txt, is not there any more."""
    if entry.root != entry.source or entry.location.startswith("s3://"):
        return False
    path = Path(entry.location)
    return path.parent.is_dir() and not path.exists()
