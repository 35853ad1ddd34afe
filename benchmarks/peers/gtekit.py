"""gtekit with its defaults: no setting is tried, none is chosen."""

from collections.abc import Sequence
from typing import cast

import numpy as np

import gtekit
from benchmarks.job import Job
from benchmarks.peers.interface import Floats, Setting
from gtekit.config import Precision


class GtekitPeer:
    """What `gtekit.load(folder)` gives."""

    def __init__(self, job: Job, precision: str) -> None:
        self.model = gtekit.load(str(job.model), precision=cast(Precision, precision))
        self.facts = {
            "gtekit": gtekit.__version__,
            "numpy": np.__version__,
            "isa": self.model.isa,
            "threads": str(self.model.threads),
        }

    def bulk_settings(self) -> list[Setting]:
        return [{}]

    def single_settings(self) -> list[Setting]:
        return [{}]

    def encode(self, texts: Sequence[str], setting: Setting) -> Floats:
        return self.model.encode(texts)

    def encode_one(self, text: str, setting: Setting) -> Floats:
        return self.model.encode_one(text)


def load(job: Job, precision: str) -> GtekitPeer:
    return GtekitPeer(job, precision)
