"""Writers that are killed at any moment, and the check that nothing they acknowledged is lost or half there.

    with Writers("lancedb") as writers:  # modules to import before the first fork
        survived = kill_writers(writers, location, kills=100, seed=0, folder=tmp_path)

A writer is a fork of one process that has imported everything and opened nothing: a start takes milliseconds. It says
in a journal what it is about to do and, once the index has acknowledged, that it is done. After a kill the index holds
what was done, and of the one thing that was under way all or nothing.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeAlias

import numpy as np

from gtekit.arrays import Floats

DIMENSION = 16
IDS = 300  # so few that rows are replaced and deleted often
LONGEST_LIFE_S = 0.15
FIRST_WORD_S = 60.0
MAX_ABS_DIFF = 1e-3  # float16

Rows: TypeAlias = dict[str, int]  # id -> generation, which decides text, vector and metadata
Operation: TypeAlias = dict[str, Any]


def vector_of(row_id: str, generation: int) -> Floats:
    """The vector that a row has to have, of length 1."""
    vector = np.random.default_rng([int(row_id), generation]).normal(size=DIMENSION)
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


def draw(chance: random.Random, generation: int) -> Operation:
    """Something to do: mostly an upsert, sometimes a delete, now and then optimize."""
    kind = chance.choices(("upsert", "delete", "where", "optimize"), (12, 3, 1, 1))[0]
    if kind == "where":
        return {"kind": kind, "below": generation - chance.randint(5, 30)}
    ids = [str(number) for number in chance.sample(range(IDS), chance.randint(1, 40))]
    return {"kind": kind, "ids": ids, "generation": generation}


def do(index: Any, operation: Operation) -> None:
    """Do it to an index."""
    kind, ids, generation = operation["kind"], operation.get("ids", []), operation.get("generation", 0)
    if kind == "upsert":
        vectors = np.stack([vector_of(row_id, generation) for row_id in ids])
        texts = [f"row {row_id} of generation {generation}" for row_id in ids]
        index.upsert(ids, texts, vectors, [{"generation": generation}] * len(ids))
    elif kind == "delete":
        index.delete(ids)
    elif kind == "where":
        index.delete(where=f"generation < {operation['below']}")
    else:
        index.optimize()


def after(rows: Rows, operation: Operation) -> Rows:
    """The rows there are once it is done."""
    kind, ids = operation["kind"], operation.get("ids", [])
    if kind == "upsert":
        return rows | dict.fromkeys(ids, int(operation["generation"]))
    if kind == "delete":
        return {row_id: generation for row_id, generation in rows.items() if row_id not in ids}
    if kind == "where":
        return {row_id: generation for row_id, generation in rows.items() if generation >= operation["below"]}
    return rows


def write_until_killed(location: str, seed: int, journal: Path) -> None:
    """Do one thing after the other; say so before and after each."""
    import gtekit.index

    chance = random.Random(seed)
    descriptor = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    index = gtekit.index.open(location)
    for number in range(1_000_000):
        operation = draw(chance, seed * 1000 + number + 1)
        os.write(descriptor, json.dumps({"begin": operation}).encode() + b"\n")
        do(index, operation)
        os.write(descriptor, b'{"done": true}\n')


class Writers:
    """One process that forks writers."""

    def __init__(self, *modules: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.index.kills", *modules],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()

    def start(self, location: str, seed: int, journal: Path) -> int:
        """Fork a writer; gives its process id."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps([location, seed, str(journal)]), file=self._process.stdin, flush=True)
        return int(self._process.stdout.readline())


def kill_writers(
    writers: Writers,
    location: str,
    *,
    kills: int,
    seed: int,
    folder: Path,
    longest_life_s: float = LONGEST_LIFE_S,
    say: Callable[[str], None] = lambda line: None,
) -> Rows:
    """Start a writer and kill it, again and again, and check the index each time; gives the rows at the end."""
    import gtekit.index

    chance = random.Random(seed)
    rows: Rows = {}
    acknowledged = under_way = 0
    for number in range(kills):
        journal = folder / f"journal-{number}"
        pid = writers.start(location, seed + number + 1, journal)
        _wait_for_first_word(journal)
        time.sleep(chance.uniform(0, longest_life_s))
        os.kill(pid, signal.SIGKILL)
        _wait_until_gone(pid)
        lines = _read_journal(journal)
        journal.unlink()
        done = sum("done" in line for line in lines)
        operations = [line["begin"] for line in lines if "begin" in line]
        for operation in operations[:done]:
            rows = after(rows, operation)
        expected = [rows, *(after(rows, operation) for operation in operations[done:])]
        with gtekit.index.open(location) as index:
            rows = check(index, expected)
        acknowledged += done
        under_way += len(operations) - done
    say(f"{kills} kills, {acknowledged} operations acknowledged, {under_way} under way, {len(rows)} rows at the end")
    return rows


def check(index: Any, expected: list[Rows]) -> Rows:
    """Make sure that an index holds one of several sets of rows, whole; gives which."""
    found: Rows = {}
    for records in index.scan():
        for number, row_id in enumerate(records.ids):
            generation = records.metadata[number]["generation"]
            assert row_id not in found, f"id {row_id} is there twice."
            assert records.texts[number] == f"row {row_id} of generation {generation}"
            difference = np.abs(records.vectors[number] - vector_of(row_id, generation)).max()
            assert difference < MAX_ABS_DIFF, f"the vector of {row_id} is another."
            found[row_id] = generation
    differences = [dict(found.items() ^ rows.items()) for rows in expected]
    assert found in expected, f"rows are neither those before nor those after what was under way: {differences}"
    assert index.count() == len(found)
    assert index.verify() == []
    for row_id in list(found)[:3]:
        hits = index.search(vector_of(row_id, found[row_id]), top_k=1)
        assert [hit.id for hit in hits] == [row_id]
    return found


def _wait_for_first_word(journal: Path) -> None:
    until = time.monotonic() + FIRST_WORD_S
    while not (journal.exists() and journal.stat().st_size):
        assert time.monotonic() < until, "the writer has not begun; see what it says on stderr."
        time.sleep(0.001)


def _wait_until_gone(pid: int) -> None:
    """A process that is killed while a file is renamed lives until the disk has answered, and the name is new then."""
    until = time.monotonic() + FIRST_WORD_S
    while True:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        assert time.monotonic() < until, "the writer was killed and is still there."
        time.sleep(0.001)


def _read_journal(journal: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in journal.read_bytes().split(b"\n") if line]


def _fork_writers(modules: list[str]) -> None:
    """Fork a writer for each line of standard input."""
    for module in modules:
        __import__(module)
    import gtekit.index  # noqa: F401  # before the fork, so that it takes no time after

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that were killed
    while line := sys.stdin.readline():
        location, seed, journal = json.loads(line)
        pid = os.fork()
        if pid == 0:
            write_until_killed(location, seed, Path(journal))
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _fork_writers(sys.argv[1:])
