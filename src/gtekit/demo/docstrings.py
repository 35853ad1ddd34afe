"""Real text that every machine with Python has: the docstrings of the standard library.

Nothing is imported: the files are parsed. The built-in types and functions have no files, but are there already.
"""

import ast
import builtins
import inspect
import sysconfig
import textwrap
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

LEFT_OUT = {  # tests, programs, and what is not the standard library's own
    "__phello__", "config", "ensurepip", "idlelib", "lib2to3", "pydoc_data", "site-packages", "dist-packages",
    "test", "tests", "turtledemo", "this.py", "antigravity.py",
}  # fmt: skip
SHORTEST = 20  # characters: shorter ones say nothing ("See above.")
LONGEST = 600  # characters: about 150 tokens, which every model reads whole

FAMILIES = {
    "text and patterns": "str string re textwrap difflib unicodedata codecs encodings gettext locale "
    "html htmlentitydefs stringprep cmd shlex readline pprint reprlib tokenize token bytes bytearray",
    "files and processes": "os io pathlib shutil glob fnmatch tempfile posixpath ntpath genericpath fileinput "
    "filecmp stat zipfile tarfile gzip bz2 lzma zlib zipimport subprocess signal pty tty shelve dbm mmap open",
    "network and mail": "http urllib socket socketserver ssl email smtplib imaplib poplib nntplib ftplib telnetlib "
    "xmlrpc wsgiref ipaddress mailbox mimetypes cgi cgitb webbrowser smtpd asynchat asyncore netrc uuid",
    "numbers and dates": "int float complex math cmath decimal fractions statistics random numbers datetime time "
    "calendar zoneinfo colorsys sum round pow abs divmod min max",
    "collections and sorting": "list dict set tuple frozenset range collections heapq bisect array queue itertools "
    "functools operator copy sorted reversed enumerate graphlib types weakref sched zip map filter",
    "concurrency": "asyncio threading multiprocessing concurrent selectors contextvars contextlib _thread",
    "data formats": "json csv xml pickle pickletools copyreg plistlib configparser tomllib sqlite3 struct base64 "
    "binascii quopri uu binhex xdrlib hashlib hmac secrets marshal sunau wave aifc chunk",
    "testing and debugging": "unittest doctest pdb bdb trace traceback tracemalloc timeit profile cProfile pstats "
    "logging warnings faulthandler inspect dis ast symtable code codeop cgitb pydoc tabnanny argparse optparse getopt",
    "graphical windows": "tkinter turtle curses",
}
FAMILY_OF = {module: family for family, modules in FAMILIES.items() for module in modules.split()}


@dataclass(frozen=True, slots=True)
class Docstring:
    """The first paragraph of one docstring."""

    name: str  # heapq.merge
    text: str

    @property
    def family(self) -> str | None:
        """What the module is about, None for the many that fit no drawer."""
        return FAMILY_OF.get(self.name.split(".", 1)[0])


@cache
def standard_library_docstrings(take_share: Callable[[float], None] | None = None) -> tuple[Docstring, ...]:
    """Collect the docstrings of the public names, the same ones in the same order on every run; each text once.

    Args:
        take_share: Is told the share of files that are read, after each: it takes seconds on a slow machine.
    """
    library = Path(sysconfig.get_paths()["stdlib"])
    found: dict[str, Docstring] = {}
    for docstring in _all_docstrings(library, take_share):
        if len(docstring.text) >= SHORTEST:
            found.setdefault(docstring.text, docstring)
    return tuple(found.values())


def _all_docstrings(library: Path, take_share: Callable[[float], None] | None) -> Iterator[Docstring]:
    yield from _builtin_docstrings()
    paths = sorted(library.rglob("*.py"))
    for number, path in enumerate(paths, start=1):
        if take_share:
            take_share(number / len(paths))
        parts = path.relative_to(library).parts
        if LEFT_OUT.isdisjoint(parts) and not any(part.startswith(("_", "config-")) for part in _module_parts(parts)):
            yield from _file_docstrings(path, ".".join(_module_parts(parts)))


def _module_parts(parts: tuple[str, ...]) -> list[str]:
    return [part.removesuffix(".py") for part in parts if part != "__init__.py"]


def _file_docstrings(path: Path, module: str) -> Iterator[Docstring]:
    try:
        with warnings.catch_warnings(action="ignore"):  # invalid escapes in old files are not our concern
            tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return
    yield from _tree_docstrings(tree, module)


def _tree_docstrings(node: ast.Module | ast.ClassDef, name: str) -> Iterator[Docstring]:
    if text := ast.get_docstring(node):
        yield Docstring(name, _first_paragraph(text))
    for child in node.body:
        if not isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) or child.name.startswith("_"):
            continue
        if isinstance(child, ast.ClassDef):
            yield from _tree_docstrings(child, f"{name}.{child.name}")
        elif text := ast.get_docstring(child):
            yield Docstring(f"{name}.{child.name}", _first_paragraph(text))


def _builtin_docstrings() -> Iterator[Docstring]:
    for name, thing in sorted(vars(builtins).items()):
        if name.startswith("_") or not callable(thing):
            continue
        if text := inspect.getdoc(thing):
            yield Docstring(name, _first_paragraph(text))
        if isinstance(thing, type) and not issubclass(thing, BaseException):
            for method_name, method in sorted(vars(thing).items()):
                if not method_name.startswith("_") and (text := getattr(method, "__doc__", None)):
                    yield Docstring(f"{name}.{method_name}", _first_paragraph(inspect.cleandoc(text)))


def _first_paragraph(text: str) -> str:
    return textwrap.shorten(text.split("\n\n", 1)[0], LONGEST, placeholder=" …")
