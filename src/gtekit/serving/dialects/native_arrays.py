"""Answers of which nobody knows beforehand how large they are: vectors of pieces, and of every token."""

from typing import TYPE_CHECKING

import numpy as np
import orjson

from gtekit.chunking import chunk_texts
from gtekit.config import FEWEST_TOKENS
from gtekit.errors import ArgumentError
from gtekit.inputs import check_count
from gtekit.serving.answers import float_rows, json_body, octet_body, shape_header, space_headers, truncation_headers
from gtekit.serving.dialects.native_inputs import (
    check_list,
    check_range,
    make_job,
    prompt_of,
    room_for_text,
    wants_octets,
)
from gtekit.serving.dialects.native_schema import ChunksRequest, StatesRequest
from gtekit.serving.dialects.native_tokens import count_each
from gtekit.serving.encoding import EncodeJob, Pieces
from gtekit.serving.inputs import add_cost, embed, find_model, lane_of, read_json
from gtekit.serving.messages import OCTETS, Account, Header, Request, Response
from gtekit.serving.problems import Kind, Problem
from gtekit.serving.tokenizer_work import amount_of, hold_memory

if TYPE_CHECKING:
    from gtekit.serving.state import State


async def encode_chunks(request: Request, state: "State", account: Account) -> Response:
    """Embed texts in pieces."""
    asked = await read_json(request, ChunksRequest)
    served = find_model(state, asked.model)
    model = served.model
    account.model = served.name
    check_list(asked.texts, state.settings)
    limit = check_range("max_tokens", asked.max_tokens, FEWEST_TOKENS, model.max_tokens) or model.max_tokens
    prompt = prompt_of(served, asked)
    _check_overlap(asked.overlap_tokens, room_for_text(served, asked, prompt))
    job = EncodeJob(
        texts=asked.texts,
        prompt=prompt,
        max_tokens=limit,
        normalize=asked.normalize,
        dimensions=check_range("dimensions", asked.dimensions, 1, model.dimension),
        pieces=Pieces(overlap_tokens=asked.overlap_tokens),
        lane=lane_of(request),
        deadline=request.deadline,
        disconnect=request.disconnect,
        lease=request.lease,
    )
    encoded = await embed(served, job, account) if asked.texts else None
    if encoded is None or encoded.pieces is None:
        pieces = chunk_texts(model.tokenizer, (), prompt="", max_tokens=limit)
        embeddings = np.empty((0, asked.dimensions or model.dimension), np.float32)
    else:
        pieces, embeddings = encoded.pieces, encoded.embeddings
    headers: list[Header] = [("x-tokens", str(len(pieces.token_ids))), *space_headers(served)]
    if wants_octets(request):
        places = np.column_stack([pieces.text_index, pieces.offsets]).astype("<i4")
        body = octet_body([embeddings, places])
        return Response(body=body, content_type=OCTETS, headers=[*headers, shape_header(embeddings)])
    rest = {"text_index": pieces.text_index, "offsets": pieces.offsets, "tokens": len(pieces.token_ids)}
    head = b'{"model":%b,"embeddings":[' % orjson.dumps(served.name)
    tail = b"],%b" % orjson.dumps(rest, option=orjson.OPT_SERIALIZE_NUMPY)[1:]
    return Response(body=json_body(head, float_rows, embeddings, tail), headers=headers)


def _check_overlap(overlap_tokens: int | None, capacity: int) -> None:
    """Make sure that an overlap is at most half of a piece, in the words of a local model.

    Raises:
        Problem: If it is not.
    """
    try:
        check_count("overlap_tokens", overlap_tokens or 0, least=0, most=capacity // 2)
    except ArgumentError as error:
        raise Problem(Kind.INVALID_VALUE, str(error), param="overlap_tokens") from None


async def token_states(request: Request, state: "State", account: Account) -> Response:
    """Give the last hidden state of every token of each text, not pooled and not normalized, as float32."""
    asked = await read_json(request, StatesRequest)
    served = find_model(state, asked.model)
    check_list(asked.texts, state.settings)
    job = make_job(served, asked, asked.texts, state.settings, request)
    if job.truncation == "chunk":
        raise Problem(
            Kind.INVALID_VALUE,
            "token states of long texts are cut or refused; on_truncation: warn, error, ignore.",
            param="on_truncation",
        )
    account.model, account.texts = served.name, len(asked.texts)
    limit = job.max_tokens or served.model.max_tokens
    tokenizer = served.model.tokenizer
    amount = amount_of(tokenizer, asked.texts, job.prompt)
    cost = hold_memory(request, amount, state.settings, token_bytes=0, name="texts")
    lengths = await state.tokenizing.run(
        request, cost, lambda stop: count_each(tokenizer, asked.texts, job.prompt, stop, Account())
    )
    rows, most = sum(min(length, limit) for length in lengths), served.scheduler.most_rows
    if rows > most:
        raise Problem(
            Kind.TOO_LARGE,
            f"the texts have {rows:,} tokens, the limit of an answer is {most:,}: their vectors would take a quarter "
            "of --max-memory-bytes. Send fewer texts at once.",
            param="texts",
        )
    if not asked.texts:
        empty = np.empty((0, served.model.dimension), np.float32)
        return Response(content_type=OCTETS, headers=[shape_header(empty)])
    states, encoded = await served.scheduler.token_states(job, rows, account)
    add_cost(account, encoded)
    numbers = np.concatenate([[len(rows) for rows in states], encoded.lengths]).astype("<i4")
    shape = ("x-gtekit-shape", f"{sum(map(len, states))},{served.model.dimension}")
    headers = [*truncation_headers(encoded), *space_headers(served), shape]
    return Response(body=octet_body([*states, numbers]), content_type=OCTETS, headers=headers)
