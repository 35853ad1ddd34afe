"""Where sentences begin and end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gtekit.sentences import sentence_spans


def sentences(text: str) -> list[str]:
    return [text[begin:end] for begin, end in sentence_spans(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" \n\t ", []),
        ("One", ["One"]),
        ("  One. Two!  ", ["One.", "Two!"]),
        ("He said “Go.” Then he went.", ["He said “Go.”", "Then he went."]),
        ("Version 3.11 is out", ["Version 3.11 is out"]),
        ("Wait… what?!\nA heading\n\nText", ["Wait…", "what?!", "A heading", "Text"]),
        ("今天下雨。明天呢？", ["今天下雨。", "明天呢？"]),
    ],
)
def test_sentences_end_at_punctuation_and_at_lines(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


@given(st.text())
def test_spans_ascend_and_leave_out_nothing_but_white_space(text: str) -> None:
    spans = list(sentence_spans(text))
    assert all(begin < end for begin, end in spans)
    edges = [0, *(edge for span in spans for edge in span), len(text)]
    assert edges == sorted(edges)
    between = "".join(text[edges[place] : edges[place + 1]] for place in range(0, len(edges), 2))
    assert not between.strip()
    assert all(sentence == sentence.strip() for sentence in sentences(text))
