"""The demo's text: thousands of docstrings, the same ones on every run, with nothing imported."""

import sys

from gtekit.demo import standard_library_docstrings
from gtekit.demo.docstrings import LONGEST, SHORTEST


def test_thousands_of_docstrings_each_once_and_always_the_same() -> None:
    docstrings = standard_library_docstrings()
    assert len(docstrings) > 3000
    assert len({docstring.text for docstring in docstrings}) == len(docstrings)
    assert all(SHORTEST <= len(docstring.text) <= LONGEST for docstring in docstrings)
    names = {docstring.name for docstring in docstrings}
    assert {"sorted", "list.sort", "heapq", "bz2.compress", "threading.Thread.join"} <= names
    assert not any(name.startswith(("test.", "idlelib.")) or "._" in name for name in names)


def test_the_reading_tells_how_far_it_is() -> None:
    shares: list[float] = []
    standard_library_docstrings(shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_collecting_imports_nothing_of_what_it_reads() -> None:
    standard_library_docstrings()
    assert not {"antigravity", "this", "turtle", "tkinter", "idlelib"} & set(sys.modules)
