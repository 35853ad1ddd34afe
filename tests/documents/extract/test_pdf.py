"""PDF: pages, title, lines that belong together."""

from pathlib import Path

from gtekit.documents.extract.pdf import extract_pdf
from tests.documents.files import write_pdf

PARAGRAPH = (
    "A long sentence that the width of the page breaks into several lines, as every sentence of a paper is. " * 3
)


def test_pages_have_numbers_and_the_file_a_title(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", ["First page.", "Second page."], title="The paper")
    found = extract_pdf(path.read_bytes())
    assert found.title == "The paper"
    assert found.text == "First page.\n\nSecond page."
    assert [(part.page, found.text[part.start :][:6]) for part in found.parts] == [(1, "First "), (2, "Second")]


def test_lines_that_the_width_of_the_page_breaks_are_joined(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", [PARAGRAPH.strip() + "\n\nA new paragraph."])
    lines = extract_pdf(path.read_bytes()).text.split("\n")
    assert "A long sentence that the width of the page breaks into several lines, as every" in lines[0]
    assert lines[-1] == "A new paragraph."
    assert len(lines) <= 6


def test_an_empty_page_has_its_number(tmp_path: Path) -> None:
    found = extract_pdf(write_pdf(tmp_path / "a.pdf", ["One.", "", "Three."]).read_bytes())
    assert [(part.page, found.text[part.start :].strip()) for part in found.parts] == [
        (1, "One.\n\n\n\nThree."),
        (2, "Three."),
        (3, "Three."),
    ]
