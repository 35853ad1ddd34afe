"""What is wrong with a body, in the client's own words: the field, the place, and what was probably meant."""

import re
from difflib import get_close_matches
from typing import Final

import msgspec

from gtekit.serving.problems import Kind, Problem
from gtekit.serving.type_errors import NAME_CHARS, TypeFault, explain, field_names

TOKEN_IDS: Final = (
    "it holds token ids, not text, and those of another tokenizer would give a wrong vector without a word. Send "
    "strings. LangChain: OpenAIEmbeddings(..., check_embedding_ctx_length=False); other clients: turn off "
    "the splitting of texts by tokens."
)
UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
MOST_NAMES: Final = 10  # of fields that were sent, in a message
MIXED_BYTES: Final = 100_000  # of a list that is looked into: an entry is 70 bytes as an object, and 2 on the wire
ONLY_IDS: Final = re.compile(rb"[\s,\[\]-]*[0-9][\s,\[\]0-9-]*")  # JSON of numbers and lists of them
LIST_ENTRY: Final = re.compile(r"(.*)\[([0-9]+)\]")
COMPARED: Final = {"query", "source_sentence"}  # beside these stand documents, which no client sends as token ids
MARKS: Final = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")  # of byte order: UTF-8, UTF-16 (and 32) in both orders
ESCAPE: Final = re.compile(  # in JSON: a first half of a pair and perhaps the second, a second half alone, any other
    rb"\\(?:(u[dD][89abAB][0-9a-fA-F]{2})(\\u[dD][c-fC-F][0-9a-fA-F]{2})?|(u[dD][c-fC-F][0-9a-fA-F]{2})|.)", re.DOTALL
)
CUT: Final = re.compile(rb"(?:\\(?:u(?:[dD](?:[c-fC-F][0-9a-fA-F]?)?)?)?)?")  # of a second half, before the body ends
PAIR: Final = 12  # bytes of two escapes: msgspec notices half of a pair when it has read so many from its beginning


def problem_of(error: Exception, kind: object, body: bytes, name: str = "the body") -> Problem:
    """Say what is wrong with JSON that could not be read.

    Args:
        error: What msgspec has raised, one of UNREADABLE.
        kind: What the JSON should be.
        body: As it came.
        name: What it is called.
    """
    if isinstance(error, msgspec.ValidationError):
        return _of_types(error, kind, body)
    if isinstance(error, UnicodeDecodeError):
        said = f"{name} is not UTF-8: {error.reason} at {error.object[error.start]:#04x}."
    elif isinstance(error, RecursionError):
        said = f"{name} is nested too deeply."
    else:
        said = _of_syntax(error, body, name)
    return Problem(Kind.INVALID_JSON, said)


def _of_types(error: msgspec.ValidationError, kind: object, body: bytes) -> Problem:
    fault = explain(error, kind)
    param = fault.path.partition("[")[0] or fault.missing or fault.unknown or None
    if _holds_ids(fault, kind, body):
        return Problem(Kind.TOKEN_IDS, f"{fault.path}: {TOKEN_IDS}", param=param)
    hint = _sent_instead(fault.missing, kind, body) if fault.missing and not fault.path else ""
    return Problem(Kind.INVALID_JSON, f"{fault.message}{hint}.", param=param)


def _holds_ids(fault: TypeFault, kind: object, body: bytes) -> bool:
    """Say whether token ids stand where texts belong: numbers alone, lists of them, or one such list among texts."""
    found = LIST_ENTRY.fullmatch(fault.path)
    if found is None or fault.expected not in ("str", "str | object") or fault.got not in ("int", "array"):
        return False
    path, index = found[1], int(found[2])
    if COMPARED.intersection(field_names(kind, path.rpartition(".")[0])):
        return False
    value = msgspec.Raw(body)
    try:
        for name in path.split("."):
            value = msgspec.json.decode(value, type=dict[str, msgspec.Raw])[name]
        if ONLY_IDS.fullmatch(bytes(value)):  # without an object for each
            return True
        if fault.got != "array" or len(bytes(value)) > MIXED_BYTES:
            return False
        return ONLY_IDS.fullmatch(bytes(msgspec.json.decode(value, type=list[msgspec.Raw])[index])) is not None
    except (*UNREADABLE, KeyError):
        return False


def _sent_instead(missing: str, kind: object, body: bytes) -> str:
    """Give what was sent in place of a field."""
    try:
        sent = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except UNREADABLE:
        return ""
    known = field_names(kind, "")
    unknown = [name[:NAME_CHARS] for name in sent if name not in known][:MOST_NAMES]
    if not known or not unknown:
        return ""
    close = get_close_matches(missing, unknown, n=1)
    meant = f" (did you mean {missing} by {close[0]}?)" if close else ""
    return f"; the body has {', '.join(unknown)}, which is no field here{meant}"


def _of_syntax(error: Exception, body: bytes, name: str) -> str:
    if not body:
        return f"{name} is empty."
    if body.startswith(MARKS) or b"\0" in body[:2]:
        return (
            f"{name} begins with the bytes {body[:4].hex(' ')}, a byte-order mark or UTF-16. Send UTF-8 without a "
            "byte-order mark."
        )
    found = re.search(r"\(byte ([0-9]+)\)", str(error))
    half = _half_a_pair(body, int(found[1]) if found else len(body))
    if half is not None:
        return (
            f"{name} has {body[half : half + PAIR // 2].decode()} at byte {half}: half of a surrogate pair, which is "
            "no character. A text was cut within one, as where UTF-16 is counted: send whole characters."
        )
    return f"{name} is not JSON: {error}."


def _half_a_pair(body: bytes, noticed: int) -> int | None:
    """Give where half of a surrogate pair begins, just before the byte at which something was noticed."""
    begin = max(noticed - 2 * PAIR, 0)
    for escape in ESCAPE.finditer(body[begin : noticed + PAIR]):
        first, second, alone = escape.groups()
        at, end = begin + escape.start(), begin + escape.end()
        rest = body[end : end + PAIR]
        if at >= noticed - PAIR and (alone or (first and not second and not CUT.fullmatch(rest))):
            return at
    return None
