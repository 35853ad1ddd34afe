"""The page of misses: one file with the texts, escaped, and nothing to load."""

from html.parser import HTMLParser
from pathlib import Path

import pytest

from gtekit.errors import FileFormatError
from gtekit.evaluation.own_data import Evaluation, evaluate
from tests.evaluation.own_data.fixed_model import EAST, FAR, NEAR, NORTH, WEST, FixedModel

HOSTILE = '<script>alert("1")</script> & \'<img src=x onerror=alert(1)>'
LONG = "long " * 200
VECTORS = {"a": EAST, HOSTILE: NEAR, "far": FAR, "north": NORTH, "west": WEST, "": NORTH, LONG: WEST}
MODEL = FixedModel({**VECTORS, f"Title {HOSTILE}": NEAR})
ALLOWED = {"html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "table", "tr", "th", "td", "ul", "li"}
ALLOWED |= {"article", "strong", "dl", "dt", "dd", "span"}


class Reader(HTMLParser):
    """Takes a page apart and checks that what opens also closes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.text = ""
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag != "meta":
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def read(result: Evaluation, folder: Path) -> Reader:
    result.write_html(folder / "errors.html")
    page = (folder / "errors.html").read_text(encoding="utf-8")
    assert [path.name for path in folder.iterdir()] == ["errors.html"]
    reader = Reader(page)
    assert set(reader.tags) <= ALLOWED
    assert reader.attributes <= {"lang", "charset", "name", "content", "class", "dir"}
    assert "url(" not in page
    assert "http" not in page
    assert "prefers-color-scheme: dark" in page
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in page
    for measure, score in result.scores.items():
        assert measure in reader.text
        assert f"{score:.4f}" in reader.text
    for interval in result.intervals.values():
        assert f"{interval.low:.4f} to {interval.high:.4f}" in reader.text
    return reader


def test_graded_pairs(tmp_path: Path) -> None:
    result = evaluate(MODEL, pairs=[("a", HOSTILE, 1.0), ("a", "far", 3.0), ("a", "", 2.0)] * 4)
    reader = read(result, tmp_path)
    assert HOSTILE in reader.text
    assert "(empty)" in reader.text
    # people: the pairs of value 1 share the ranks 9 to 12; the model has them at 1 to 4
    assert "index 0 people 1, rank 10.5; cosine 0.8000, rank 2.5" in reader.text


def test_binary_pairs(tmp_path: Path) -> None:
    result = evaluate(MODEL, pairs=[("a", HOSTILE, 0), ("a", "a", 1), ("a", "a", 1), ("a", "west", 0)])
    assert "None: nothing here is wrong." in read(result, tmp_path).text
    result = evaluate(MODEL, pairs=[("a", HOSTILE, 1), ("a", "far", 1), ("a", "west", 1), ("a", "north", 0)] * 3)
    # yes from 0.6 on: 9 of 12 right, as with yes to all; the threshold lies between 0.6 and 0
    assert "index 2 label 1; cosine -1.0000, below the threshold 0.3000" in read(result, tmp_path).text


def test_triples(tmp_path: Path) -> None:
    text = read(evaluate(MODEL, triples=[("a", "west", HOSTILE)] * 12), tmp_path).text
    assert "index 0 margin -1.8000" in text
    assert "positive, cosine -1.0000" in text
    assert "negative, cosine 0.8000" in text
    assert HOSTILE in text


def test_retrieval(tmp_path: Path) -> None:
    documents: dict[str, str | dict[str, str]] = {"d1": {"title": "Title", "text": HOSTILE}, "d2": "west", "<d3>": LONG}
    result = evaluate(MODEL, queries={"<q>": "a"}, documents=documents, qrels={"<q>": {"d2": 1, "<d3>": 2}})
    text = read(result, tmp_path).text
    assert "query <q> nDCG@10" in text
    # both lie at -1: of equal ones trec_eval takes the last id first, and d2 comes after <d3>
    assert "relevant, grade 1: rank 2, cosine -1.0000 (d2)" in text
    assert "relevant, grade 2: rank 3, cosine -1.0000 (<d3>)" in text
    assert "found at rank 1, cosine 0.8000: not relevant (d1)" in text
    assert f"Title {HOSTILE}" in text
    assert "… 500 more characters" in text  # of 1,000


def test_labelled(tmp_path: Path) -> None:
    rows = [("a", "<east>"), ("north", "n")] * 12 + [(HOSTILE, "n")] * 2
    text = read(evaluate(MODEL, labelled=rows), tmp_path).text
    assert "predicted, confidence" in text
    assert "<east>" in text
    assert HOSTILE in text


def test_a_page_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    result = evaluate(MODEL, triples=[("a", "west", "far")])
    page = tmp_path / "errors.html"
    result.write_html(str(page))
    first = page.read_bytes()
    result.write_html(page)
    assert page.read_bytes() == first
    with pytest.raises(FileFormatError, match=r"is a folder\. Name a file in it"):
        result.write_html(tmp_path)
    with pytest.raises(FileFormatError, match="there is no folder"):
        result.write_html(tmp_path / "none" / "errors.html")
