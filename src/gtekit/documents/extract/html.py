"""HTML to text by its blocks: headings, paragraphs, lists and tables on lines of their own, no scripts, no menus."""

import re
from collections.abc import Iterator
from typing import Any, TypeAlias

from gtekit.documents.decode import decode
from gtekit.documents.extract.outline import Outline
from gtekit.documents.extract.text import Extracted
from gtekit.errors import MissingExtraError

DECLARED = re.compile(
    rb"<(?:meta[^>]{0,200}?charset|\?xml[^>]{0,100}?encoding)\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE
)
DECLARED_BYTES = 4096  # a declaration stands in the first kilobyte; some files have a long comment before it
LEFT_OUT = {"script", "style", "noscript", "template", "nav", "iframe", "object", "svg", "canvas", "math", "head"}
LEFT_OUT |= {"select", "button", "textarea", "audio", "video"}
LEFT_OUT_ROLES = {"navigation", "search", "banner", "contentinfo", "menu"}
LEFT_OUT_CLASSES = {"headerlink", "sphinxsidebar", "related", "skip-link"}  # of the tools for documentation
PARAGRAPHS = {"p", "div", "section", "article", "main", "aside", "header", "footer", "blockquote", "pre", "ul", "ol"}
PARAGRAPHS |= {"dl", "table", "figure", "form", "fieldset", "address", "details", "hr", "body"}
PARAGRAPHS |= {"h1", "h2", "h3", "h4", "h5", "h6"}
LINES = {"li", "tr", "dt", "dd", "caption", "figcaption", "summary", "option", "legend", "thead", "tbody", "tfoot"}
CELLS = ("td", "th")
HEADINGS = {f"h{level}": level for level in range(1, 7)}
Node: TypeAlias = Any  # selectolax has no types

SPACES = re.compile(r"[ \t\n\r\f\u00a0]+")


def extract_html(data: bytes) -> Extracted:
    """Give what a person reads on the page: its main part where it says which that is.

    Raises:
        FileFormatError: If it is binary.
        MissingExtraError: If selectolax is not installed.
    """
    try:
        from selectolax.lexbor import LexborHTMLParser
    except ImportError:
        raise MissingExtraError("Reading HTML", "index", "selectolax") from None
    declared = DECLARED.search(data[:DECLARED_BYTES])
    markup, guessed = decode(data, declared[1].decode("ascii") if declared else None)
    page = LexborHTMLParser(markup)
    named = page.css_first("title")
    title = " ".join(named.text().split()) if named else ""
    writer = _Writer()
    for root in (page.css_first("main, [role=main]"), page.body):
        if root is not None:
            writer = _Writer()
            writer.write(root)
            if writer.text().strip():
                break
    return Extracted(writer.text(), title or writer.outline.title, writer.outline.parts(), guessed)


class _Writer:
    """Puts the text of nodes together, and notes where headings begin."""

    def __init__(self) -> None:
        self.outline = Outline()
        self._pieces: list[str] = []
        self._length = 0
        self._breaks = 0  # line ends that stand before the next words
        self._has_space = False  # a space stands before the next words
        self._headings: list[tuple[int, int, int]] = []  # open ones: level, place in the text, place in the pieces
        self._pre = 0
        self._is_cell = False  # the next words begin a cell of a table

    def write(self, root: Node) -> None:
        """Write everything below a node."""
        for node, is_end in _walk(root):
            if node.tag == "-text":
                self._add_text(node.text_content or "")
            elif is_end:
                self._end(node.tag)
            else:
                self._begin(node.tag)

    def text(self) -> str:
        """Give what was written."""
        return "".join(self._pieces)

    def _begin(self, tag: str) -> None:
        self._block(tag)
        if tag in CELLS:
            self._is_cell = True
        elif tag == "li":
            self._append("- ")
        elif tag == "br":
            self._breaks = max(self._breaks, 1)
        elif tag == "pre":
            self._pre += 1
        elif tag in HEADINGS:
            self._headings.append((HEADINGS[tag], self._length, len(self._pieces)))

    def _end(self, tag: str) -> None:
        if tag == "pre":
            self._pre -= 1
        if tag in HEADINGS and self._headings:
            level, place, first = self._headings.pop()
            heading = "".join(self._pieces[first:])
            self.outline.add(level, heading, place + len(heading) - len(heading.lstrip()))
        self._block(tag)

    def _block(self, tag: str) -> None:
        if tag in PARAGRAPHS:
            self._breaks = max(self._breaks, 2)
        elif tag in LINES:
            self._breaks = max(self._breaks, 1)

    def _add_text(self, text: str) -> None:
        if self._pre:
            if text:
                self._append(text)
            return
        words = SPACES.sub(" ", text)
        if words.strip():
            self._has_space = self._has_space or words[0] == " "
            self._append(words.strip(" "))
            self._has_space = words[-1] == " "
        elif words:
            self._has_space = True

    def _append(self, text: str) -> None:
        if self._breaks:
            self._put("\n" * self._breaks if self._pieces else "")
        elif self._is_cell and self._pieces:
            self._put(" | ")
        elif self._has_space and self._pieces and not self._pieces[-1].endswith((" ", "\n")):
            self._put(" ")
        self._breaks, self._has_space, self._is_cell = 0, False, False
        self._put(text)

    def _put(self, text: str) -> None:
        if text:
            self._pieces.append(text)
            self._length += len(text)


def _walk(root: Node) -> Iterator[tuple[Node, bool]]:
    """Give each node before and after those below it. No recursion: markup can be nested a million deep."""
    node, end = root, root.mem_id
    while True:
        is_left_out = node.tag != "-text" and _is_left_out(node)
        if not is_left_out:
            yield node, False
            if node.tag != "-text" and node.child is not None:
                node = node.child
                continue
            if node.tag != "-text":
                yield node, True
        while node.mem_id != end and node.next is None:
            node = node.parent
            yield node, True
        if node.mem_id == end:
            return
        node = node.next


def _is_left_out(node: Node) -> bool:
    if node.tag in LEFT_OUT or node.tag.startswith(("-", "!")):
        return True
    attributes = node.attributes
    if not attributes:
        return False
    if "hidden" in attributes or attributes.get("aria-hidden") == "true":
        return True
    classes = (attributes.get("class") or "").split()
    return attributes.get("role") in LEFT_OUT_ROLES or not LEFT_OUT_CLASSES.isdisjoint(classes)
