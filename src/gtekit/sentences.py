"""Where sentences begin and end in a text: punctuation and lines, no model and no language's rules."""

import re
from collections.abc import Iterator

# Where a new sentence may begin: after . ! ? … and closing quotes before white space, after their CJK forms, at lines.
SENTENCE_END = re.compile(r"[.!?…]+[\"'”’)\]]*\s+|[。！？｡]+[”’」』）]*\s*|\n\s*")


def sentence_spans(text: str) -> Iterator[tuple[int, int]]:
    """Give each sentence of a text as from and to in characters, without the white space around it.

    >>> [text[begin:end] for text in ["One. Two!  "] for begin, end in sentence_spans(text)]
    ['One.', 'Two!']
    """
    begin = 0
    for end in (*(match.end() for match in SENTENCE_END.finditer(text)), len(text)):
        sentence = text[begin:end]
        if stripped := sentence.strip():
            first = begin + sentence.index(stripped[0])
            yield first, first + len(stripped)
        begin = end
