"""What an index knows of the documents in it. It is kept with the first passage of each, in the same write.

So there is no second file that could disagree with the rows, on a disk or on S3, and a former version has its own. A
document counts as there once its first passage is, and that is written last.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gtekit.documents.passages import passage_id
from gtekit.index.build.columns import DOCUMENT, ENTRY, NUMBER, SOURCE
from gtekit.index.index import Index


@dataclass(frozen=True, slots=True)
class Entry:
    """One document of an index, as it was when it was written."""

    document_id: str
    source: str
    root: str  # the path that it was found through: absolute, or an address
    location: str  # of the file: an absolute path, or an address
    content_hash: str
    settings: str  # how its text was taken out and cut
    stamp: str  # of the file; "" where it may still have been changing
    passages: int

    def to_json(self) -> str:
        """Give what is kept; document and source are columns of their own."""
        kept = [self.root, self.location, self.content_hash, self.settings, self.stamp, self.passages]
        return json.dumps(kept, ensure_ascii=False)

    @property
    def prompt(self) -> str:
        """What the model had before its texts: vectors of another prompt are others."""
        return str(json.loads(self.settings)[-1]) if self.settings else ""

    def passage_ids(self, first: int = 0) -> list[str]:
        """Name its passages, from a number on."""
        return [passage_id(self.document_id, number) for number in range(first, self.passages)]


def read_entries(index: Index) -> dict[str, Entry]:
    """Give all documents of an index by their ids."""
    if ENTRY not in index.columns:
        return {}
    entries = {}
    for records in index.scan(where=f"{ENTRY} IS NOT NULL"):
        for metadata in records.metadata or ():
            root, location, content_hash, settings, stamp, passages = json.loads(str(metadata[ENTRY]))
            document_id, source = str(metadata[DOCUMENT]), str(metadata[SOURCE])
            entry = Entry(document_id, source, root, location, content_hash, settings, stamp, passages)
            entries[document_id] = entry
    return entries


def is_whole(index: Index, entries: Iterable[Entry]) -> bool:
    """Whether there are as many rows as documents say that they have."""
    if DOCUMENT not in index.columns:
        return True
    return index.count(where=f"{DOCUMENT} IS NOT NULL") == sum(entry.passages for entry in entries)


def repair(index: Index, entries: dict[str, Entry]) -> int:
    """Take out what a build that was killed, or somebody's delete, has left behind; gives how many documents.

    Passages without their document go; a document without all of its passages is forgotten, to be made anew. Reads
    the rows only where their number is not what it should be.
    """
    if is_whole(index, entries.values()):
        return 0
    found: Counter[str] = Counter()
    strays: dict[str, str] = {}  # row, document
    for row, document_id, number in _rows(index):
        entry = entries.get(document_id)
        if entry is None or number >= entry.passages:
            strays[row] = document_id
        else:
            found[document_id] += 1
    broken = [entry for entry in entries.values() if found[entry.document_id] != entry.passages]
    for entry in broken:
        del entries[entry.document_id]
        strays |= dict.fromkeys(entry.passage_ids(), entry.document_id)
    if strays:
        index.delete(list(strays))
    return len(set(strays.values()))


def _rows(index: Index) -> Iterator[tuple[str, str, int]]:
    for records in index.scan(where=f"{DOCUMENT} IS NOT NULL"):
        for row, metadata in zip(records.ids, records.metadata or (), strict=True):
            number = metadata.get(NUMBER)
            yield row, str(metadata[DOCUMENT]), number if isinstance(number, int) else 0
