"""A tiny model to measure, and the measurement itself: once for all tests."""

from pathlib import Path

import pytest

import gtekit
from gtekit.bench import Bench, bench, made_source
from gtekit.config import Precision

Loads = list[tuple[Precision, int | None]]


@pytest.fixture(scope="session")
def measured(tiny_checkpoint: Path) -> Bench:
    def load(precision: Precision) -> gtekit.Embedder:
        return gtekit.load(tiny_checkpoint, precision=precision, threads=2, language_warning=False)

    return bench(load, made_source(), ["float32", "int8"], rounds=2, seconds=0.5, say=lambda _: None)
