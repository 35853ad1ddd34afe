"""Cuts lists of texts into requests that the server takes, and that a key with a limit can pay for."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from json.encoder import encode_basestring

from gtekit.client.facts import ServedFacts
from gtekit.errors import ArgumentError

MAX_TEXTS = 512  # in a request: a retry costs little, and far more than an engine call takes is on its way
MAX_CHARS = 131_072  # of texts in a request, about 32,000 tokens: seconds of work, far below any time-out
STATE_CHARS = 32_768  # in a request for token states, which weigh 1.5 kB a token at D=384
TOKEN_BYTES = 3  # of a body, which a server counts as a token before it knows better
MOST_MINUTES = 3  # of the tokens of a key that one request may take
SPECIAL_BYTES = 2 * TOKEN_BYTES  # [CLS] and [SEP], which no text holds
LONGEST_WAIT_S = 15.0  # for the tokens of a request, where its key has a limit
WAIT_SHARE = 4  # of the time-out: no request waits longer than a quarter of it for its tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one request may hold. A text goes alone where it is above `chars` or `paid_bytes`."""

    texts: int
    chars: int = MAX_CHARS
    text_chars: int  # of each text
    body_bytes: int
    paid_bytes: int | None = None  # of the body, a prompt counted for each text; None: the key has no limit of tokens
    tokens_per_minute: int | None = None  # of the key


def limits_of(facts: ServedFacts, timeout_s: float, max_chars: int = MAX_CHARS) -> Limits:
    """Give what a request may hold for a server and a key.

    Args:
        facts: What the server says of both.
        timeout_s: Of a request.
        max_chars: Of its texts together.
    """
    paid_bytes = None
    if facts.tokens_per_minute is not None:
        wait_s = min(timeout_s / WAIT_SHARE, LONGEST_WAIT_S)
        paid_bytes = int(facts.tokens_per_minute * wait_s / 60 * TOKEN_BYTES)
    return Limits(
        texts=min(MAX_TEXTS, facts.max_texts),
        chars=max_chars,
        text_chars=facts.max_text_chars,
        body_bytes=facts.max_body_bytes,
        paid_bytes=paid_bytes,
        tokens_per_minute=facts.tokens_per_minute,
    )


def plan_requests(
    texts: Sequence[str], limits: Limits, *, other_bytes: int = 0, prompt_bytes: int = 0, first_index: int = 0
) -> list[range]:
    """Cut a list of texts into spans, one for each request, in order.

    Args:
        texts: That UTF-8 can hold.
        limits: Of a request.
        other_bytes: Of its body without texts.
        prompt_bytes: Of the prompt, which each text is read with.
        first_index: The place of the first text in its list, for error messages.

    Raises:
        ArgumentError: If a text is too long to be sent at all.
    """
    spans = []
    begin = chars = 0
    body = paid = other_bytes
    for index, text in enumerate(texts):
        size = len(encode_basestring(text).encode()) + 1  # as json.dumps writes it, and a comma
        _check_size(text, other_bytes + size - 1, limits, first_index + index)
        cost = size + prompt_bytes + SPECIAL_BYTES
        if index > begin and (
            index - begin >= limits.texts
            or chars + len(text) > limits.chars
            or body + size - 1 > limits.body_bytes
            or (limits.paid_bytes is not None and paid + cost > limits.paid_bytes)
        ):
            spans.append(range(begin, index))
            begin, chars = index, 0
            body = paid = other_bytes
        chars += len(text)
        body += size
        paid += cost
    if len(texts) > begin:
        spans.append(range(begin, len(texts)))
    return spans


def _check_size(text: str, body_bytes: int, limits: Limits, index: int) -> None:
    if len(text) > limits.text_chars:
        raise ArgumentError(
            f"texts[{index}] has {len(text):,} characters, the limit is {limits.text_chars:,}. Split it, or start the "
            "server with a larger --max-text-chars."
        )
    if body_bytes > limits.body_bytes:
        raise ArgumentError(
            f"texts[{index}] alone, with the options of the call, makes a body of {body_bytes:,} bytes; this server "
            f"takes {limits.body_bytes:,}. Split it, or start the server with a larger --max-body-bytes."
        )
    tokens, per_minute = math.ceil(body_bytes / TOKEN_BYTES), limits.tokens_per_minute
    if per_minute is not None and tokens > MOST_MINUTES * per_minute:
        raise ArgumentError(
            f"texts[{index}] alone has about {tokens:,} tokens; the key may use {per_minute:,} a minute, and a request "
            f"{MOST_MINUTES} times that at most. Split it, or ask whoever runs the server for a larger limit."
        )
