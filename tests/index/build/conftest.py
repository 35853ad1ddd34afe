"""A folder of documents, and an index of it."""

from collections.abc import Callable
from pathlib import Path

import pytest

import gtekit
from gtekit.index.build import BuildOptions, BuildReport, build_index

Build = Callable[..., BuildReport]


@pytest.fixture
def docs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three documents, in a folder that is called docs from where the test runs."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "sort.txt").write_text("Quicksort picks a pivot and sorts both sides.")
    (folder / "bread.md").write_text("# Bread\n\nA sourdough needs wild yeast.\n\n## Oven\n\nBake it hot.")
    (folder / "rows.jsonl").write_text('{"id": "cn", "text": "Beijing is the capital.", "year": 1949}\n')
    return folder


@pytest.fixture
def build(docs: Path, minilm: gtekit.Embedder) -> Build:
    """Build my.index from docs, or from what is named."""

    def call(*paths: str, **options: object) -> BuildReport:
        chosen = BuildOptions(backend="exact", **options)  # type: ignore[arg-type]
        return build_index(paths or ["docs"], "my.index", minilm, chosen)

    return call


def counts(report: BuildReport) -> tuple[int, int, int, int]:
    """Documents added, changed, deleted and unchanged."""
    return report.added, report.changed, report.deleted, report.unchanged
