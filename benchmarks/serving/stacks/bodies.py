"""How long JSON libraries take for the bodies of an embeddings server: prints one JSON object.

python -m benchmarks.serving.stacks.bodies
"""

import base64
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import orjson

ROUNDS, LEAST_S = 9, 0.02


class Body(msgspec.Struct):
    input: str | list[str]
    model: str = ""


def microseconds(work: Callable[[], Any]) -> float:
    """Time a call: the median of some rounds, in µs."""
    count = 1
    while (seconds := timed(work, count)) < LEAST_S:
        count *= 4
    return statistics.median([seconds / count, *(timed(work, count) / count for _ in range(ROUNDS - 1))]) * 1e6


def timed(work: Callable[[], Any], count: int) -> float:
    begun = time.perf_counter()
    for _ in range(count):
        work()
    return time.perf_counter() - begun


def measure() -> dict[str, dict[str, float]]:
    vector = np.random.default_rng(1).standard_normal(384).astype(np.float32)
    vector /= np.linalg.norm(vector)
    body = json.dumps({"input": ["how to implement quick sort in python?"] * 100, "model": "gte-small"}).encode()
    typed = msgspec.json.Decoder(Body)
    writers: dict[str, Callable[[], bytes]] = {
        "orjson, of the array": lambda: orjson.dumps(vector, option=orjson.OPT_SERIALIZE_NUMPY),
        "orjson, of a list": lambda: orjson.dumps(vector.tolist()),
        "msgspec, of a list": lambda: msgspec.json.encode(vector.tolist()),
        "json": lambda: json.dumps(vector.tolist()).encode(),
        "base64": lambda: base64.b64encode(vector.data),
    }
    readers: dict[str, Callable[[], Any]] = {
        "msgspec, typed": lambda: typed.decode(body),
        "orjson": lambda: orjson.loads(body),
        "json": lambda: json.loads(body),
    }
    return {
        "write 384 float32, µs": {name: microseconds(work) for name, work in writers.items()},
        "write 384 float32, bytes": {name: float(len(work())) for name, work in writers.items()},
        "read 100 texts, µs": {name: microseconds(work) for name, work in readers.items()},
    }


if __name__ == "__main__":
    print(json.dumps(measure()))
