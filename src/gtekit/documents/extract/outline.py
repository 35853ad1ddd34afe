"""The headings of a document, as the sections that its parts lie in."""

from gtekit.documents.document import Part

MOST_CHARACTERS = 500  # of a heading: what is longer names nothing


class Outline:
    """Takes headings in the order of the text and gives the section that begins with each."""

    def __init__(self) -> None:
        self.title = ""  # the first heading of the first level
        self._above: list[tuple[int, str]] = []
        self._parts: list[Part] = []

    def add(self, level: int, heading: str, start: int) -> None:
        """Take one heading: 1 is the highest level, `start` its first character in the text."""
        heading = " ".join(heading[:MOST_CHARACTERS].split())
        if not heading:
            return
        self._above = [entry for entry in self._above if entry[0] < level]
        self._above.append((level, heading))
        if level == 1 and not self.title:
            self.title = heading
        # the title of the whole document says nothing of a part of it
        names = [name for depth, name in self._above if not (depth == 1 and name == self.title)]
        self._parts.append(Part(start, section=" > ".join(names)))

    def parts(self) -> tuple[Part, ...]:
        """Give the sections found so far, in the order of the text: a heading within a heading ends before it."""
        return tuple(sorted(self._parts, key=lambda part: part.start))
