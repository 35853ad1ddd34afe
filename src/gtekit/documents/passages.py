"""Documents to passages that a model reads whole: cut by tokens at sentences, with overlap."""

import hashlib
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from gtekit.chunking import OffsetTokenizer, chunk_texts
from gtekit.documents.document import Document, Part

PART_CHARACTERS = 1_000_000  # a longer text is cut there first: bounds the memory, whatever the document
ID_BYTES = 480  # an index takes 512; the number of the passage has to fit, too
WRAPPED_LINE = re.compile(r"(?<=[^\s.!?:;])\n(?=[a-z0-9(])")  # a line end in the middle of a sentence


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document."""

    id: str  # the document's with a number: the same in every run
    document_id: str
    number: int  # in the document, from 0
    text: str
    start: int  # in characters of the document's text
    end: int
    page: int | None = None  # that it begins on, from 1
    section: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PassageOptions:
    """How long passages are.

    256 tokens are about ten sentences: one matter, and half of what the models here read. Of longer ones the vector
    means less of each sentence, of shorter ones the context is lost.
    """

    passage_tokens: int = 256  # the most, [CLS], [SEP] and the model's prompt included
    overlap_tokens: int | None = None  # how far a passage may reach back into the one before; None: an eighth


def cut_passages(
    document: Document, tokenizer: OffsetTokenizer, options: PassageOptions | None = None, *, prompt: str = ""
) -> Iterator[Passage]:
    """Give the passages of a document in order; of white space there are none.

    Args:
        document: With the text of any length.
        tokenizer: Of the model.
        options: How long.
        prompt: What the model has before each text: it takes room.

    Raises:
        ArgumentError: If prompt or overlap leave no room.
    """
    options = options or PassageOptions()
    for number, (start, end) in enumerate(cut_spans(document.text, tokenizer, options, prompt=prompt)):
        part = _part_at(document.parts, start)
        yield Passage(
            id=passage_id(document.id, number),
            document_id=document.id,
            number=number,
            text=document.text[start:end],
            start=start,
            end=end,
            page=part.page if part else None,
            section=part.section if part else "",
        )


def passage_id(document_id: str, number: int) -> str:
    """Name a passage after its document and its place in it; a name too long for an index becomes its hash."""
    if len(document_id.encode()) > ID_BYTES:
        document_id = hashlib.sha256(document_id.encode()).hexdigest()
    return f"{document_id}#p{number}"


def cut_spans(
    text: str, tokenizer: OffsetTokenizer, options: PassageOptions, *, prompt: str
) -> Iterator[tuple[int, int]]:
    """Give where passages begin and end in a text, without the white space around them."""
    unwrapped = unwrap(text)
    for first, last in _long_parts(unwrapped):
        pieces = chunk_texts(
            tokenizer,
            [(0, unwrapped[first:last])],
            prompt=prompt,
            max_tokens=options.passage_tokens,
            overlap_tokens=options.overlap_tokens,
        )
        for begin, end in pieces.offsets.tolist():
            piece = text[first + begin : first + end]
            stripped = piece.lstrip()
            start = first + begin + len(piece) - len(stripped)
            if stripped := stripped.rstrip():
                yield start, start + len(stripped)


def unwrap(text: str) -> str:
    r"""Put a space where a line ends within a sentence: as many characters, so that places stay what they are.

    >>> unwrap("a line that was\nwrapped.\nThe next.")
    'a line that was wrapped.\nThe next.'
    """
    return WRAPPED_LINE.sub(" ", text)


def _long_parts(text: str) -> Iterator[tuple[int, int]]:
    begin = 0
    while len(text) - begin > PART_CHARACTERS:
        latest = begin + PART_CHARACTERS
        cut = max(text.rfind("\n", begin + PART_CHARACTERS // 2, latest), text.rfind(" ", latest - 1000, latest))
        end = cut + 1 if cut > begin else latest
        yield begin, end
        begin = end
    yield begin, len(text)


def _part_at(parts: tuple[Part, ...], place: int) -> Part | None:
    after = bisect_right(parts, place, key=lambda part: part.start)
    return parts[after - 1] if after else None
