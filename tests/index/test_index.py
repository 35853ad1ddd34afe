"""The front door: where indexes lie, and what is refused before anything is written."""

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import gtekit.index
from gtekit.errors import ArgumentError, SpaceError, VectorIndexError
from gtekit.index import Space
from tests.index.places import DIMENSION, SPACE, unit_vectors

if TYPE_CHECKING:
    import gtekit


def test_nothing_and_other_things_are_no_index(tmp_path: Path) -> None:
    with pytest.raises(VectorIndexError, match=r"nothing of that name.*gtekit\.index\.create"):
        gtekit.index.open(tmp_path / "none")
    (tmp_path / "file").write_text("x")
    with pytest.raises(VectorIndexError, match="is a file; an index is a folder"):
        gtekit.index.open(tmp_path / "file")
    (tmp_path / "folder").mkdir()
    with pytest.raises(VectorIndexError, match="is a folder, but no index"):
        gtekit.index.open(tmp_path / "folder")


@pytest.mark.parametrize("backend", ["exact", "lance"])
def test_an_index_is_never_made_over_something_else(
    tmp_path: Path, backend: "gtekit.index.opening.BackendName"
) -> None:
    if backend == "lance":
        pytest.importorskip("lancedb")
    (tmp_path / "file").write_text("x")
    with pytest.raises(VectorIndexError, match="is a file"):
        gtekit.index.create(tmp_path / "file", SPACE, backend=backend)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "thesis.txt").write_text("years of work")
    with pytest.raises(VectorIndexError, match=r"something else in it \(thesis.txt\)"):
        gtekit.index.create(tmp_path / "folder", SPACE, backend=backend, exist_ok=True)
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["thesis.txt"]
    (tmp_path / "empty").mkdir()
    with gtekit.index.create(tmp_path / "empty", SPACE, backend=backend) as index:
        assert index.count() == 0
    with gtekit.index.create(tmp_path / "new" / "folders", SPACE, backend=backend) as index:
        assert index.count() == 0


def test_which_backend_a_folder_holds_is_seen_when_it_is_opened(tmp_path: Path) -> None:
    pytest.importorskip("lancedb")
    for backend in ("exact", "lance"):
        gtekit.index.create(tmp_path / backend, SPACE, backend=backend).close()
        with gtekit.index.open(str(tmp_path / backend)) as index:
            assert index.stats().backend == backend
            assert repr(index) == f"<Index {tmp_path / backend}: 0 rows of seeded>"


def test_values_that_are_not_possible_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"backend='faiss'.*lance, exact"):
        gtekit.index.create(tmp_path / "x", SPACE, backend="faiss")  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match=r"vector_dtype='int8'.*float16, float32"):
        gtekit.index.create(tmp_path / "x", SPACE, vector_dtype="int8")  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="vector_dtype"):
        gtekit.index.in_memory(SPACE, vector_dtype="int8")  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="exact_below=-1"):
        gtekit.index.create(tmp_path / "x", SPACE, exact_below=-1)
    for location in ("", None, 5):
        with pytest.raises(ArgumentError, match="location"):
            gtekit.index.create(location, SPACE)  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="a folder or under s3://"):
        gtekit.index.open("gs://bucket/x")
    for model in ("all-MiniLM-L6-v2", None):
        with pytest.raises(ArgumentError, match="pass a loaded model"):
            gtekit.index.create(tmp_path / "x", model)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["", "a b", "1", "a/b", "..", "a..b", ".a", "x.lock", "é", "x" * 65, 5, None])
def test_tags_have_plain_names(name: object) -> None:
    with pytest.raises(ArgumentError):
        gtekit.index.in_memory(SPACE).tag(name)  # type: ignore[arg-type]


@pytest.mark.parametrize("version", [0, -1, True, 1.5, None, "a b", "1"])
def test_versions_are_numbers_or_tags(version: object) -> None:
    with pytest.raises(ArgumentError):
        gtekit.index.in_memory(SPACE).checkout(version)  # type: ignore[arg-type]


