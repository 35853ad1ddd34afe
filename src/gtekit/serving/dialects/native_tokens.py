"""Routes that need the tokenizer alone: tokens, their number, their places, what would be cut."""

from dataclasses import asdict, replace
from threading import Event
from typing import TYPE_CHECKING, Final

import numpy as np
import orjson

from gtekit.arrays import Array
from gtekit.config import FEWEST_TOKENS
from gtekit.serving.dialects.native_inputs import check_list, check_range, prompt_of
from gtekit.serving.dialects.native_schema import ReportRequest, TextsRequest
from gtekit.serving.inputs import find_model, read_json
from gtekit.serving.messages import Account, Request, Response
from gtekit.serving.tokenizer_work import amount_of, hold_memory, until_stopped
from gtekit.tokenizer import TextTokens
from gtekit.truncation import find_cuts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gtekit.serving.served_models import ServedModel
    from gtekit.serving.state import State
    from gtekit.tokenizer import Tokenizer

NAME_BYTES: Final = 72  # of a token, a character long, as an object and as JSON
PLACE_BYTES: Final = 56  # of the four numbers of a token, twice as JSON while parts are put together
CHARS_OF_TOKEN: Final = 4  # a guess, where tokens are not counted
SLICE: Final = 16_384  # numbers that are written at a stretch: 0.2 ms


async def count_tokens(request: Request, state: "State", account: Account) -> Response:
    """Count the tokens of each text."""
    served, texts = await _texts(request, state, account)
    amount = amount_of(served.model.tokenizer, texts)
    cost = hold_memory(request, amount, state.settings, token_bytes=0, name="texts")
    counts = await state.tokenizing.run(
        request, cost, lambda stop: count_each(served.model.tokenizer, texts, "", stop, account)
    )
    return Response(body=orjson.dumps({"counts": counts}))


def count_each(tokenizer: "Tokenizer", texts: "Sequence[str]", prompt: str, stop: Event, account: Account) -> list[int]:
    """Count the tokens of each text, of its prompt and the special ones.

    Raises:
        StoppedError: If `stop` is set.
    """
    counts = []
    for index, text in until_stopped(stop, texts):
        batch = tokenizer.encode([prompt + text], first_index=index, stop=stop)
        counts.append(int(batch.lengths[0]))
        account.tokens += counts[-1]
    return counts


async def tokens(request: Request, state: "State", account: Account) -> Response:
    """Give the tokens of each text, special tokens included, not cut."""
    served, texts = await _texts(request, state, account)
    amount = amount_of(served.model.tokenizer, texts)
    cost = hold_memory(request, amount, state.settings, token_bytes=NAME_BYTES, name="texts")

    def names(stop: Event) -> bytes:
        tokenizer = served.model.tokenizer.stopped_by(stop)
        lists = []
        for index, text in until_stopped(stop, texts):
            found = tokenizer.tokens(text, index)
            account.tokens += len(found)
            lists.append(orjson.dumps(found))
        return b'{"tokens":[%b]}' % b",".join(lists)

    return Response(body=await state.tokenizing.run(request, cost, names))


async def token_places(request: Request, state: "State", account: Account) -> Response:
    """Give the tokens of each text with the characters that they come from."""
    served, texts = await _texts(request, state, account)
    amount = amount_of(served.model.tokenizer, texts)
    cost = hold_memory(request, amount, state.settings, token_bytes=PLACE_BYTES, name="texts")

    def places(stop: Event) -> bytes:
        tokenizer = served.model.tokenizer.stopped_by(stop)
        lists = []
        for index, text in until_stopped(stop, texts):
            found = tokenizer.encode_with_offsets(text, index)
            account.tokens += len(found.token_ids)
            lists.append(_places(found))
        return b'{"texts":[%b]}' % b",".join(lists)

    return Response(body=await state.tokenizing.run(request, cost, places))


def _places(found: TextTokens) -> bytes:
    columns = (
        ("token_ids", found.token_ids),
        ("starts", found.starts),
        ("ends", found.ends),
        ("is_word_start", found.is_word_start),
    )
    return b"{%b}" % b",".join(b'"%b":[%b]' % (name.encode(), _numbers(column)) for name, column in columns)


def _numbers(column: Array) -> bytes:
    """Give numbers as JSON without brackets: no list of Python's is made, which takes 36 bytes a number."""
    return b",".join(
        orjson.dumps(np.ascontiguousarray(column[first : first + SLICE]), option=orjson.OPT_SERIALIZE_NUMPY)[1:-1]
        for first in range(0, len(column), SLICE)
    )


async def truncation_report(request: Request, state: "State", account: Account) -> Response:
    """Say which texts would be cut, and where."""
    asked = await read_json(request, ReportRequest)
    served = find_model(state, asked.model)
    account.model, account.texts = served.name, len(asked.texts)
    check_list(asked.texts, state.settings)
    prompt = prompt_of(served, asked)
    limit = check_range("max_tokens", asked.max_tokens, FEWEST_TOKENS, served.model.max_tokens)
    amount = amount_of(served.model.tokenizer, asked.texts, prompt)
    cost = hold_memory(request, amount, state.settings, token_bytes=0, name="texts")

    def report(stop: Event) -> bytes:
        tokenizer = served.model.tokenizer.stopped_by(stop)  # a copy
        tokenizer.max_tokens = limit or tokenizer.max_tokens
        cuts = []
        for index, text in until_stopped(stop, asked.texts):
            account.tokens += (len(prompt) + len(text)) // CHARS_OF_TOKEN
            cuts += [asdict(replace(cut, index=index)) for cut in find_cuts(tokenizer, [text], prompt, threads=1)]
        return orjson.dumps({"truncations": cuts})

    return Response(body=await state.tokenizing.run(request, cost, report))


async def _texts(request: Request, state: "State", account: Account) -> "tuple[ServedModel, list[str]]":
    asked = await read_json(request, TextsRequest)
    served = find_model(state, asked.model)
    account.model, account.texts = served.name, len(asked.texts)
    check_list(asked.texts, state.settings)
    return served, asked.texts
