"""What extraction gives, and plain text."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gtekit.documents.decode import decode
from gtekit.documents.document import Part, Value


@dataclass(frozen=True, slots=True)
class Extracted:
    """The text of one file."""

    text: str
    title: str = ""
    parts: tuple[Part, ...] = ()
    guessed_encoding: str = ""  # "" where it was known
    metadata: Mapping[str, Value] = field(default_factory=dict)  # that the file names itself


def extract_text(data: bytes) -> Extracted:
    """Give a plain text as it stands.

    Raises:
        FileFormatError: If it is binary.
    """
    text, guessed = decode(data)
    return Extracted(text, guessed_encoding=guessed)
