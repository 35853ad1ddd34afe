"""One build at a time: a second one is refused, and what two have done to each other is mended."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import gtekit
import gtekit.index
from gtekit.errors import VectorIndexError
from gtekit.index.build.lock import FOLDER, only_build
from tests.index.build.conftest import Build, counts

LONG = " ".join(f"Sentence number {number} of a long text says one thing." for number in range(120))
HOLD = """
import sys
from gtekit.index.build.lock import only_build
with only_build(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_build_is_refused_while_another_process_builds(build: Build, docs: Path) -> None:
    build()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, "my.index"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    try:
        with pytest.raises(VectorIndexError, match=f"my.index: is being built right now by process {holder.pid} of"):
            build()
        holder.kill()  # the system lets go whatever happens
    finally:
        holder.kill()
        holder.communicate()
    assert counts(build()) == (0, 0, 0, 3)
    assert not Path("my.index", FOLDER).exists()


def test_an_index_on_s3_is_not_held() -> None:
    with only_build("s3://bucket/my.index"), only_build("s3://bucket/my.index"):
        pass


def test_rows_that_somebody_takes_meanwhile_are_written_again(
    build: Build, docs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gtekit.index.build.writer.BLOCK_PASSAGES", 4)
    (docs / "long.txt").write_text(LONG)
    upsert, calls = gtekit.index.Index.upsert, iter(range(1000))

    def steal(index: gtekit.index.Index, *arguments: object, **keywords: object) -> None:
        upsert(index, *arguments, **keywords)  # type: ignore[arg-type]
        if next(calls) == 3:
            index.delete(where="document = 'docs/long.txt'")

    with monkeypatch.context() as patch:
        patch.setattr(gtekit.index.Index, "upsert", steal)
        report = build(passage_tokens=64)
    assert (report.is_whole, report.documents) == (True, 4)
    assert report.passages_embedded > report.passages > 20
    assert counts(build()) == (0, 0, 0, 4)


def test_rows_that_go_after_their_document_was_written_are_told_and_mended(
    build: Build, docs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (docs / "long.txt").write_text(LONG)
    optimize = gtekit.index.Index.optimize

    def steal(index: gtekit.index.Index) -> None:
        index.delete(["docs/long.txt#p1"])
        optimize(index)

    with monkeypatch.context() as patch:
        patch.setattr(gtekit.index.Index, "optimize", steal)
        assert not build(passage_tokens=64).is_whole
    report = build()
    assert (report.is_whole, report.repaired, report.added) == (True, 1, 1)
