"""Builds that are killed: the same command goes on, and what was written is not embedded again."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import gtekit
import gtekit.index
from tests.index.build.conftest import Build

WRITER = """
import sys
import gtekit
from gtekit.index.build import BuildOptions, build_index
import gtekit.index.build.writer as writer
writer.BLOCK_PASSAGES = 8
options = BuildOptions(backend=sys.argv[2], passage_tokens=32)
build_index(["docs"], "my.index", gtekit.load(sys.argv[1]), options)
"""


def run_until(rows: int, model: str, backend: str) -> "subprocess.Popen[bytes]":
    """Start a build and give it back once the index has some rows, still running."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    process = subprocess.Popen([sys.executable, "-c", WRITER, model, backend], env=environment)
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with gtekit.index.open("my.index") as index:
                if index.count() >= rows:
                    break
        except gtekit.VectorIndexError:
            time.sleep(0.01)
    return process


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["exact", "lance"])
def test_a_build_that_is_killed_goes_on_where_it_was(docs: Path, backend: str, minilm: gtekit.Embedder) -> None:
    for number in range(150):
        sentences = " ".join(f"Sentence {line} of document {number} is here." for line in range(number % 40 + 1))
        (docs / f"{number:03}.txt").write_text(sentences)
    kept = []
    for rows in (30, 120, 300):
        process = run_until(rows, "all-MiniLM-L6-v2", backend)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL, "it ended before it could be killed; the documents are too few"
        with gtekit.index.open("my.index") as index:
            kept.append(index.count())
            assert index.verify() == []
    from gtekit.index.build import BuildOptions, build_index

    report = build_index(["docs"], "my.index", minilm, BuildOptions(backend=backend))  # type: ignore[arg-type]
    assert kept == sorted(kept)
    assert report.unchanged > 0
    assert report.passages_embedded <= report.passages - kept[-1] + 64  # at most what was written without its document
    assert report.documents == 153
    with gtekit.index.open("my.index") as index:
        entries = [
            json.loads(str(row["build"])) for part in index.scan("build IS NOT NULL") for row in part.metadata or ()
        ]
        assert len(entries) == 153
        assert sum(entry[-1] for entry in entries) == index.count() == report.passages
        assert index.verify() == []


def test_a_repeated_build_after_an_error_midway_writes_the_rest(
    build: Build, docs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gtekit.index.build.writer.BLOCK_PASSAGES", 1)
    with monkeypatch.context() as patch:
        upsert, calls = gtekit.index.Index.upsert, iter(range(100))

        def stop(*arguments: object, **keywords: object) -> None:
            if next(calls) == 2:
                raise KeyboardInterrupt
            upsert(*arguments, **keywords)  # type: ignore[arg-type]

        patch.setattr(gtekit.index.Index, "upsert", stop)
        with pytest.raises(KeyboardInterrupt):
            build()
    report = build()
    assert (report.unchanged, report.added, report.passages_embedded) == (2, 1, 1)
