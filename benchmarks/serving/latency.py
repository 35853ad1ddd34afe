"""How long does one query take: alone, and while others send long lists.

Alone, a query is asked when the one before has been answered, and the library's `encode_one` takes turns with the
server every few queries: on a shared machine whose speed doubles and halves within seconds, both see the same. Under
load queries come at a fixed rate, and time counts from when each was due, so that a server which stops for a while is
charged for all that it kept waiting.
"""

import asyncio
import itertools
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.serving.library import Library
from benchmarks.serving.load import Run, closed_loop, one_by_one, open_loop
from benchmarks.serving.servers import Server
from benchmarks.serving.throughput import BULK_CONNECTIONS, BULK_TEXTS, latency
from benchmarks.serving.wire import wrong_answers

QUERIES_PER_S = 25.0
TURN = 25  # queries: 25 ms to a second

Row = dict[str, float]
Result = dict[str, Any]


def measure(
    servers: Sequence[Server], libraries: Mapping[str, Library], rounds: int, seconds: float, queries: int
) -> Result:
    """Give rows for each round: alone (the library's too), at a rate, at that rate beside bulk requests."""
    alone: dict[str, list[Row]] = {}
    at_rate: dict[str, list[Row]] = {}
    loaded: dict[str, list[Row]] = {}
    for number in range(rounds):
        for server in servers:
            name, library = server.program.name, libraries[server.program.precision]
            with server.awake() as port:
                beside, row = in_turns(port, library, queries, server.program.is_ours)
                if server.program.is_ours:
                    alone.setdefault(f"library-{server.program.precision}", []).append(beside)
                alone.setdefault(name, []).append(row)
                if server.program.is_ours:
                    at_rate.setdefault(name, []).append(asyncio.run(beside_bulk(port, library, seconds, 0)))
                    loaded.setdefault(name, []).append(
                        asyncio.run(beside_bulk(port, library, seconds, BULK_CONNECTIONS))
                    )
            print(f"round {number + 1}: {name} {alone[name][-1]['p50_ms']:.2f} ms", file=sys.stderr)
    return {
        "alone": alone,
        "queries": queries,
        "at_rate": at_rate,
        "loaded": loaded,
        "queries_per_s": QUERIES_PER_S,
        "seconds": seconds,
        "bulk_texts": BULK_TEXTS,
        "bulk_connections": BULK_CONNECTIONS,
    }


def in_turns(port: int, library: Library, queries: int, is_ours: bool) -> tuple[Row, Row]:
    """Ask the library and a server the same number of queries, a few of each at a time; give the row of each."""
    calls, run, seconds = library.queries.endless(), Run(), list[float]()
    for _ in range(queries // TURN):
        seconds += library.one_by_one(TURN)
        run.answers += one_by_one(port, itertools.islice(calls, TURN)).answers
    p50, p99 = np.quantile(np.array(seconds) * 1000, [0.5, 0.99])
    row = {**latency(run), "wrong": wrong_answers(run.answers, library.queries, is_ours)}
    return {"p50_ms": float(p50), "p99_ms": float(p99)}, row


async def beside_bulk(port: int, library: Library, seconds: float, connections: int) -> Row:
    """Ask single queries at a fixed rate while so many connections send bulk requests without a pause."""
    # so small that no text is under way twice at once: it would be computed once, and the load be less than it seems
    size = min(BULK_TEXTS, len(library.mixed.texts) // (2 * BULK_CONNECTIONS))
    bulk_calls = itertools.cycle(library.mixed.pass_in(size))
    bulk: asyncio.Task[Run] | None = None
    if connections:
        bulk = asyncio.create_task(closed_loop(port, bulk_calls, connections, seconds))
        await asyncio.sleep(0.5)  # the queries come into a full queue
    run = await open_loop(port, library.queries.endless(), QUERIES_PER_S, seconds - 0.5)
    row = {**latency(run), "wrong": wrong_answers(run.answers, library.queries, True)}
    if bulk is None:
        return row
    done = await bulk
    row["wrong"] += wrong_answers(done.answers, library.mixed, True)
    return {**row, "bulk_tokens_per_s": done.tokens_per_s}
