"""Markdown: title, sections and the text as it stands."""

import pytest

from gtekit.documents.extract.markdown import extract_markdown


def sections(text: str) -> list[tuple[str, str]]:
    found = extract_markdown(text.encode())
    return [(found.text[part.start :].split("\n")[0], part.section) for part in found.parts]


def test_headings_are_sections_within_those_above() -> None:
    text = "# Guide\n\nIntro.\n\n## Install ##\n\n### On *Linux*\nx\n\n## [Use](a.md)\n"
    assert sections(text) == [
        ("# Guide", ""),
        ("## Install ##", "Install"),
        ("### On *Linux*", "Install > On Linux"),
        ("## [Use](a.md)", "Use"),
    ]
    found = extract_markdown(text.encode())
    assert (found.title, found.text) == ("Guide", text)


def test_underlined_headings_count_and_lists_and_rules_do_not() -> None:
    assert sections("Guide\n=====\n\nPart\n---\n\n- item\n---\n\ntext\n\n---\n") == [("Guide", ""), ("Part", "Part")]


def test_what_is_in_code_is_no_heading() -> None:
    assert sections("```\n# comment\n~~~\n# still\n```\n\n    # indented\n\n~~~~sh\n# x\n~~~~\n# Real\n## Sub\n") == [
        ("# Real", ""),
        ("## Sub", "Sub"),
    ]
    assert sections("#hashtag\n####### seven\n") == []


def test_front_matter_is_left_out_and_names_the_title() -> None:
    found = extract_markdown(b"---\ntitle: 'The guide'\ndate: 2020-01-01\n---\n# Other\ntext\n")
    assert (found.title, found.text) == ("The guide", "# Other\ntext\n")
    assert extract_markdown(b"---\n\ntext\n").text == "---\n\ntext\n"


def test_text_between_two_rules_is_no_front_matter() -> None:
    text = "---\n\n# Intro\n\nThe first: an important part.\n\n---\n\n# Second\n"
    assert extract_markdown(text.encode()).text == text
    assert extract_markdown(b"---\nSee http://a.b for more\n---\n").text.startswith("---\nSee")


def test_simple_fields_of_front_matter_are_kept_as_text() -> None:
    front = "# a comment\ntitle: A\ntags: [x, y]\nauthors:\n  - Ann\n  - 'Bob'\ndate: 2020-01-01\nlong: |\n  a"
    found = extract_markdown(f"---\n{front}\n---\nbody".encode())
    assert (found.title, found.text) == ("A", "body")
    assert found.metadata == {"tags": "[x, y]", "authors": "Ann, Bob", "date": "2020-01-01"}


def test_closing_marks_and_links_in_headings_go() -> None:
    text = "# A\n## B # ##\n## C#\n## ##\n## [L](a_(b).md) and [![i](x.png)](y)\n"
    assert [section for _, section in sections(text)] == ["", "B #", "C#", "L and [i](y)"]


@pytest.mark.parametrize("line", ["[" * 300_000, "[x](" * 100_000, " " * 150_000 + "x" + " " * 150_000 + "x"])
def test_a_long_heading_takes_no_longer_than_its_length(line: str) -> None:
    found = extract_markdown(f"# {line}\ntext".encode())  # with the square of it, this would take minutes
    assert all(len(part.section) <= 500 for part in found.parts)
