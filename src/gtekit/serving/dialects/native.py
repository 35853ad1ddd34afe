"""gtekit's own routes: all that a local model does, for `gtekit.Client` and for anybody who wants bytes or streams."""

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import numpy as np
import orjson

from gtekit.serving.answers import (
    float_rows,
    json_body,
    octet_body,
    quoted_base64_rows,
    shape_header,
    space_headers,
    truncation_headers,
)
from gtekit.serving.dialects.model_facts import facts_of
from gtekit.serving.dialects.native_arrays import encode_chunks, token_states
from gtekit.serving.dialects.native_inputs import NATIVE, check_list, make_job, wants_octets
from gtekit.serving.dialects.native_lines import encode_lines
from gtekit.serving.dialects.native_schema import (
    ChunksAnswer,
    ChunksRequest,
    CountsAnswer,
    EncodeAnswer,
    EncodeRequest,
    ModelAnswer,
    PlacesAnswer,
    ReportAnswer,
    ReportRequest,
    StatesRequest,
    TextsRequest,
    TokensAnswer,
)
from gtekit.serving.dialects.native_tokens import count_tokens, token_places, tokens, truncation_report
from gtekit.serving.encoding import Encoded
from gtekit.serving.inputs import embed, find_model, queried_model, read_json
from gtekit.serving.messages import NDJSON, OCTETS, Account, Request, Response
from gtekit.serving.problems import Kind, Problem
from gtekit.serving.routes import Route
from gtekit.version import __version__

if TYPE_CHECKING:
    from gtekit.serving.keys import Key
    from gtekit.serving.served_models import ServedModel
    from gtekit.serving.state import State


async def model(request: Request, state: "State", account: Account) -> Response:
    """Say what the model is that `?model=` names, and what the key of the request may do."""
    served = find_model(state, queried_model(request))
    account.model = served.name
    return Response(body=await asyncio.to_thread(_describe, served, state, request.key))


def _describe(served: "ServedModel", state: "State", key: "Key | None") -> bytes:
    model = served.model
    answer = ModelAnswer(
        **facts_of(served),
        cls_id=model.tokenizer.cls_id,
        sep_id=model.tokenizer.sep_id,
        max_texts=state.settings.max_texts,
        max_text_chars=state.settings.max_text_chars,
        max_body_bytes=state.settings.max_body_bytes,
        requests_per_minute=key.requests_per_minute if key else None,
        tokens_per_minute=key.tokens_per_minute if key else None,
        version=__version__,
    )
    return orjson.dumps({name: getattr(answer, name) for name in answer.__struct_fields__})


async def encode(request: Request, state: "State", account: Account) -> Response:
    """Embed a list of texts, or lines as they come."""
    if request.header("content-type").partition(";")[0].strip().lower() == NDJSON:
        return await encode_lines(request, state, account)
    if request.query:
        raise Problem(
            Kind.INVALID_VALUE,
            "The address has a query string; the options of a JSON body stand in the body, those of "
            "application/x-ndjson in the address.",
        )
    asked = await read_json(request, EncodeRequest)
    served = find_model(state, asked.model)
    check_list(asked.texts, state.settings)
    job = make_job(served, asked, asked.texts, state.settings, request)
    if asked.texts:
        encoded = await embed(served, job, account)
    else:
        encoded = _nothing(job.dimensions or served.model.dimension)
    headers = [*truncation_headers(encoded), *space_headers(served)]
    if wants_octets(request):
        numbers = [encoded.lengths.astype("<i4")] if asked.return_lengths else []
        return Response(
            body=octet_body([encoded.embeddings, *numbers]),
            content_type=OCTETS,
            headers=[*headers, shape_header(encoded.embeddings)],
        )
    return Response(body=_json_body(served, asked, encoded), headers=headers)


def _nothing(dimension: int) -> Encoded:
    return Encoded(
        embeddings=np.empty((0, dimension), np.float32),
        lengths=np.empty(0, np.int64),
        truncated=[],
        tokens=0,
        lane="interactive",
        cached=0,
        deduplicated=0,
        tokenization_s=0.0,
        queue_s=0.0,
        inference_s=0.0,
    )


def _json_body(served: "ServedModel", asked: EncodeRequest, encoded: Encoded) -> bytes | AsyncIterator[bytes]:
    rest = {"tokens": encoded.tokens, "truncated": encoded.truncated}
    if asked.return_lengths:
        rest["lengths"] = encoded.lengths.tolist()
    return json_body(
        b'{"model":%b,"embeddings":[' % orjson.dumps(served.name),
        quoted_base64_rows if asked.encoding == "base64" else float_rows,
        encoded.embeddings,
        b"],%b" % orjson.dumps(rest)[1:],
    )


ROUTES: tuple[Route, ...] = (
    Route(
        method="GET",
        path="/model",
        dialect=NATIVE,
        handler=model,
        summary="What a model is: its space, its limits, its prompts",
        response=ModelAnswer,
    ),
    Route(
        method="POST",
        path="/encode",
        dialect=NATIVE,
        handler=encode,
        summary="Embed texts: JSON or lines in, JSON, lines or float32 out",
        request=EncodeRequest,
        response=EncodeAnswer,
    ),
    Route(
        method="POST",
        path="/encode_chunks",
        dialect=NATIVE,
        handler=encode_chunks,
        summary="Embed texts of any length in pieces",
        request=ChunksRequest,
        response=ChunksAnswer,
    ),
    Route(
        method="POST",
        path="/token_states",
        dialect=NATIVE,
        handler=token_states,
        summary="The last hidden state of every token, as float32",
        request=StatesRequest,
        response_text="float32 rows (x-gtekit-shape says how many), then as int32 the rows and the tokens of each text",
    ),
    Route(
        method="POST",
        path="/count_tokens",
        dialect=NATIVE,
        handler=count_tokens,
        summary="How many tokens texts have",
        request=TextsRequest,
        response=CountsAnswer,
    ),
    Route(
        method="POST",
        path="/tokens",
        dialect=NATIVE,
        handler=tokens,
        summary="The tokens of texts",
        request=TextsRequest,
        response=TokensAnswer,
    ),
    Route(
        method="POST",
        path="/token_places",
        dialect=NATIVE,
        handler=token_places,
        summary="The tokens of texts with the characters that they come from",
        request=TextsRequest,
        response=PlacesAnswer,
    ),
    Route(
        method="POST",
        path="/truncation_report",
        dialect=NATIVE,
        handler=truncation_report,
        summary="Which texts would be cut, and where",
        request=ReportRequest,
        response=ReportAnswer,
    ),
)
