"""Records of csv, and the number of the line that each ends in: a quoted field may hold line ends."""

import csv
from collections.abc import Iterator

from gtekit.errors import FileFormatError


class CountedLines:
    """Lines for the csv module, which wants their ends, and the number of the last one it took."""

    def __init__(self, lines: Iterator[tuple[int, str]]) -> None:
        self.number = 0
        self._lines = lines

    def __iter__(self) -> Iterator[str]:
        for number, line in self._lines:
            self.number = number
            yield line + "\n"


def next_record(table: Iterator[list[str]], where: str) -> list[str] | None:
    """Read one record; None after the last.

    Raises:
        FileFormatError: If this is no csv.
    """
    try:
        return next(table, None)
    except csv.Error as error:
        raise FileFormatError(f"{where}: not valid csv ({error}). Is a quote missing?") from None
