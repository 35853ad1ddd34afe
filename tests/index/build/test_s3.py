"""Documents on S3 to an index on S3."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import gtekit
import gtekit.index
from gtekit.documents.s3 import open_filesystem
from gtekit.index.build import build_index
from tests.index.build.conftest import counts
from tests.index.s3 import new_place, s3_environment, s3_server


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with s3_server() as endpoint, s3_environment(endpoint):
        yield endpoint


def put(address: str, text: str) -> None:
    with open_filesystem().open_output_stream(address.removeprefix("s3://"), compression=None) as stream:
        stream.write(text.encode())


@pytest.mark.slow
def test_an_index_on_s3_follows_documents_on_s3_and_here(server: str, tmp_path: Path, minilm: gtekit.Embedder) -> None:
    place = new_place()
    for name in ("a", "b", "c"):
        put(f"{place}/docs/{name}.txt", f"The text called {name}.")
    (tmp_path / "local.txt").write_text("Bread needs yeast.")
    paths = [f"{place}/docs", str(tmp_path / "local.txt")]
    assert counts(build_index(paths, f"{place}/my.index", minilm)) == (4, 0, 0, 0)
    put(f"{place}/docs/a.txt", "Another text.")
    open_filesystem().delete_file(f"{place}/docs/b.txt".removeprefix("s3://"))
    report = build_index(paths, f"{place}/my.index", minilm)
    assert counts(report) == (0, 1, 1, 2)
    assert report.passages_embedded == 1
    with gtekit.index.open(f"{place}/my.index", minilm) as index:
        assert index.count() == 3
        assert index.search("baking", top_k=1)[0].metadata["document"] == str(tmp_path / "local.txt")
