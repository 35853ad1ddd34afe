"""The server that people write themselves: FastAPI around sentence-transformers, with its defaults.

python -m benchmarks.serving.peers.plain MODEL PORT
"""

import base64
import sys
import threading
from typing import Any, Literal

import torch
import uvicorn
from fastapi import FastAPI  # type: ignore[import-not-found,unused-ignore]
from pydantic import BaseModel
from sentence_transformers import SentenceTransformer


class Body(BaseModel):
    input: str | list[str]
    model: str = ""
    encoding_format: Literal["float", "base64"] = "float"


def make_app(folder: str) -> FastAPI:
    # left to itself it would compute in the float16 of a checkpoint, and warn that this is slow on a CPU
    model = SentenceTransformer(folder, device="cpu", model_kwargs={"dtype": torch.float32})
    turn = threading.Lock()  # each call uses all cores
    app = FastAPI()

    @app.post("/v1/embeddings")
    def embeddings(body: Body) -> dict[str, Any]:
        texts = [body.input] if isinstance(body.input, str) else body.input
        with turn:
            vectors = model.encode(texts, normalize_embeddings=True)
        as_json = [vector.tolist() for vector in vectors]
        if body.encoding_format == "base64":
            as_json = [base64.b64encode(vector.tobytes()).decode() for vector in vectors]
        data = [{"object": "embedding", "index": index, "embedding": item} for index, item in enumerate(as_json)]
        return {"object": "list", "data": data, "model": body.model, "usage": {"prompt_tokens": 0, "total_tokens": 0}}

    return app


if __name__ == "__main__":
    uvicorn.run(make_app(sys.argv[1]), host="127.0.0.1", port=int(sys.argv[2]), access_log=False, log_level="warning")
