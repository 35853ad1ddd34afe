"""Files of a table that are missing or were cut short, and what verify says of them."""

from pathlib import Path

import pytest

pytest.importorskip("lancedb")

from gtekit.errors import VectorIndexError
from gtekit.index.lance import LanceBackend, approximate
from gtekit.index.lance.damage import LAST_VERSION
from gtekit.index.verify import verify
from tests.index.lance_rows import SPACE, many, rows, vectors


def data_files(place: Path) -> list[Path]:
    return sorted((place / "rows.lance" / "data").iterdir())


@pytest.mark.parametrize("damage", ["cut", "gone", "overwritten"])
def test_a_damaged_file_is_named(tmp_path: Path, damage: str) -> None:
    backend = LanceBackend.create(tmp_path / "index", SPACE)
    backend.upsert(many(200))
    assert backend.verify() == []
    (file,) = data_files(tmp_path / "index")
    if damage == "gone":
        file.unlink()
    else:
        content = file.read_bytes()
        file.write_bytes(content[: len(content) // 2] if damage == "cut" else bytes(len(content)))
    opened = LanceBackend.open(tmp_path / "index")
    assert any(file.name in problem for problem in opened.verify())
    with pytest.raises(VectorIndexError, match=file.name):
        opened.search_vectors(vectors(1), 1)
    with pytest.raises(VectorIndexError, match=file.name):
        list(opened.scan())


def test_a_damaged_manifest_is_named(tmp_path: Path) -> None:
    backend = LanceBackend.create(tmp_path / "index", SPACE)
    backend.upsert(many(20))
    newest = min((tmp_path / "index" / "rows.lance" / "_versions").glob("*.manifest"))
    newest.write_bytes(newest.read_bytes()[:100])
    with pytest.raises(VectorIndexError, match=newest.name):
        LanceBackend.open(tmp_path / "index")


@pytest.fixture
def tagged(tmp_path: Path) -> Path:
    """The folder of a table with a tag, and with rows that only the tagged version has."""
    backend = LanceBackend.create(tmp_path / "index", SPACE)
    backend.upsert(many(20))
    backend.tag("kept")
    backend.delete(where="n >= 0")
    backend.upsert(rows(["new"]))
    backend.optimize()
    assert backend.verify() == []
    return tmp_path / "index" / "rows.lance"


def problems_of(table: Path) -> list[str]:
    return verify(LanceBackend.open(table.parent))


@pytest.mark.parametrize("content", ["{bad", "", '{"a": 1}'])
def test_verify_reads_the_tags(tagged: Path, content: str) -> None:
    (tagged / "_refs" / "tags" / "kept.json").write_text(content)
    assert any("kept.json: is damaged" in problem for problem in problems_of(tagged))


def test_verify_opens_the_tagged_versions(tagged: Path) -> None:
    number = LanceBackend.open(tagged.parent)._known_tags()["kept"]
    manifest = tagged / "_versions" / f"{LAST_VERSION - number:020}.manifest"
    content = manifest.read_bytes()
    for damaged in (None, content[:100], b"\xff" * (len(content) - 16) + content[-16:]):
        if damaged is None:
            manifest.unlink()
        else:
            manifest.write_bytes(damaged)
        assert any("'kept'" in problem for problem in problems_of(tagged)), damaged
    manifest.write_bytes(content)
    assert problems_of(tagged) == []
    newest = min((tagged / "_versions").glob("*.manifest")).read_bytes()
    for file in set((tagged / "data").iterdir()):
        if file.name.encode() not in newest:
            file.unlink()
            assert any(file.name in problem for problem in problems_of(tagged))


def test_verify_misses_the_newest_version(tagged: Path) -> None:
    min((tagged / "_versions").glob("*.manifest")).unlink()
    assert any("its file is missing" in problem for problem in problems_of(tagged))
    (tagged / "_versions" / "latest_version_hint.json").unlink()  # of other programs there may be none
    assert problems_of(tagged) == []


def test_a_lost_file_of_an_index_is_found(tmp_path: Path) -> None:
    backend = LanceBackend.create(tmp_path / "index", SPACE, exact_below=300)
    backend.upsert(many(600))
    backend.optimize()
    graph = next(index for index in backend._snapshot().indices if index.name == approximate.NAME)
    file = tmp_path / "index" / "rows.lance" / "_indices" / graph.index_uuid / "index.idx"
    file.write_bytes(file.read_bytes()[:50])
    assert any(str(file) in problem for problem in backend.verify())
