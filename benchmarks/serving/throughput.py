"""How much does a server get done: long requests, and single short queries on many connections.

Each round takes everything in turn: the library in both precisions, then every server. Ratios are made within a round.
"""

import asyncio
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.serving.library import Library
from benchmarks.serving.load import Run, closed_loop
from benchmarks.serving.servers import SETTLE_S, Server
from benchmarks.serving.wire import Texts, wrong_answers

BULK_TEXTS = 50  # of a request
BULK_CONNECTIONS = 4
SHORT_CONNECTIONS = 64
THREADS = (1, SHORT_CONNECTIONS)  # that call the library's encode_one

Row = dict[str, float]
Result = dict[str, Any]


def measure(servers: Sequence[Server], libraries: Mapping[str, Library], rounds: int, seconds: float) -> Result:
    """Give a row for each round of each program, the library among them."""
    bulk: dict[str, list[Row]] = {}
    short: dict[str, list[Row]] = {}
    for number in range(rounds):
        for precision, library in libraries.items():
            name = f"library-{precision}"
            bulk.setdefault(name, []).append(library_bulk(library))
            short.setdefault(name, []).append(library_short(library, seconds))
            say(number, name, bulk, short)
        for server in servers:
            program, library = server.program, libraries[server.program.precision]
            with server.awake() as port:
                bulk.setdefault(program.name, []).append(server_bulk(port, library.mixed, program.is_ours))
                short.setdefault(program.name, []).append(server_short(port, library.queries, seconds, program.is_ours))
            say(number, program.name, bulk, short)
    return {
        "bulk": bulk,
        "bulk_texts": BULK_TEXTS,
        "bulk_connections": BULK_CONNECTIONS,
        "short": short,
        "short_connections": SHORT_CONNECTIONS,
        "seconds": seconds,
    }


def say(number: int, name: str, bulk: Mapping[str, Sequence[Row]], short: Mapping[str, Sequence[Row]]) -> None:
    tokens, requests = bulk[name][-1]["tokens_per_s"], short[name][-1]["requests_per_s"]
    print(f"round {number + 1}: {name} {tokens:,.0f} tokens/s, {requests:,.0f} queries/s", file=sys.stderr)


def library_bulk(library: Library) -> Row:
    time.sleep(SETTLE_S)
    return {"tokens_per_s": sum(library.mixed.tokens) / library.bulk_seconds(library.mixed)}


def library_short(library: Library, seconds: float) -> Row:
    time.sleep(SETTLE_S)
    in_bulk = len(library.queries.texts) / library.bulk_seconds(library.queries)
    rates = {f"threads_{threads}": library.calls_per_s(threads, seconds / len(THREADS)) for threads in THREADS}
    return {"requests_per_s": max(rates.values()), "in_bulk": in_bulk, **rates}


def server_bulk(port: int, texts: Texts, is_ours: bool) -> Row:
    run = asyncio.run(closed_loop(port, iter(texts.pass_in(BULK_TEXTS)), BULK_CONNECTIONS))
    return {"tokens_per_s": run.tokens_per_s, **latency(run), "wrong": wrong_answers(run.answers, texts, is_ours)}


def server_short(port: int, texts: Texts, seconds: float, is_ours: bool) -> Row:
    run = asyncio.run(closed_loop(port, texts.endless(), SHORT_CONNECTIONS, seconds))
    return {"requests_per_s": run.requests_per_s, **latency(run), "wrong": wrong_answers(run.answers, texts, is_ours)}


def latency(run: Run) -> Row:
    return {"requests": len(run.answers), "p50_ms": run.quantile_ms(0.5), "p99_ms": run.quantile_ms(0.99)}
