"""Whatever is done to a folder: after a build the index holds its texts, no more and no fewer."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gtekit
import gtekit.index
from gtekit.index.build import BuildOptions, build_index

NAMES = ("a.txt", "b.md", "sub/c.txt", "rows.jsonl")
TEXTS = st.lists(st.sampled_from(["One.", "Two words.", "Three words now.", "And a longer one of six."]), max_size=8)
EDITS = st.lists(st.tuples(st.sampled_from(NAMES), st.none() | TEXTS), min_size=1, max_size=6)


@pytest.fixture(scope="module")
def tiny(tiny_checkpoint: Path) -> gtekit.Embedder:
    return gtekit.load(tiny_checkpoint, language_warning=False)


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(st.lists(EDITS, min_size=1, max_size=4), st.sampled_from([8, 16]))
def test_an_index_follows_its_folder(
    tiny: gtekit.Embedder, builds: list[list[tuple[str, list[str] | None]]], size: int
) -> None:
    with TemporaryDirectory() as place:
        docs, location = Path(place, "docs"), Path(place, "my.index")
        docs.mkdir()
        options = BuildOptions(backend="exact", passage_tokens=size, overlap_tokens=0, prune=True)
        for edits in builds:
            for name, texts in edits:
                edit(docs / name, texts)
            report = build_index([docs], location, tiny, options)
            with gtekit.index.open(location) as index:
                assert documents_in(index) == documents_under(docs)
                assert index.count() == report.passages
                assert index.verify() == []
        assert build_index([docs], location, tiny, options).passages_embedded == 0


def edit(path: Path, texts: list[str] | None) -> None:
    path.parent.mkdir(exist_ok=True)
    if texts is None:
        path.unlink(missing_ok=True)
    elif path.suffix == ".jsonl":
        path.write_text("".join(f'{{"id": {place}, "text": "{text}"}}\n' for place, text in enumerate(texts)))
    else:
        path.write_text("\n\n".join(texts))


def documents_in(index: gtekit.index.Index) -> dict[str, str]:
    """The texts of an index by document, without white space."""
    passages: dict[str, dict[int, str]] = {}
    for part in index.scan():
        for text, metadata in zip(part.texts or (), part.metadata or (), strict=True):
            numbered = passages.setdefault(str(metadata["document"]), {})
            numbered[int(str(metadata["number"]))] = "".join(str(text).split())
    return {document: "".join(texts[number] for number in sorted(texts)) for document, texts in passages.items()}


def documents_under(docs: Path) -> dict[str, str]:
    """The same of a folder."""
    found: dict[str, str] = {}
    for path in docs.rglob("*.*"):
        if path.suffix == ".jsonl":
            rows = [json.loads(line) for line in path.read_text().splitlines()]
            found |= {f"{path}#{row['id']}": "".join(row["text"].split()) for row in rows}
        elif text := "".join(path.read_text().split()):
            found[str(path)] = text
    return found
