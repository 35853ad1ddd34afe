"""The same in FastAPI, with a pydantic model for the body."""

from typing import Any

from fastapi import FastAPI  # type: ignore[import-not-found,unused-ignore]
from pydantic import BaseModel

from benchmarks.serving.stacks.raw import ANSWER


class Body(BaseModel):
    input: str | list[str]
    model: str = ""


app = FastAPI()
for number in range(12):

    @app.post(f"/other/{number}")
    async def other(body: Body) -> dict[str, Any]:
        return {}


@app.post("/v1/embeddings")
async def embeddings(body: Body) -> dict[str, Any]:
    return {"texts": len(body.input), "embedding": ANSWER}
