"""Answers of which nobody knows beforehand how large they are: vectors of pieces, and of every token."""

import asyncio
import time
from functools import partial
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np
import orjson

from gtekit.arrays import Floats, Ints
from gtekit.chunking import ChunkBatch, chunk_texts
from gtekit.config import FEWEST_TOKENS
from gtekit.cosines import l2_normalize
from gtekit.serving.answers import float_rows, in_slices, octets, shape_header, space_headers, truncation_headers
from gtekit.serving.dialects.native_inputs import (
    check_list,
    check_range,
    in_thread,
    make_job,
    prompt_of,
    wants_octets,
)
from gtekit.serving.dialects.native_schema import ChunksRequest, StatesRequest
from gtekit.serving.inputs import add_cost, find_model, read_json
from gtekit.serving.messages import OCTETS, Account, Header, Request, Response
from gtekit.serving.problems import Kind, Problem
from gtekit.serving.settings import ServerSettings

if TYPE_CHECKING:
    from gtekit.embedder import Embedder
    from gtekit.serving.scheduler import Scheduler
    from gtekit.serving.served_models import ServedModel
    from gtekit.serving.state import State

FLOAT_BYTES = 4
SHARE = 4  # of the memory for all requests: the most that one such answer may take

_turns: "WeakKeyDictionary[Scheduler, asyncio.Lock]" = WeakKeyDictionary()


async def encode_chunks(request: Request, state: "State", account: Account) -> Response:
    """Embed texts in pieces."""
    asked = await read_json(request, ChunksRequest)
    served = find_model(state, asked.model)
    model = served.model
    account.model, account.texts = served.name, len(asked.texts)
    check_list(asked.texts, state.settings)
    prompt = prompt_of(served, asked)
    limit = check_range("max_tokens", asked.max_tokens, FEWEST_TOKENS, model.max_tokens) or model.max_tokens
    check_range("dimensions", asked.dimensions, 1, model.dimension)
    pieces = await in_thread(
        lambda: chunk_texts(
            model.tokenizer,
            enumerate(asked.texts),
            prompt=prompt,
            max_tokens=limit,
            overlap_tokens=asked.overlap_tokens,
        )
    )
    _check_memory(len(pieces.offsets), model.dimension, state.settings, "pieces")
    embeddings = await _embed_pieces(served, pieces, asked, state.settings, request, account)
    headers: list[Header] = [("x-tokens", str(len(pieces.token_ids))), *space_headers(served)]
    if wants_octets(request):
        places = np.column_stack([pieces.text_index, pieces.offsets]).astype("<i4").tobytes()
        return Response(
            body=octets(embeddings) + places, content_type=OCTETS, headers=[*headers, shape_header(embeddings)]
        )
    rest = {
        "text_index": pieces.text_index.tolist(),
        "offsets": pieces.offsets.tolist(),
        "tokens": len(pieces.token_ids),
    }
    rows = b",".join(await in_slices(float_rows, embeddings))
    body = b"".join([b'{"model":', orjson.dumps(served.name), b',"embeddings":[', rows, b"],", orjson.dumps(rest)[1:]])
    return Response(body=body, headers=headers)


async def _embed_pieces(
    served: "ServedModel",
    pieces: ChunkBatch,
    asked: ChunksRequest,
    settings: ServerSettings,
    request: Request,
    account: Account,
) -> Floats:
    """Run the pieces beside the scheduler's lanes, a call of the bulk lane's size at a time.

    The engine parks such calls for urgent ones. One request of a model has its turn at a time, and one whose client
    is gone or too late costs a call at most.
    """
    model = served.model
    is_whole = asked.dimensions in (None, model.dimension)
    normalizes = model.normalize if asked.normalize is None else asked.normalize
    embeddings = np.empty((len(pieces.offsets), model.dimension), np.float32)
    account.lane = "bulk"
    waited_since = time.monotonic()
    async with _turns.setdefault(served.scheduler, asyncio.Lock()):
        account.queue_s = time.monotonic() - waited_since
        for first, last in _calls(pieces.cu_seqlens, settings.bulk_call_tokens):
            _check_waiting(request)
            call = partial(_run, model, pieces, first, last, is_whole and normalizes)
            embeddings[first:last] = await in_thread(call)
        account.inference_s = time.monotonic() - waited_since - account.queue_s
    account.tokens += len(pieces.token_ids)
    if is_whole:
        return embeddings
    shorter = np.ascontiguousarray(embeddings[:, : asked.dimensions])
    return l2_normalize(shorter) if normalizes else shorter


def _run(model: "Embedder", pieces: ChunkBatch, first: int, last: int, normalize: bool) -> Floats:
    begin, end = pieces.cu_seqlens[first], pieces.cu_seqlens[last]
    return model.engine.encode(
        pieces.token_ids[begin:end],
        pieces.cu_seqlens[first : last + 1] - begin,
        pooling=model.pooling,
        normalize=normalize,
        batch_tokens=model.batch_tokens,
    )


def _calls(cu_seqlens: Ints, call_tokens: int) -> list[tuple[int, int]]:
    """Cut rows into calls of at most so many tokens, at least one row each."""
    calls = []
    first = 0
    while first < len(cu_seqlens) - 1:
        last = int(np.searchsorted(cu_seqlens, cu_seqlens[first] + call_tokens, side="right")) - 1
        last = max(last, first + 1)
        calls.append((first, last))
        first = last
    return calls


def _check_waiting(request: Request) -> None:
    if request.disconnect.is_gone:
        raise Problem(Kind.GONE, "the client has hung up.")
    if request.deadline is not None and time.monotonic() > request.deadline:
        raise Problem(Kind.DEADLINE, "the time that x-timeout-ms gave has passed; send fewer texts, or give more time.")


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
    lengths = await in_thread(lambda: served.model.count_tokens([job.prompt + text for text in asked.texts]))
    _check_memory(sum(min(length, limit) for length in lengths), served.model.dimension, state.settings, "tokens")
    if not asked.texts:
        empty = np.empty((0, served.model.dimension), np.float32)
        return Response(content_type=OCTETS, headers=[shape_header(empty)])
    states, encoded = await served.scheduler.token_states(job)
    add_cost(account, encoded)
    numbers = np.concatenate([[len(rows) for rows in states], encoded.lengths]).astype("<i4")
    parts = await in_thread(lambda: b"".join([*map(octets, states), numbers.tobytes()]))
    shape = ("x-gtekit-shape", f"{sum(map(len, states))},{served.model.dimension}")
    headers = [*truncation_headers(encoded), *space_headers(served), shape]
    return Response(body=parts, content_type=OCTETS, headers=headers)


def _check_memory(rows: int, dimension: int, settings: ServerSettings, what: str) -> None:
    size = rows * dimension * FLOAT_BYTES
    most = settings.max_memory_bytes // SHARE
    if size > most:
        raise Problem(
            Kind.TOO_LARGE,
            f"the texts have {rows:,} {what} whose vectors would take {size:,} bytes; the limit of an answer is "
            f"{most:,}, a quarter of --max-memory-bytes. Send fewer texts at once.",
            param="texts",
        )
