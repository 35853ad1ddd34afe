"""Requests in OpenAI's dialect, and whether an answer holds the vectors of its own texts."""

import base64
import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.serving.load import Answer, Call, http_request
from gtekit.arrays import Floats

PATH = "/v1/embeddings"
MODEL = "bench"
SAME_TEXT = 0.97  # cosine of two programs' vectors of one text; int8 beside fp32 on seeded weights stays above it


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts, their lengths, and the vectors that the library gives."""

    texts: Sequence[str]
    tokens: Sequence[int]
    vectors: Floats  # (N, D)
    model: str = MODEL  # what the server calls it

    def call(self, rows: Sequence[int]) -> Call:
        """Ask for these texts as the official client does: one text as a string, vectors in base64."""
        texts = [self.texts[row] for row in rows]
        content = {"input": texts if len(texts) > 1 else texts[0], "model": self.model, "encoding_format": "base64"}
        body = json.dumps(content).encode()
        return Call(http_request(PATH, body), tuple(rows), sum(self.tokens[row] for row in rows))

    def pass_in(self, size: int) -> list[Call]:
        """Ask for all texts once, in requests of `size`."""
        rows = range(len(self.texts))
        return [self.call(rows[first : first + size]) for first in range(0, len(rows), size)]

    def endless(self) -> Iterator[Call]:
        """Ask for one text at a time, for ever."""
        return itertools.cycle(self.pass_in(1))


def vectors_of(body: bytes) -> Floats:
    """Read the vectors of an answer, in base64 or as numbers, in the order of `index`."""
    data = sorted(json.loads(body)["data"], key=lambda item: item["index"])
    return np.stack([read_vector(item["embedding"]) for item in data])


def read_vector(embedding: str | list[float]) -> Floats:
    if isinstance(embedding, str):
        return np.frombuffer(base64.b64decode(embedding), np.float32)
    return np.asarray(embedding, np.float32)


def wrong_answers(answers: Sequence[Answer], texts: Texts, to_the_bit: bool) -> int:
    """Count the answers that are errors, or whose vectors are not those of their own texts."""
    return sum(not is_right(answer, texts, to_the_bit) for answer in answers)


def is_right(answer: Answer, texts: Texts, to_the_bit: bool) -> bool:
    """Tell whether the vectors are the library's: every bit of them, or near enough to belong to the same text."""
    if answer.status != 200:
        return False
    found, expected = vectors_of(answer.body), texts.vectors[list(answer.call.rows)]
    if found.shape != expected.shape:
        return False
    if to_the_bit:
        return found.tobytes() == expected.tobytes()
    lengths = np.linalg.norm(found, axis=1) * np.linalg.norm(expected, axis=1)
    return bool((np.einsum("nd,nd->n", found, expected) >= SAME_TEXT * lengths).all())
