"""TEI's /tokenize and /decode: texts as the model's tokens, with their places, and tokens as text."""

from collections.abc import Iterable, Iterator, Sequence
from threading import Event
from typing import TYPE_CHECKING, Final

import msgspec
import orjson

from gtekit.errors import ArgumentError
from gtekit.serving.dialects.tei_shapes import DecodeRequest, Token, TokenizeRequest, model_of
from gtekit.serving.inputs import check_content_type, check_texts, decode, find_prompt, read_json
from gtekit.serving.messages import Account, Request, Response
from gtekit.serving.problems import Kind, Problem
from gtekit.serving.tokenizer_work import TEXT_CHARS, amount_of, hold_memory, until_stopped

if TYPE_CHECKING:
    from gtekit.serving.state import State
    from gtekit.tokenizer import Tokenizer

TOKEN_BYTES: Final = 90  # of JSON, for most tokens; a text has no more tokens than characters
SLICE_TOKENS: Final = 4096  # that are objects at once: each takes 250 bytes
MOST_DECODE_BYTES: Final = 2_000_000  # of a body with ids, as in TEI: 10 times as much memory


async def tokenize(request: Request, state: "State", account: Account) -> Response:
    """Answer POST /tokenize."""
    body = await read_json(request, TokenizeRequest)
    served = model_of(request, state, body.model)
    texts = check_texts(body.inputs, state.settings, "inputs")
    prompt = find_prompt(served, name=body.prompt_name)
    amount = amount_of(served.model.tokenizer, texts, prompt)
    cost = hold_memory(request, amount, state.settings, token_bytes=TOKEN_BYTES, name="inputs")
    account.model, account.texts = served.name, len(texts)
    prompted = (prompt + text for text in texts) if prompt else texts
    lists = await state.tokenizing.run(
        request, cost, lambda stop: _tokens(served.model.tokenizer, prompted, body.add_special_tokens, stop, account)
    )
    return Response(body=lists)


def _tokens(tokenizer: "Tokenizer", texts: Iterable[str], add_special: bool, stop: Event, account: Account) -> bytes:
    cls, sep = (
        Token(id=token_id, text=text, special=True, start=None, stop=None)
        for token_id, text in zip((tokenizer.cls_id, tokenizer.sep_id), tokenizer.tokens(""), strict=True)
    )
    lists = []
    tokenizer = tokenizer.stopped_by(stop)
    for index, text in until_stopped(stop, texts):
        try:
            parts = list(_slices(tokenizer, text, index, stop, account))
        except ArgumentError as error:
            raise Problem(Kind.INVALID_VALUE, str(error).replace("texts[", "inputs["), param="inputs") from None
        if add_special:
            parts = [msgspec.json.encode(cls), *parts, msgspec.json.encode(sep)]
            account.tokens += 2
        lists.append(b"[%b]" % b",".join(parts))
    return b"[%b]" % b",".join(lists)


def _slices(tokenizer: "Tokenizer", text: str, index: int, stop: Event, account: Account) -> Iterator[bytes]:
    """Give the tokens of a text as JSON, without the brackets, a few thousand at a time."""
    tokens = tokenizer.encode_with_offsets(text, index)
    account.tokens += len(tokens.token_ids)
    for _, first in until_stopped(stop, range(0, len(tokens.token_ids), SLICE_TOKENS)):
        some = slice(first, first + SLICE_TOKENS)
        columns = tokens.token_ids[some].tolist(), tokens.starts[some].tolist(), tokens.ends[some].tolist()
        yield msgspec.json.encode(
            [
                Token(id=token_id, text=text[start:stop], special=False, start=start, stop=stop)
                for token_id, start, stop in zip(*columns, strict=True)
            ]
        )[1:-1]


async def decode_ids(request: Request, state: "State", account: Account) -> Response:
    """Answer POST /decode."""
    check_content_type(request)
    content = await request.body()
    if len(content) > MOST_DECODE_BYTES:
        raise Problem(
            Kind.TOO_LARGE, f"the body has {len(content):,} bytes, the limit of /decode is {MOST_DECODE_BYTES:,}."
        )
    body = decode(DecodeRequest, content)
    served = model_of(request, state, body.model)
    lists = _lists(body.ids)
    account.model, account.texts, account.tokens = served.name, len(lists), sum(map(len, lists))
    texts = await state.tokenizing.run(
        request,
        account.tokens + TEXT_CHARS * len(lists),
        lambda stop: _decoded(served.model.tokenizer, lists, body.skip_special_tokens, stop),
    )
    return Response(body=orjson.dumps(texts))


def _decoded(tokenizer: "Tokenizer", lists: list[list[int]], skip_special: bool, stop: Event) -> list[str]:
    texts = []
    for index, ids in until_stopped(stop, lists):
        if ids and not 0 <= min(ids) <= max(ids) < tokenizer.vocab_size:
            raise Problem(
                Kind.INVALID_VALUE,
                f"list {index} of ids goes from {min(ids)} to {max(ids)}; tokens of this model go from 0 to "
                f"{tokenizer.vocab_size - 1}.",
                param="ids",
            )
        texts.append(tokenizer.decode(ids, skip_special_tokens=skip_special))
    return texts


def _lists(ids: Sequence[int | list[int]]) -> list[list[int]]:
    if not ids:
        raise Problem(Kind.EMPTY, "ids is empty; send at least one token id.", param="ids")
    lists = [entry for entry in ids if isinstance(entry, list)]
    if lists and len(lists) < len(ids):
        raise Problem(Kind.INVALID_VALUE, "ids mixes numbers and lists; send one list of numbers a text.", param="ids")
    return lists or [[entry for entry in ids if isinstance(entry, int)]]
