"""Markdown: title, sections and the text as it stands."""

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
