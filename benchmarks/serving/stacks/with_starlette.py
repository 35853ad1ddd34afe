"""The same in Starlette, with as many routes as a server of several dialects has."""

import orjson
from starlette.applications import Starlette  # type: ignore[import-not-found,unused-ignore]
from starlette.requests import Request  # type: ignore[import-not-found,unused-ignore]
from starlette.responses import Response  # type: ignore[import-not-found,unused-ignore]
from starlette.routing import Route  # type: ignore[import-not-found,unused-ignore]

from benchmarks.serving.stacks.raw import ANSWER


async def answer(request: Request) -> Response:
    asked = orjson.loads(await request.body())
    return Response(orjson.dumps({"texts": len(asked["input"]), "embedding": ANSWER}), media_type="application/json")


PATHS = [*(f"/other/{number}" for number in range(12)), "/v1/embeddings"]
app = Starlette(routes=[Route(path, answer, methods=["POST"]) for path in PATHS])
