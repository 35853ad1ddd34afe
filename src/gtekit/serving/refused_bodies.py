"""What is wrong with a body, in the client's own words: the field, the place, and what was probably meant."""

import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Final

import msgspec

from gtekit.serving.problems import Kind, Problem

TOKEN_IDS: Final = (
    "it holds token ids, not text, and those of another tokenizer would give a wrong vector without a word. Send "
    "strings. LangChain: OpenAIEmbeddings(..., check_embedding_ctx_length=False); other clients: turn off "
    "the splitting of texts by tokens."
)
UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
MOST_NAMES: Final = 10  # of fields that were sent, in a message
SHOWN_CHARS: Final = 40  # of such a name
WRONG_TEXT: Final = re.compile(r"Expected `str(?: \| object)?`, got `(?:int|array)`")
ONLY_IDS: Final = re.compile(rb"[\s,\[\]-]*[0-9][\s,\[\]0-9-]*")  # JSON of numbers and lists of them
ESCAPE: Final = re.compile(  # in JSON: a first half of a pair and perhaps the second, a second half alone, any other
    rb"\\(?:(u[dD][89abAB][0-9a-fA-F]{2})(\\u[dD][c-fC-F][0-9a-fA-F]{2})?|(u[dD][c-fC-F][0-9a-fA-F]{2})|.)", re.DOTALL
)
CUT: Final = re.compile(rb"(?:\\(?:u(?:[dD](?:[c-fC-F][0-9a-fA-F]?)?)?)?)?")  # of a second half, before the body ends
PAIR: Final = 12  # bytes of two escapes: msgspec notices half of a pair when it has read so many from its beginning


def problem_of_types(error: msgspec.ValidationError, kind: object, body: bytes) -> Problem:
    """Say what is wrong with JSON that has other types than it should.

    Args:
        error: As msgspec words it: "Expected `str`, got `int` - at `$.input[1]`".
        kind: What the body should be.
        body: As it came.
    """
    what, _, at = str(error).partition(" - at `$")
    path = at.removesuffix("`").removeprefix(".")
    missing, unknown = _field(what, "required"), _field(what, "unknown")
    param = path.partition("[")[0] or missing or unknown
    if WRONG_TEXT.fullmatch(what) and path.endswith("[0]") and _holds_ids(body, param or ""):
        return Problem(Kind.TOKEN_IDS, f"{path}: {TOKEN_IDS}", param=param)
    where = f"{path}: " if path else ""
    hint = ""
    if missing and not path:
        hint = _sent_instead(missing, kind, body)
    elif unknown and (close := get_close_matches(unknown, _fields(kind), n=1)):
        hint = f" (did you mean {close[0]}?)"
    return Problem(Kind.INVALID_JSON, f"{where}{what[0].lower()}{what[1:].replace('`', '')}{hint}.", param=param)


def _field(what: str, state: str) -> str | None:
    found = re.search(rf"{state} field `([^`]+)`", what)
    return found[1][:SHOWN_CHARS] if found else None


def _fields(kind: object) -> Sequence[str]:
    """Give the names that a body may have; none where it may be of several kinds."""
    return getattr(kind, "__struct_encode_fields__", ())


def _holds_ids(body: bytes, path: str) -> bool:
    """Say whether there are numbers alone, or lists of numbers, without making an object of each."""
    value = msgspec.Raw(body)
    try:
        for name in path.split("."):
            value = msgspec.json.decode(value, type=dict[str, msgspec.Raw])[name]
    except (*UNREADABLE, KeyError):
        return False
    return ONLY_IDS.fullmatch(bytes(value)) is not None


def _sent_instead(missing: str, kind: object, body: bytes) -> str:
    """Give what was sent in place of a field."""
    try:
        sent = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except UNREADABLE:
        return ""
    known = _fields(kind)
    unknown = [name[:SHOWN_CHARS] for name in sent if name not in known][:MOST_NAMES]
    if not known or not unknown:
        return ""
    close = get_close_matches(missing, unknown, n=1)
    meant = f" (did you mean {missing} by {close[0]}?)" if close else ""
    return f"; the body has {', '.join(unknown)}, which is no field here{meant}"


def problem_of_syntax(error: msgspec.DecodeError, body: bytes) -> Problem:
    """Say what is wrong with a body that is no JSON."""
    if not body:
        return Problem(Kind.INVALID_JSON, "the body is empty.")
    found = re.search(r"\(byte ([0-9]+)\)", str(error))
    half = _half_a_pair(body, int(found[1]) if found else len(body))
    if half is not None:
        return Problem(
            Kind.INVALID_JSON,
            f"the body has {body[half : half + PAIR // 2].decode()} at byte {half}: half of a surrogate pair, which is "
            "no character. A text was cut within one, as where UTF-16 is counted: send whole characters.",
        )
    return Problem(Kind.INVALID_JSON, f"the body is not JSON: {error}.")


def _half_a_pair(body: bytes, noticed: int) -> int | None:
    """Give where half of a surrogate pair begins, just before the byte at which something was noticed."""
    begin = max(noticed - 2 * PAIR, 0)
    for escape in ESCAPE.finditer(body[begin : noticed + PAIR]):
        first, second, alone = escape.groups()
        at, rest = begin + escape.start(), body[begin + escape.end() :][:PAIR]
        if at >= noticed - PAIR and (alone or (first and not second and not CUT.fullmatch(rest))):
            return at
    return None
