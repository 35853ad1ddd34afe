"""What the soak's clients do wrong: malformed, oversized, slow, aborted, without a key. Each has its right answer."""

import asyncio
import functools
import gzip
import json
import time
from collections.abc import Callable

from benchmarks.serving.load import HOST, Answer, Call, http_request
from benchmarks.serving.questions import bulk_call
from benchmarks.serving.traffic import Client, Judge, Lost, World, headers_of, judged
from benchmarks.serving.wire import MODEL, PATH

SLOW_S = 20.0  # the longest that the server may put up with a slow request; its own limits are 2 s


def nested(content: object) -> bool:  # OpenAI's, and gtekit's own
    error = content.get("error") if isinstance(content, dict) else None
    return isinstance(error, dict) and isinstance(error.get("message"), str) and isinstance(error.get("code"), str)


def of_tei(content: object) -> bool:
    return isinstance(content, dict) and all(isinstance(content.get(name), str) for name in ("error", "error_type"))


def of_cohere(content: object) -> bool:
    return isinstance(content, dict) and isinstance(content.get("message"), str)


def of_jina(content: object) -> bool:
    return isinstance(content, dict) and isinstance(content.get("detail"), str)


def wants(shape: Callable[[object], bool]) -> Judge:
    """Make a judge of error bodies."""

    def judge(answer: Answer) -> str:
        try:
            is_right = shape(json.loads(answer.body))
        except ValueError:
            is_right = False
        return "" if is_right else f"status {answer.status} with the body {answer.body[:200]!r}"

    return judge


async def malformed(world: World, client: Client) -> None:
    """Send something that can't be answered, drawn by chance."""
    choices: list[tuple[str, str, bytes, int, Callable[[object], bool]]] = [
        ("cut JSON", PATH, b'{"input": "a', 400, nested),
        ("not UTF-8", PATH, b'{"input": "\xff\xfe"}', 400, nested),
        ("wrong type", PATH, json.dumps({"input": {"a": 1}}).encode(), 400, nested),
        ("no text", PATH, json.dumps({"input": []}).encode(), 400, nested),
        ("empty text", PATH, json.dumps({"input": ["a", ""]}).encode(), 400, nested),
        ("token ids", PATH, json.dumps({"input": [[1, 2, 3]]}).encode(), 400, nested),
        ("too long", PATH, json.dumps({"input": "word " * 2000, "model": MODEL}).encode(), 400, nested),
        ("unknown model", PATH, b'{"input": "a", "model": "nobody"}', 404, nested),
        ("unknown path", "/v1/nothing", b"{}", 404, nested),
        ("TEI, empty text", "/embed", json.dumps({"inputs": ""}).encode(), 400, of_tei),
        ("TEI, wrong type", "/embed", json.dumps({"inputs": 1}).encode(), 422, of_tei),
        ("Cohere, no texts", "/v2/embed", b'{"model": "bench", "texts": [], "input_type": "x"}', 400, of_cohere),
        ("Jina, cut JSON", "/v1/rerank", b'{"model": "bench", "query": ', 422, of_jina),
        ("lone surrogate", PATH, b'{"input": "\\ud800"}', 400, nested),
        ("deep JSON", PATH, b'{"input": ' + b"[" * 5000 + b"]" * 5000 + b"}", 400, nested),
    ]
    name, path, body, status, shape = world.random.choice(choices)
    await judged(
        world, client, f"malformed: {name}", Call(http_request(path, body, headers_of(world))), wants(shape), status
    )


async def oversized(world: World, client: Client) -> None:
    """Send too much, drawn by chance."""
    choice = world.random.randrange(4)
    if choice == 0:
        texts = json.dumps({"input": ["a"] * (world.max_texts + 1), "model": MODEL}).encode()
        await judged(
            world, client, "too many texts", Call(http_request(PATH, texts, headers_of(world))), wants(nested), 400
        )
    elif choice == 1:
        bomb = http_request(PATH, packed_letters(4 * world.max_body_bytes), headers_of(world, content_encoding="gzip"))
        await judged(world, client, "decompression bomb", Call(bomb), wants(nested), 413)
    elif choice == 2:
        call = Call(http_request(PATH, b"", headers_of(world, content_length=str(world.max_body_bytes + 1))))
        await judged(world, client, "announced body", call, wants(nested), 413)
    else:
        call = Call(http_request(PATH, b"{}", headers_of(world, x_filler="a" * 20_000)))
        await judged(world, Client(world), "long headers", call, lambda _: "", 431)


@functools.cache
def packed_letters(size: int) -> bytes:
    return gzip.compress(b'{"input": "' + b"a" * size + b'"}')


async def wrong_key(world: World, client: Client) -> None:
    call = Call(http_request(PATH, b'{"input": "a"}', {"authorization": "Bearer " + "x" * len(world.key)}))
    await judged(world, client, "wrong key", call, wants(nested), 401)


async def slow(world: World, client: Client) -> None:
    """Stop within the headers, or within the body: the server must say 408 or hang up before long."""
    request = http_request(PATH, b'{"input": "' + b"a" * 100 + b'"}', headers_of(world))
    end = world.random.choice([20, len(request) - 50])
    tally = world.tally("slow headers" if end == 20 else "slow body")
    begun = time.perf_counter()
    try:
        reader, writer = await asyncio.open_connection(HOST, world.port)
        writer.write(request[:end])
        answer = await asyncio.wait_for(reader.read(), SLOW_S)
    except TimeoutError:
        tally.wrong.append(f"still open after {SLOW_S:g} s")
        return
    except OSError:
        answer = b""
    else:
        writer.close()
    if answer.startswith(b"HTTP/1.1 408 "):
        tally.expected_errors += 1
    elif world.term_at >= begun or not world.up.is_set():
        tally.while_down += 1
    else:
        tally.wrong.append(f"{answer[:100]!r}, expected 408")


async def aborted(world: World, client: Client) -> None:
    """Hang up on a long request, at any moment."""
    own = Client(world)
    task = asyncio.create_task(own.ask(bulk_call(world, world.rows(50, 100))))
    done, _ = await asyncio.wait({task}, timeout=world.random.uniform(0, 0.5))
    own.close()
    task.cancel()
    world.aborted += not done
    try:
        await task
    except (Lost, OSError, asyncio.CancelledError):
        return
