"""Does the server stay right under a mix of good and bad requests, and when it is stopped in the middle?

    python -m benchmarks.serving.soak --minutes 30
    python -m benchmarks.serving.soak --minutes 0.5 --model path/to/checkpoint --precision float32

Single texts in four dialects, long lists, lines, octets, compressed bodies, the same texts from several clients, bursts
beyond the queue; beside them malformed, oversized, slow and aborted requests and wrong keys. Every vector is compared
with the library's, every bit of it; every failure's status and body are checked. At half time the server gets SIGTERM:
what was sent before must be answered, it must end with 0, and the load goes on with a new one. Its memory is read
twice a second. Ends with 1 if anything was wrong.
"""

import argparse
import asyncio
import contextlib
import json
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import gtekit
from benchmarks.machine import describe_machine, load_average
from benchmarks.serving import nuisances, questions
from benchmarks.serving.library import make_texts
from benchmarks.serving.load import HOST
from benchmarks.serving.memory import Sample, growth_of, resident_mib
from benchmarks.serving.servers import STOP_S, Server, own
from benchmarks.serving.soak_report import draw, faults_of, report
from benchmarks.serving.traffic import Once, World, again_and_again
from benchmarks.serving.wire import Texts
from benchmarks.serving.work import OUT, WORK, prepared
from gtekit.serving.key_file import add_key, new_secret
from gtekit.serving.keys import Key, sha256_of

EVERY_S = 0.5
LAST_ANSWERS_S = 150.0
HELD = ("gtekit_requests_in_flight", "gtekit_held_bytes", "gtekit_queue_tokens", "gtekit_queue_texts")
MAX_BODY_BYTES, MAX_TEXTS = 4_194_304, 200
FLAGS = (
    *("--max-body-bytes", str(MAX_BODY_BYTES), "--max-texts", str(MAX_TEXTS), "--max-queue-tokens", "12000"),
    *("--cache-bytes", "200000", "--header-timeout-s", "2", "--body-timeout-s", "2"),
)
CLIENTS: tuple[tuple[Once, int, float], ...] = (  # how many of each, and the mean pause in seconds
    (questions.interactive, 4, 0.02),
    (questions.bulk, 2, 0.0),
    (questions.octets, 1, 0.05),
    (questions.lines, 1, 0.05),
    (questions.compressed, 1, 0.05),
    (questions.same_again, 2, 0.05),
    (questions.burst, 1, 4.0),
    (nuisances.malformed, 1, 0.1),
    (nuisances.oversized, 1, 0.3),
    (nuisances.wrong_key, 1, 0.3),
    (nuisances.slow, 2, 1.0),
    (nuisances.aborted, 2, 0.2),
)

Result = dict[str, Any]
KEPT = 10  # one sample in so many goes into the file: every five seconds


@dataclass(slots=True)
class Life:
    """One server, from its first answer to its end."""

    samples: list[Sample] = field(default_factory=list)  # seconds since the soak began, MiB
    exit_code: int | None = None
    stop_s: float = 0.0  # from SIGTERM to the end of the process


async def live(server: Server, life: Life, world: World, seconds: float, begun: float) -> None:
    """Let the clients at a server for a while and read its memory."""
    world.port = server.port
    world.up.set()
    end = time.perf_counter() + seconds
    while time.perf_counter() < end and server.process.poll() is None:
        life.samples.append((time.perf_counter() - begun, resident_mib(server.process.pid)))
        await asyncio.sleep(EVERY_S)


