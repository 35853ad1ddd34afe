"""The process of one peer: a line of JSON in, a line of JSON out. benchmarks/worker.py is the other end.

python -m benchmarks.peers.serve openvino --work build/benchmarks/small
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.job import Job, read_job
from benchmarks.peers.catalog import BY_NAME, load_peer
from benchmarks.peers.interface import Peer, Setting

Answer = dict[str, Any]


class Service:
    """What the harness can ask for."""

    def __init__(self, peer: Peer, job: Job) -> None:
        self.peer = peer
        self.job = job

    def describe(self) -> Answer:
        """Say which versions run and which settings are worth trying."""
        return {
            "facts": self.peer.facts,
            "bulk_settings": self.peer.bulk_settings(),
            "single_settings": self.peer.single_settings(),
        }

    def bulk(self, workload: str, setting: Setting, every: int = 1, save: str | None = None) -> Answer:
        """Embed every n-th text of a workload in one call and time it."""
        texts = self.job.texts(workload)[::every]
        started = time.perf_counter()
        vectors = self.peer.encode(texts, setting)
        seconds = time.perf_counter() - started
        if save is not None:
            np.save(save, vectors)
        return {"seconds": seconds}

    def single(self, workload: str, setting: Setting, first: int, count: int, save: str | None = None) -> Answer:
        """Embed `count` texts of a workload one after the other and time each."""
        texts = self.job.texts(workload)
        seconds: list[float] = []
        vectors = []
        for row in range(first, first + count):
            text = texts[row % len(texts)]
            started = time.perf_counter()
            vector = self.peer.encode_one(text, setting)
            seconds.append(time.perf_counter() - started)
            vectors.append(vector)
        if save is not None:
            np.save(save, np.stack(vectors))
        return {"seconds": seconds}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("peer", choices=BY_NAME)
    parser.add_argument("--work", type=Path, required=True)
    args = parser.parse_args(arguments)
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a library prints goes to stderr and not between the answers
    job = read_job(args.work)
    service = Service(load_peer(BY_NAME[args.peer], job), job)
    calls: dict[str, Callable[..., Answer]] = {
        "describe": service.describe,
        "bulk": service.bulk,
        "single": service.single,
    }
    for line in sys.stdin:
        request = json.loads(line)
        answers.write(json.dumps(calls[request.pop("call")](**request)) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
