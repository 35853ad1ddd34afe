"""kill -9 at any moment loses nothing that LanceDB acknowledged."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("lancedb")

import gtekit.index
from gtekit.index import Space
from tests.index.kills import DIMENSION, Writers, kill_writers
from tests.index.places import unit_vectors

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="forks writers")]
SPACE = Space("0" * 64, "seeded", DIMENSION)
MODULES = ("lancedb", "lancedb.index", "lancedb.query")  # connects to nothing before the fork: no thread of Rust runs


def test_a_hundred_kills_lose_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    location = tmp_path / "killed.index"
    gtekit.index.create(location, SPACE).close()
    with Writers(*MODULES) as writers:
        kill_writers(writers, str(location), kills=110, seed=2000, folder=tmp_path, longest_life_s=0.4, say=print)


BUILDER = """
import sys
import gtekit.index
from tests.index.places import unit_vectors

index = gtekit.index.open(sys.argv[1])
for number in range(int(sys.argv[2]), 10**9, 600):  # more than a fifth, so that the graph is built anew
    index.upsert([str(number + row) for row in range(600)], vectors=unit_vectors(600, number))
    print(number + 600, flush=True)
    index.optimize()
"""


def test_kills_while_the_graph_is_built_lose_nothing(tmp_path: Path) -> None:
    location = str(tmp_path / "killed.index")
    gtekit.index.create(location, SPACE, exact_below=300).close()
    chance = random.Random(3000)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    written = 0
    for _ in range(12):
        command = [sys.executable, "-c", BUILDER, location, str(written)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as writer:
            assert writer.stdout is not None
            acknowledged = int(writer.stdout.readline())
            time.sleep(chance.uniform(0, 2))
            os.kill(writer.pid, signal.SIGKILL)
            acknowledged = max([acknowledged, *map(int, writer.stdout.read().split())])
        with gtekit.index.open(location) as index:
            count = index.count()
            assert count in (acknowledged, acknowledged + 600)
            assert index.verify() == []
            newest = unit_vectors(600, acknowledged - 600)
            found = [hits[0].id for hits in index.search_many(newest[:50], top_k=5)]
            expected = [str(acknowledged - 600 + row) for row in range(50)]
            assert np.mean([name == other for name, other in zip(found, expected, strict=True)]) >= 0.98
        written = count