async def terminate(server: Server, life: Life, world: World) -> None:
    """Send SIGTERM into the load and wait for the end."""
    world.up.clear()
    world.term_at = time.perf_counter()
    server.process.send_signal(signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        life.exit_code = await asyncio.to_thread(server.process.wait, STOP_S)
    life.stop_s = time.perf_counter() - world.term_at


async def soak(model: Path, texts: Texts, seconds: float, precision: str, work: Path) -> Result:
    """Run it all.

    Args:
        model: The checkpoint.
        texts: What is asked for, with the library's vectors in the same precision.
        seconds: How long the load lasts, over both servers.
        precision: Of the server.
        work: Folder for logs and the file of keys.
    """
    work.mkdir(parents=True, exist_ok=True)
    keys_file, secret = work / "keys.toml", new_secret()
    keys_file.unlink(missing_ok=True)
    add_key(keys_file, Key(name="soak", sha256=sha256_of(secret)))
    program = own(precision, *FLAGS, "--keys-file", str(keys_file), key=secret)
    world = World(port=0, key=secret, texts=texts, max_body_bytes=MAX_BODY_BYTES, max_texts=MAX_TEXTS)
    lives: list[Life] = []
    left: dict[str, float] = {}
    clients: list[asyncio.Task[None]] = []
    begun = time.perf_counter()
    for number in range(2):
        with ending(await asyncio.to_thread(Server, program, model, work)) as server:
            lives.append(Life())
            if not clients:
                begun = time.perf_counter()
                clients = [
                    asyncio.create_task(again_and_again(world, once, pause_s))
                    for once, count, pause_s in CLIENTS
                    for _ in range(count)
                ]
            await live(server, lives[-1], world, seconds / 2, begun)
            if number == 1:
                world.ended = True
                await asyncio.wait(clients, timeout=LAST_ANSWERS_S)
                left = await asyncio.to_thread(left_over, server, secret)
            await terminate(server, lives[-1], world)
    for task in clients:
        task.cancel()
    failures = [repr(task.exception()) for task in clients if task.done() and not task.cancelled() and task.exception()]
    return {
        "seconds": time.perf_counter() - begun,
        "precision": precision,
        "texts": len(texts.texts),
        "flags": list(FLAGS),
        "kinds": {kind: {**asdict(tally), "requests": tally.requests} for kind, tally in sorted(world.tallies.items())},
        "aborted": world.aborted,
        "lives": [{**asdict(life), **growth_of(life.samples), "samples": life.samples[::KEPT]} for life in lives],
        "left_over": left,
        "failures_of_the_soak": failures,
    }


def left_over(server: Server, key: str) -> dict[str, float]:
    """Read what a server still holds when nobody asks any more; this reading is one request of its own."""
    request = urllib.request.Request(f"http://{HOST}:{server.port}/metrics", headers={"authorization": f"Bearer {key}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        lines = [line.rpartition(" ") for line in answer.read().decode().splitlines()]
    values = [(name.partition("{")[0], float(value)) for name, _, value in lines if not name.startswith("#")]
    return {held: sum(value for name, value in values if name == held) for held in HELD}


@contextlib.contextmanager
def ending(server: Server) -> Iterator[Server]:
    """Leave no server behind."""
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.process.kill()
            server.process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30.0, help="how long the load lasts (30)")
    parser.add_argument("--model", type=Path, help="a checkpoint instead of the seeded one of gte-small's shape")
    parser.add_argument("--precision", choices=["int8", "float32"], default="int8")
    parser.add_argument("--work", type=Path, default=WORK, help="checkpoint and texts; made where it is not there")
    parser.add_argument("--out", type=Path, default=OUT, help="folder for soak.json, soak.md and memory.svg")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    machine = {**describe_machine(), "command": " ".join(["python -m benchmarks.serving.soak", *sys.argv[1:]])}
    job = prepared(args.work, quick=False)
    folder = (args.model or job.model).resolve()
    model = gtekit.load(folder, precision=args.precision, language_warning=False)
    texts = make_texts(model, [text for name in job.workloads() for text in job.texts(name)])
    result = asyncio.run(soak(folder, texts, 60 * args.minutes, args.precision, job.work / "soak"))
    result = {"question": "soak", "model": folder.name if args.model else job.name, **result}
    result["machine"] = {**machine, "load_after": load_average()}
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "soak.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    (args.out / "soak.md").write_text(report(result), encoding="utf-8")
    draw(result, args.out)
    print(report(result))
    sys.exit(1 if faults_of(result) else 0)


if __name__ == "__main__":
    main()
