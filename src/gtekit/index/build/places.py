"""Which document of an index a file is: the one from the same place, whatever the folder that a build runs in."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace

from gtekit.documents import Source
from gtekit.index.build.entries import Entry


def place_of(path: str) -> str:
    """Give the absolute path, or the address, as valid text that can be kept."""
    if path.startswith("s3://"):
        return path
    absolute = os.path.abspath(path)  # noqa: PTH100 resolve() would follow links
    return os.fsencode(absolute).decode("utf-8", "backslashreplace").replace(os.sep, "/")


def named_as_before(sources: Sequence[Source], entries: Iterable[Entry]) -> list[Source]:
    """Give the files under the names that the index has for them, for ids are made of these.

    A file whose place the index knows keeps its name there. One whose name is that of another place takes its absolute
    path as its name: ``docs/a.txt`` of one project must not replace that of another.
    """
    names: dict[str, str] = {}  # by place
    places: dict[str, str] = {}  # by name
    for entry in entries:
        names.setdefault(entry.location, entry.source)
        places[entry.source] = entry.location
    named = []
    for source in sources:
        place = place_of(source.location)
        name = names.get(place)
        if name is None:
            name = source.id if places.get(source.id, place) == place else place
        named.append(source if name == source.id else replace(source, id=name))
    return named
