"""Answers of which nobody knows beforehand how large they are: vectors of pieces, and of every token."""

from typing import TYPE_CHECKING

import numpy as np
import orjson

from gtekit.chunking import chunk_texts
from gtekit.config import FEWEST_TOKENS
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
from gtekit.serving.encoding import EncodeJob, Pieces
from gtekit.serving.inputs import add_cost, embed, find_model, lane_of, read_json
from gtekit.serving.messages import OCTETS, Account, Header, Request, Response
from gtekit.serving.problems import Kind, Problem
from gtekit.serving.settings import ServerSettings

if TYPE_CHECKING:
    from gtekit.serving.state import State

FLOAT_BYTES = 4
SHARE = 4  # of the memory for all requests: the most that one such answer may take


async def encode_chunks(request: Request, state: "State", account: Account) -> Response:
    """Embed texts in pieces."""
    asked = await read_json(request, ChunksRequest)
    served = find_model(state, asked.model)
    model = served.model
    account.model = served.name
    check_list(asked.texts, state.settings)
    prompt = prompt_of(served, asked)
    limit = check_range("max_tokens", asked.max_tokens, FEWEST_TOKENS, model.max_tokens) or model.max_tokens
    job = EncodeJob(
        texts=asked.texts,
        prompt=prompt,
        max_tokens=limit,
        normalize=asked.normalize,
        dimensions=check_range("dimensions", asked.dimensions, 1, model.dimension),
        pieces=Pieces(overlap_tokens=asked.overlap_tokens, most=_most_rows(model.dimension, state.settings)),
        lane=lane_of(request),
        deadline=request.deadline,
        disconnect=request.disconnect,
    )
    encoded = await embed(served, job, account) if asked.texts else None
    if encoded is None or encoded.pieces is None:
        overlap = asked.overlap_tokens
        pieces = await in_thread(
            lambda: chunk_texts(model.tokenizer, (), prompt=prompt, max_tokens=limit, overlap_tokens=overlap)
        )
        embeddings = np.empty((0, asked.dimensions or model.dimension), np.float32)
    else:
        pieces, embeddings = encoded.pieces, encoded.embeddings
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
    rows, most = sum(min(length, limit) for length in lengths), _most_rows(served.model.dimension, state.settings)
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
    states, encoded = await served.scheduler.token_states(job)
    add_cost(account, encoded)
    numbers = np.concatenate([[len(rows) for rows in states], encoded.lengths]).astype("<i4")
    parts = await in_thread(lambda: b"".join([*map(octets, states), numbers.tobytes()]))
    shape = ("x-gtekit-shape", f"{sum(map(len, states))},{served.model.dimension}")
    headers = [*truncation_headers(encoded), *space_headers(served), shape]
    return Response(body=parts, content_type=OCTETS, headers=headers)


def _most_rows(dimension: int, settings: ServerSettings) -> int:
    return settings.max_memory_bytes // SHARE // (dimension * FLOAT_BYTES)
