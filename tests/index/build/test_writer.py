"""Writing passages: which vectors are taken again, and what an early end leaves."""

import dataclasses
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

import gtekit
import gtekit.index
from gtekit.checkpoint.seeded import write_seeded_checkpoint
from gtekit.documents.read import EXTRACTORS
from gtekit.errors import MissingExtraError
from gtekit.index.build import BuildOptions, build_index
from gtekit.index.build.writer import NewRow, _last_end
from tests.index.build.conftest import Build, counts


def test_vectors_of_another_document_prompt_are_not_taken_again(docs: Path) -> None:
    write_seeded_checkpoint(Path("plain"), size="tiny")
    shutil.copytree("plain", "prompted")
    config = Path("prompted/config_sentence_transformers.json")
    known = json.loads(config.read_text()) if config.exists() else {}
    config.write_text(json.dumps({**known, "prompts": {"query": "query: ", "document": "passage: "}}))
    plain, prompted = (gtekit.load(name, language_warning=False) for name in ("plain", "prompted"))
    if plain.fingerprint != prompted.fingerprint:
        pytest.skip("the prompt is part of the space: another one is refused")
    options = BuildOptions(backend="exact")
    build_index(["docs"], "my.index", plain, options)
    report = build_index(["docs"], "my.index", prompted, options)
    assert (report.changed, report.passages_embedded, report.passages_reused) == (3, 3, 0)
    with gtekit.index.open("my.index") as index:
        (row,) = index.get(["docs/sort.txt#p0"]).vectors
        text = "Quicksort picks a pivot and sorts both sides."
        assert np.allclose(row, prompted.encode_document([text])[0], atol=1e-3)


def test_what_was_embedded_is_written_when_an_interrupt_ends_a_build(
    build: Build, docs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(8):
        (docs / f"{number}.txt").write_text(f"Text number {number}.")
    monkeypatch.setattr("gtekit.index.build.writer.STEP_PASSAGES", 2)
    with monkeypatch.context() as patch:
        encode, calls = gtekit.Embedder.encode_document, iter(range(100))

        def stop(model: gtekit.Embedder, *arguments: object, **keywords: object) -> object:
            if next(calls) == 3:
                raise KeyboardInterrupt
            return encode(model, *arguments, **keywords)  # type: ignore[arg-type]

        patch.setattr(gtekit.Embedder, "encode_document", stop)
        with pytest.raises(KeyboardInterrupt):
            build()
    assert counts(build()) == (5, 0, 0, 6)


def test_blocks_are_written_early_where_embedding_takes_long(
    build: Build, docs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gtekit.index.build.writer.STEP_PASSAGES", 1)
    monkeypatch.setattr("gtekit.index.build.writer.WRITE_AFTER_S", 0.0)
    sizes = []
    upsert = gtekit.index.Index.upsert

    def count(index: gtekit.index.Index, ids: list[str], *arguments: object, **keywords: object) -> None:
        sizes.append(len(ids))
        upsert(index, ids, *arguments, **keywords)  # type: ignore[arg-type]

    monkeypatch.setattr(gtekit.index.Index, "upsert", count)
    build()
    assert sizes == [1, 1, 1]


def test_a_write_ends_after_a_document() -> None:
    row = NewRow("a", "text", {})
    last = dataclasses.replace(row, may_end_write=True)
    rows = [row, last, row, row, last]
    assert [_last_end(rows, 0, done) for done in range(6)] == [0, 0, 2, 2, 2, 5]
    assert _last_end(rows, 2, 4) == 2


def test_an_error_of_a_reader_costs_that_file_alone(build: Build, docs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(data: bytes) -> None:
        raise ZeroDivisionError("of all things")

    monkeypatch.setitem(EXTRACTORS, "markdown", fail)
    report = build()
    assert [(failure.source, failure.reason) for failure in report.failures] == [
        ("docs/bread.md", "can't be read (ZeroDivisionError: of all things)")
    ]
    assert report.added == 2


def test_a_missing_reader_is_told_before_anything_is_made(
    build: Build, docs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (docs / "page.html").write_text("<p>text</p>")
    monkeypatch.setitem(sys.modules, "selectolax.lexbor", None)
    with pytest.raises(MissingExtraError, match=r"docs/page.html: .* selectolax.*pip install 'gtekit\[index\]'"):
        build()
    assert not Path("my.index").exists()
