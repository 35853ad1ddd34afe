"""The harness's end of a peer's process."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.job import Job
from benchmarks.peers.catalog import Entry
from benchmarks.peers.interface import Setting

ROOT = Path(__file__).resolve().parent.parent
SETTLE_S = 0.3  # after a peer's turn its threads still spin for a while (OpenMP, ONNX Runtime): let them fall asleep


@dataclass(frozen=True, slots=True, kw_only=True)
class Pythons:
    """The interpreters of the two environments."""

    gtekit: str
    peers: str

    def of(self, entry: Entry) -> str:
        return self.gtekit if entry.environment == "gtekit" else self.peers


class Worker:
    """A running peer. It waits without using the processor while others have their turn."""

    def __init__(self, entry: Entry, job: Job, pythons: Pythons) -> None:
        self.entry = entry
        self.job = job
        command = [pythons.of(entry), "-m", "benchmarks.peers.serve", entry.name, "--work", str(job.work)]
        self.log = job.work / f"{entry.name}.log"
        with self.log.open("w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                encoding="utf-8",
            )
        described = self.ask("describe")
        self.facts: dict[str, str] = described["facts"]
        self.bulk_settings: list[Setting] = described["bulk_settings"]
        self.single_settings: list[Setting] = described["single_settings"]

    def ask(self, call: str, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever JSON can carry
        """Ask and wait for the answer."""
        if self.process.stdin is None or self.process.stdout is None:
            raise RuntimeError("the worker was started without pipes.")
        answer = ""
        try:
            self.process.stdin.write(json.dumps({"call": call, **arguments}) + "\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
        except BrokenPipeError:
            pass  # it died: the next lines say so, with its last words
        if not answer:
            last_words = self.log.read_text(encoding="utf-8", errors="replace")[-2000:]
            raise SystemExit(f"{self.entry.title} failed at {call} {arguments}. The end of {self.log}:\n{last_words}")
        reply: dict[str, Any] = json.loads(answer)
        return reply

    def time_bulk(self, workload: str, setting: Setting, *, every: int = 1, save: Path | None = None) -> float:
        """Time one pass over a workload, in seconds."""
        time.sleep(SETTLE_S)
        path = None if save is None else str(save)
        return float(self.ask("bulk", workload=workload, setting=setting, every=every, save=path)["seconds"])

    def time_single(
        self, workload: str, setting: Setting, rows: range, *, settle: bool = True, save: Path | None = None
    ) -> list[float]:
        """Time texts one by one, in seconds."""
        if settle:
            time.sleep(SETTLE_S)
        path = None if save is None else str(save)
        answer = self.ask("single", workload=workload, setting=setting, first=rows.start, count=len(rows), save=path)
        return [float(seconds) for seconds in answer["seconds"]]

    def close(self) -> None:
        """End the process."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        self.process.wait(timeout=60)


@contextmanager
def started(entries: Sequence[Entry], job: Job, pythons: Pythons) -> Iterator[list[Worker]]:
    """Start all peers, and end them whatever happens."""
    with ExitStack() as stack:
        workers = []
        for entry in entries:
            print(f"loading {entry.title}", file=sys.stderr, flush=True)
            workers.append(Worker(entry, job, pythons))
            stack.callback(workers[-1].close)
        yield workers
