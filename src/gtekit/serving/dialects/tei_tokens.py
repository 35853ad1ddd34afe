"""TEI's /tokenize and /decode: texts as the model's tokens, with their places, and tokens as text."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

import msgspec
import orjson

from gtekit.errors import ArgumentError
from gtekit.serving.dialects.tei_shapes import DecodeRequest, Token, TokenizeRequest, model_of
from gtekit.serving.inputs import check_content_type, check_texts, decode, find_prompt, read_json
from gtekit.serving.messages import Account, Disconnect, Request, Response
from gtekit.serving.problems import Kind, Problem

if TYPE_CHECKING:
    from gtekit.serving.state import State
    from gtekit.tokenizer import Tokenizer

TOKEN_BYTES: Final = 90  # of JSON, for most tokens; a text has no more tokens than characters
INLINE_CHARS: Final = 2_000  # more text is tokenized in a thread
SLICE_TOKENS: Final = 4096  # that are objects at once: each takes 250 bytes
MOST_DECODE_BYTES: Final = 2_000_000  # of a body with ids, as in TEI: 10 times as much memory


async def tokenize(request: Request, state: "State", account: Account) -> Response:
    """Answer POST /tokenize."""
    body = await read_json(request, TokenizeRequest)
    served = model_of(request, state, body.model)
    texts = check_texts(body.inputs, state.settings, "inputs")
    prompt = find_prompt(served, name=body.prompt_name)
    chars = sum(map(len, texts)) + len(prompt) * len(texts)
    most = state.settings.max_memory_bytes // (4 * TOKEN_BYTES)
    if chars > most:
        raise Problem(
            Kind.TOO_LARGE,
            f"inputs has {chars:,} characters, their tokens would take up to {chars * TOKEN_BYTES:,} bytes; the limit "
            f"is {most:,} characters. Send fewer texts in each of several requests.",
            param="inputs",
        )
    account.model, account.texts = served.name, len(texts)
    prompted = [prompt + text for text in texts] if prompt else texts
    arguments = served.model.tokenizer, prompted, body.add_special_tokens, request.disconnect, account
    if chars > INLINE_CHARS:
        return Response(body=await asyncio.to_thread(_tokens, *arguments))
    return Response(body=_tokens(*arguments))


def _tokens(
    tokenizer: "Tokenizer", texts: Sequence[str], add_special: bool, disconnect: Disconnect, account: Account
) -> bytes:
    cls, sep = (
        Token(id=token_id, text=text, special=True, start=None, stop=None)
        for token_id, text in zip((tokenizer.cls_id, tokenizer.sep_id), tokenizer.tokens(""), strict=True)
    )
    lists = []
    for index, text in enumerate(texts):
        if disconnect.is_gone:
            raise Problem(Kind.GONE, "The client has hung up.")
        try:
            parts = list(_slices(tokenizer, text, index, account))
        except ArgumentError as error:
            raise Problem(Kind.INVALID_VALUE, str(error).replace("texts[", "inputs["), param="inputs") from None
        if add_special:
            parts = [msgspec.json.encode(cls), *parts, msgspec.json.encode(sep)]
            account.tokens += 2
        lists.append(b"[%b]" % b",".join(parts))
    return b"[%b]" % b",".join(lists)


def _slices(tokenizer: "Tokenizer", text: str, index: int, account: Account) -> Iterator[bytes]:
    """Give the tokens of a text as JSON, without the brackets, a few thousand at a time."""
    tokens = tokenizer.encode_with_offsets(text, index)
    account.tokens += len(tokens.token_ids)
    for first in range(0, len(tokens.token_ids), SLICE_TOKENS):
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
    tokenizer = served.model.tokenizer
    for index, ids in enumerate(lists):
        if ids and not 0 <= min(ids) <= max(ids) < tokenizer.vocab_size:
            raise Problem(
                Kind.INVALID_VALUE,
                f"list {index} of ids goes from {min(ids)} to {max(ids)}; tokens of {served.name} go from 0 to "
                f"{tokenizer.vocab_size - 1}.",
                param="ids",
            )
    texts = await asyncio.to_thread(
        lambda: [tokenizer.decode(ids, skip_special_tokens=body.skip_special_tokens) for ids in lists]
    )
    return Response(body=orjson.dumps(texts))


def _lists(ids: Sequence[int | list[int]]) -> list[list[int]]:
    if not ids:
        raise Problem(Kind.EMPTY, "ids is empty; send at least one token id.", param="ids")
    lists = [entry for entry in ids if isinstance(entry, list)]
    if lists and len(lists) < len(ids):
        raise Problem(Kind.INVALID_VALUE, "ids mixes numbers and lists; send one list of numbers a text.", param="ids")
    return lists or [[entry for entry in ids if isinstance(entry, int)]]
