"""A real server on this machine that speaks as much of OpenAI's API as embeddings need, and every way to fail.

POST /v1/embeddings    base64 or float, as asked for
GET  /v1/models        the names
"""

import base64
import hashlib
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

import numpy as np

from gtekit.arrays import Floats

DIMENSION = 8


@dataclass(frozen=True)
class Reply:
    """What is sent instead of vectors."""

    status: int = 200
    body: object = b""  # bytes as they are, anything else as JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    kind: Literal["whole", "close", "half"] = "whole"  # close the connection at once, or in the middle of the body
    delay_s: float = 0.0


def openai_error(status: int, message: str, code: str | None = None, headers: Mapping[str, str] | None = None) -> Reply:
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    return Reply(status, {"error": error}, headers or {})


def hashed(texts: Sequence[str], length: float = 1.0) -> Floats:
    """A vector for each text, from its hash: equal for equal texts, whatever stands beside them."""
    bytes_ = [hashlib.sha256(text.encode()).digest()[:DIMENSION] for text in texts]
    vectors = np.array([list(values) for values in bytes_], np.float64) - 127.5
    result: Floats = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True) * length).astype(np.float32)
    return result


@dataclass
class EmbeddingServer:
    """How the server answers, and what it was asked."""

    models: tuple[str, ...] = ("hash-8",)
    authorization: str | None = None  # that a request must have
    embed: Callable[[Sequence[str]], Floats] = hashed
    max_texts: int | None = None  # in a request: TEI's limit and error
    max_characters: int | None = None  # in a text: OpenAI's context length
    max_request_characters: int | None = None  # in a request: OpenAI's 300,000 tokens
    has_base64: bool = True
    is_shuffled: bool = False  # data in another order than index
    delay_s: float = 0.0
    replies: list[Reply] = field(default_factory=list)  # for the next requests, before anything else
    change: Callable[[dict[str, Any]], object] = lambda answer: answer  # the last word on each good answer
    address: str = ""
    headers: list[dict[str, str]] = field(default_factory=list)
    batches: list[list[str]] = field(default_factory=list)  # all that were asked for
    answered: "Counter[str]" = field(default_factory=Counter)  # by text: how often a vector of it was sent
    most_at_once: int = 0
    _at_once: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def refusal(self, body: Mapping[str, Any], authorization: str | None) -> Reply | None:
        """What is wrong with a request, in the words of OpenAI or TEI."""
        texts: list[str] = body["input"]
        if self.authorization is not None and authorization != self.authorization:
            return openai_error(401, f"Incorrect API key provided: {authorization}.", "invalid_api_key")
        if body["model"] not in self.models:
            return openai_error(404, f"The model `{body['model']}` does not exist.", "model_not_found")
        if body.get("encoding_format") == "base64" and not self.has_base64:
            return openai_error(400, "unsupported parameters: {'encoding_format': 'base64'}")
        if any(not text for text in texts):
            return openai_error(400, "'$.input' is invalid: an empty string.")
        if self.max_texts is not None and len(texts) > self.max_texts:
            message = f"batch size {len(texts)} > maximum allowed batch size {self.max_texts}"
            return Reply(422, {"message": message, "code": 422, "type": "Validation"})
        if self.max_request_characters is not None and sum(map(len, texts)) > self.max_request_characters:
            return openai_error(400, "Requested 453357 tokens, max 300000 tokens per request", "max_tokens_per_request")
        if self.max_characters is not None and max(map(len, texts)) > self.max_characters:
            return openai_error(400, "This model's maximum context length is 8192 tokens, however you requested 9001.")
        return None

    def answer(self, body: Mapping[str, Any]) -> object:
        texts: list[str] = body["input"]
        vectors = [vector.tolist() for vector in self.embed(texts)]
        if body.get("encoding_format") == "base64":
            vectors = [base64.b64encode(np.array(vector, "<f4").tobytes()).decode() for vector in vectors]
        data = [{"object": "embedding", "index": index, "embedding": vector} for index, vector in enumerate(vectors)]
        if self.is_shuffled:
            data = data[1::2] + data[::2]
        usage = {"prompt_tokens": 1, "total_tokens": 1}
        return self.change({"object": "list", "data": data, "model": body["model"], "usage": usage})

    @contextmanager
    def counting(self) -> Iterator[None]:
        with self._lock:
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            yield
        finally:
            with self._lock:
                self._at_once -= 1


@contextmanager
def serve(server: EmbeddingServer) -> Iterator[EmbeddingServer]:
    """Run the server on a free port of this machine."""
    handler = type("Handler", (_Handler,), {"state": server})
    http = _Server(("127.0.0.1", 0), handler)
    server.address = f"http://127.0.0.1:{http.server_address[1]}/v1"
    thread = threading.Thread(target=http.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a test may leave while an answer is still held back

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is what is tested."""


class _Handler(BaseHTTPRequestHandler):
    state: EmbeddingServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # headers and body are two writes: 40 ms a request otherwise

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        names = [{"id": name, "object": "model", "created": 0, "owned_by": "test"} for name in self.state.models]
        self.reply(Reply(200, {"object": "list", "data": names}))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.state.headers.append({name.lower(): value for name, value in self.headers.items()})
        self.state.batches.append(body["input"])
        with self.state.counting():
            time.sleep(self.state.delay_s)
            if self.state.replies:
                self.reply(self.state.replies.pop(0))
            elif self.path != "/v1/embeddings":
                self.reply(openai_error(404, f"Invalid URL (POST {self.path})"))
            elif refusal := self.state.refusal(body, self.headers.get("Authorization")):
                self.reply(refusal)
            else:
                self.state.answered.update(body["input"])
                self.reply(Reply(200, self.state.answer(body)))

    def reply(self, reply: Reply) -> None:
        time.sleep(reply.delay_s)
        self.close_connection = reply.kind != "whole"
        if reply.kind == "close":
            return
        content = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        self.send_response(reply.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content if reply.kind == "whole" else content[: len(content) // 2])