def test_queries_of_the_wrong_shape_are_refused() -> None:
    index = gtekit.index.in_memory(SPACE)
    index.upsert(["a"], vectors=unit_vectors(1))
    for bad in (unit_vectors(2), [[1.0]], [], ["a", 1.0], 5.0):
        with pytest.raises((ArgumentError, TypeError)):
            index.search(bad)  # type: ignore[arg-type]
    with pytest.raises(ArgumentError):
        index.search_many(unit_vectors(1)[0])
    with pytest.raises(ArgumentError, match="queries is a generator"):
        index.search_many(query for query in ["a"])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="one str"):
        index.search_many("a text")
    for query in (unit_vectors(1)[0], unit_vectors(1)[0].tolist(), unit_vectors(1)):
        assert index.search(query)[0].id == "a"


def test_rows_can_share_an_index_with_texts_that_were_embedded(minilm: "gtekit.Embedder") -> None:
    index = gtekit.index.in_memory(minilm)
    index.upsert(["a"], ["a cat"])
    index.upsert(["b"], vectors=minilm.encode_document(["a dog"]), fingerprint=minilm.fingerprint)
    assert {hit.id for hit in index.search("animal")} == {"a", "b"}
    with pytest.raises(SpaceError, match="all-MiniLM-L6-v2"):
        index.upsert(["c"], vectors=unit_vectors(1, dimension=384), fingerprint="0" * 64)


def test_wrong_metadata_is_found_before_anything_is_embedded() -> None:
    class NeverAsked:
        name, fingerprint, dimension, precision = SPACE.model, SPACE.fingerprint, DIMENSION, "float32"
        prompts: dict[str, str] = {}  # noqa: RUF012

        def encode_query(self, queries: object) -> np.ndarray:
            raise AssertionError("embedded")

        encode_document = encode_query

    index = gtekit.index.in_memory(NeverAsked())
    bad: list[dict[str, Any]] = [
        {"metadata": [{"a": [1]}]},
        {"metadata": [{}, {}]},
        {"texts": ["a", "b"]},
        {"ids": [""]},
    ]
    for keywords in bad:
        with pytest.raises(ArgumentError):
            index.upsert(**{"ids": ["x"], "texts": ["text"], **keywords})


def test_the_space_of_a_model_is_kept(minilm: "gtekit.Embedder", tmp_path: Path) -> None:
    gtekit.index.create(tmp_path / "x", minilm, backend="exact").close()
    with gtekit.index.open(tmp_path / "x") as index:
        expected = Space(minilm.fingerprint, minilm.name, 384, minilm.precision, dict(minilm.prompts))
        assert index.space == expected


def test_importing_the_index_brings_no_optional_package() -> None:
    script = (
        "import sys, gtekit.index; gtekit.index.in_memory(gtekit.index.Space('f', 'm', 4)).count();"
        "print([name for name in ('lancedb', 'pyarrow', 'sklearn', 'matplotlib') if name in sys.modules])"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("query", [["a", "b"], [[1.0, 0.0], [0.0, 1.0]], unit_vectors(2), [unit_vectors(1)[0]] * 2])
def test_several_queries_are_not_one(query: Any) -> None:
    with (
        gtekit.index.in_memory(SPACE) as index,
        pytest.raises(ArgumentError, match=r"search takes one.*For several: search_many"),
    ):
        index.search(query)


@pytest.mark.parametrize("query", [None, 5, b"bytes", {"a": 1}])
def test_what_is_no_query_is_said(query: Any) -> None:
    with (
        gtekit.index.in_memory(SPACE) as index,
        pytest.raises(ArgumentError, match=f"{type(query).__name__}.*pass a str, or one vector"),
    ):
        index.search(query)


@pytest.mark.parametrize("folder", ["model", "./model", "up/../model"])
def test_the_folder_of_a_model_is_kept_so_that_it_is_found_from_anywhere(
    tmp_path: Path, tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    (tmp_path / "up").mkdir()
    (tmp_path / "model").symlink_to(tiny_checkpoint, target_is_directory=True)
    monkeypatch.chdir(tmp_path)
    with gtekit.index.create("my.index", gtekit.load(folder), backend="exact") as index:
        kept = index.space.model
    monkeypatch.chdir("/")
    with gtekit.index.open(tmp_path / "my.index", gtekit.load(kept)) as index:
        assert index.count() == 0
