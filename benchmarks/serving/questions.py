"""What the soak's clients ask for and get right: every dialect and every kind of body, each vector compared."""

import asyncio
import gzip
import json
from collections.abc import Callable

import numpy as np

from benchmarks.serving.load import Answer, Call, http_request
from benchmarks.serving.traffic import REFUSED, Client, Judge, World, headers_of, judged
from benchmarks.serving.wire import MODEL, PATH, read_vector, vectors_of
from gtekit.arrays import Floats
from gtekit.serving.zstd import zstd

Read = Callable[[bytes], Floats]


def compare(world: World, rows: list[int], read: Read) -> Judge:
    """Make a judge that wants the library's vectors, every bit of them."""

    def judge(answer: Answer) -> str:
        found, expected = read(answer.body), world.texts.vectors[rows]
        if found.tobytes() == expected.tobytes():
            return ""
        if found.shape != expected.shape:
            return f"shape {found.shape}, expected {expected.shape}"
        row = int(np.flatnonzero((found != expected).any(axis=1))[0])
        whose = np.flatnonzero((world.texts.vectors == found[row]).all(axis=1))
        return f"vector {row} is that of another text ({whose[0]})" if len(whose) else f"vector {row} is no text's"

    return judge


def floats(rows: list[list[float]]) -> Floats:
    return np.asarray(rows, np.float32)


def compare_lines(world: World, rows: list[int]) -> Judge:
    """Make a judge of streams: one that a full queue has cut short says so in its last line."""

    def judge(answer: Answer) -> str:
        found = [json.loads(line) for line in answer.body.splitlines()]
        is_cut = found[-1].get("error", {}).get("kind") in ("overloaded", "unavailable")
        whole = found[:-1] if is_cut else found
        if [line["index"] for line in whole] != list(range(len(whole))):
            return "lines are out of order"
        vectors = np.stack([read_vector(line["embedding"]) for line in whole]) if whole else world.texts.vectors[:0]
        expected = world.texts.vectors[rows[: len(whole)] if is_cut else rows]
        if vectors.tobytes() != expected.tobytes():
            return f"a vector among {len(whole)} lines is wrong, or lines are missing"
        return REFUSED if is_cut else ""

    return judge


async def interactive(world: World, client: Client) -> None:
    """Ask for one text, in a dialect drawn by chance."""
    rows = world.rows(1, 1)
    text = world.texts.texts[rows[0]]
    dimension = world.texts.vectors.shape[1]
    choices: list[tuple[str, str, object, dict[str, str], Read]] = [
        ("openai", PATH, {"input": text, "model": MODEL, "encoding_format": "base64"}, {}, vectors_of),
        ("openai numbers", PATH, {"input": [text], "model": MODEL}, {}, vectors_of),
        ("tei", "/embed", {"inputs": text}, {}, lambda body: floats(json.loads(body))),
        (
            "cohere",
            "/v2/embed",
            {"model": MODEL, "texts": [text], "input_type": "classification", "embedding_types": ["float"]},
            {},
            lambda body: floats(json.loads(body)["embeddings"]["float"]),
        ),
        (
            "octets",
            "/encode",
            {"texts": [text]},
            {"accept": "application/octet-stream"},
            lambda body: np.frombuffer(body, np.float32).reshape(-1, dimension),
        ),
    ]
    name, path, content, headers, read = world.random.choice(choices)
    call = Call(http_request(path, json.dumps(content).encode(), headers_of(world, **headers)), rows)
    await judged(world, client, f"one text, {name}", call, compare(world, rows, read))


async def bulk(world: World, client: Client) -> None:
    rows = world.rows(20, 100)
    await judged(world, client, "bulk", bulk_call(world, rows), compare(world, rows, vectors_of))


def bulk_call(world: World, rows: list[int]) -> Call:
    body = json.dumps({"input": [world.texts.texts[row] for row in rows], "model": MODEL, "encoding_format": "base64"})
    return Call(http_request(PATH, body.encode(), headers_of(world)), rows)


async def octets(world: World, client: Client) -> None:
    rows = world.rows(5, 60)
    body = json.dumps({"texts": [world.texts.texts[row] for row in rows]}).encode()
    call = Call(http_request("/encode", body, headers_of(world, accept="application/octet-stream")), rows)
    dimension = world.texts.vectors.shape[1]
    read: Read = lambda body: np.frombuffer(body, np.float32).reshape(-1, dimension)  # noqa: E731 - it is passed on
    await judged(world, client, "octets", call, compare(world, rows, read))


async def lines(world: World, client: Client) -> None:
    rows = world.rows(20, 100)
    body = "\n".join(json.dumps(world.texts.texts[row]) for row in rows).encode()
    call = Call(
        http_request("/encode?encoding=base64", body, headers_of(world, content_type="application/x-ndjson")), rows
    )
    await judged(world, client, "lines (NDJSON)", call, compare_lines(world, rows))


async def compressed(world: World, client: Client) -> None:
    rows = world.rows(1, 40)
    content = {"input": [world.texts.texts[row] for row in rows], "model": MODEL, "encoding_format": "base64"}
    name = world.random.choice(["gzip", "zstd"])
    body = json.dumps(content).encode()
    packed = gzip.compress(body) if name == "gzip" else zstd.compress(body)
    call = Call(http_request(PATH, packed, headers_of(world, content_encoding=name)), rows)
    await judged(world, client, f"compressed with {name}", call, compare(world, rows, vectors_of))


async def same_again(world: World, client: Client) -> None:
    """Ask for a few texts that others ask for at the same time, twice in one request too."""
    rows = [world.random.randrange(5) for _ in range(world.random.randint(1, 8))]
    await judged(world, client, "same texts", bulk_call(world, rows), compare(world, rows, vectors_of))


async def burst(world: World, client: Client) -> None:
    """Send more at once than the queue takes."""
    clients = [client, *(Client(world) for _ in range(7))]
    asked = [world.rows(60, 100) for _ in clients]
    await asyncio.gather(
        *(
            judged(world, each, "burst", bulk_call(world, rows), compare(world, rows, vectors_of))
            for each, rows in zip(clients, asked, strict=True)
        )
    )
    for each in clients[1:]:
        each.close()
