"""The exact backend: the contract in memory and in folders, and what folders promise beside it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import gtekit.index
from gtekit.errors import VectorIndexError
from gtekit.files import lock_folder
from gtekit.index.exact import folder as folder_module
from gtekit.index.exact.backend import ExactBackend
from gtekit.index.exact.durable import read_json, write_json
from tests.index.contract import Contract
from tests.index.places import DIMENSION, SPACE, Place, everything, ids_of, put, unit_vectors


class TestInMemory(Contract):
    """Vectors as float32."""

    examples = 100

    @pytest.fixture
    def place(self) -> Place:
        return Place(None, max_abs_diff=1e-5)


class TestFolder(Contract):
    """Vectors as float16."""

    @pytest.fixture
    def place(self, tmp_path: Path) -> Place:
        return Place(str(tmp_path / "exact.index"))


class TestFolderOfFloat32(Contract):
    """Vectors as float32."""

    @pytest.fixture
    def place(self, tmp_path: Path) -> Place:
        return Place(str(tmp_path / "exact.index"), options={"vector_dtype": "float32"}, max_abs_diff=1e-5)


@pytest.fixture
def location(tmp_path: Path) -> Path:
    """A folder of five rows with texts, one of them deleted, and a tag."""
    location = tmp_path / "exact.index"
    with gtekit.index.create(location, SPACE, backend="exact") as index:
        put(index)
        index.tag("five")
        index.delete(["4"])
    return location


def files_of(location: Path) -> list[str]:
    return sorted(str(path.relative_to(location)) for path in location.rglob("*") if path.is_file())


FILES = [
    "current.json",
    "gtekit-index.json",
    "segments/00000002-0.rows.jsonl",
    "segments/00000002-0.texts.jsonl",
    "segments/00000002-0.vectors.npy",
    "tags.json",
    "versions/00000003.json",
]


def test_a_folder_holds_what_is_said_at_its_top(location: Path) -> None:
    former = ["versions/00000001.json", "versions/00000002.json"]
    assert files_of(location) == sorted([*FILES, *former, "lock"])


def spoil(path: Path, damage: str) -> None:
    data = path.read_bytes()
    changed = bytearray(data)
    changed[len(data) * 2 // 3] ^= 1
    if damage == "removed":
        path.unlink()
    else:
        path.write_bytes({"cut": data[:-7], "emptied": b"", "flipped": bytes(changed)}[damage])


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", ["cut", "emptied", "removed", "flipped"])
def test_damage_is_found_and_the_file_named(location: Path, name: str, damage: str) -> None:
    spoil(location / name, damage)
    if (name, damage) == ("gtekit-index.json", "removed"):
        with pytest.raises(VectorIndexError, match="no index"):
            gtekit.index.open(location)
        return
    problems: list[str] = []
    try:
        with gtekit.index.open(location) as index:
            problems = index.verify()
    except VectorIndexError as error:
        problems = [str(error)]
    assert any(Path(name).name in problem for problem in problems), problems


@pytest.mark.parametrize("name", ["notes/plan.json", "versions/00000002.json"])  # the tag is of version 2
@pytest.mark.parametrize("damage", ["cut", "emptied", "removed", "flipped"])
def test_verify_reads_notes_and_tagged_versions(location: Path, name: str, damage: str) -> None:
    with gtekit.index.open(location) as index:
        index.write_note("plan", {"a": 1})
        index.optimize()
        assert index.verify() == []
        spoil(location / name, damage)
        problems = index.verify()
    if (name, damage) == ("notes/plan.json", "removed"):  # as if it had never been there
        assert problems == []
    else:
        assert any(Path(name).name in problem for problem in problems)


def test_verify_misses_the_newest_version_of_an_index_that_is_open(location: Path) -> None:
    with gtekit.index.open(location) as index:
        (location / "versions" / "00000003.json").unlink()
        assert any("00000003.json: is missing" in problem for problem in index.verify())


def test_a_pickle_in_place_of_vectors_is_not_loaded(location: Path) -> None:
    path = location / FILES[4]
    with path.open("wb") as file:
        np.save(file, np.array([{"a": 1}], object), allow_pickle=True)
    manifest = location / "versions" / "00000003.json"
    content = read_json(manifest)
    content["segments"][0]["files"]["vectors"][0] = path.stat().st_size
    write_json(manifest, content)
    with pytest.raises(VectorIndexError, match="no array of numpy"):
        gtekit.index.open(location)


def test_a_line_that_is_damaged_is_named_when_it_is_read(location: Path) -> None:
    path = location / "segments" / "00000002-0.texts.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"text 2"', b'"text 2!'))
    with gtekit.index.open(location) as index:
        assert index.search(unit_vectors(5)[1], top_k=1)[0].text == "text 1"
        with pytest.raises(VectorIndexError, match=r"texts.jsonl, line 3: is damaged"):
            index.search(unit_vectors(5)[2], top_k=1)


def test_an_index_of_a_later_format_is_refused(location: Path) -> None:
    header = read_json(location / "gtekit-index.json")
    write_json(location / "gtekit-index.json", {**header, "format": 2})
    with pytest.raises(VectorIndexError, match=r"format 2.*reads 1.*later gtekit"):
        gtekit.index.open(location)


def test_a_second_writer_is_refused_and_may_read(location: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_module, "LOCK_WAIT_S", 0.05)
    with gtekit.index.open(location) as index:
        with lock_folder(location):
            for write in (lambda: put(index), lambda: index.delete(["1"]), index.optimize, lambda: index.tag("x")):
                with pytest.raises(VectorIndexError, match="another process has been writing"):
                    write()
            assert index.count() == 4
            assert ids_of(index.search(unit_vectors(5)[1], top_k=1)) == ["1"]
        put(index)
        assert index.count() == 5


def test_a_writer_waits_for_one_that_is_soon_done(location: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from gtekit.files import lock_folder\n"
        "with lock_folder(Path(sys.argv[1])): print('held', flush=True); time.sleep(0.3)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", script, str(location)]
    with (
        gtekit.index.open(location) as index,
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as other,
    ):
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        put(index)
        assert index.count() == 5


@pytest.mark.skipif(sys.platform == "win32", reason="limits the size of files")
def test_a_full_disk_is_said_and_leaves_the_index_as_it_was(location: Path) -> None:
    script = """
import resource, sys, numpy as np, gtekit.index
from gtekit.errors import VectorIndexError
index = gtekit.index.open(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
vectors = np.random.default_rng(0).normal(size=(20_000, index.space.dimension))
try:
    index.upsert([str(number) for number in range(20_000)], vectors=vectors)
except VectorIndexError as error:
    print(error)
print(index.count(), index.verify())
index.upsert(["small"], vectors=vectors[:1])
print(index.count(), index.verify())
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", script, str(location)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    said, before, after = done.stdout.splitlines()
    assert "can't be written" in said
    assert "disk full" in said
    assert (before, after) == ("4 []", "5 []")
    with gtekit.index.open(location) as index:
        assert index.count() == 5
        index.optimize()
        assert index.verify() == []
    assert sum(path.stat().st_size for path in location.rglob("*.npy")) < 2000  # nothing is left of what failed


def test_many_small_writes_make_few_segments(tmp_path: Path) -> None:
    backend = ExactBackend.in_memory(SPACE, "float32")
    index = gtekit.index.Index(backend, "memory", None)
    vectors = unit_vectors(500)
    for number in range(500):
        index.upsert([str(number)], vectors=vectors[number : number + 1])
    assert len(backend._state().parts) <= 9  # log2(500): each has more than twice the rows of the next
    index.optimize()
    assert len(backend._state().parts) == 1
    assert index.count() == 500
    assert ids_of(index.search(vectors[123], top_k=1)) == ["123"]


def test_optimize_drops_old_versions_and_their_files_and_keeps_tagged_ones(location: Path) -> None:
    (location / "segments" / "00000009-0.vectors.npy").write_bytes(b"of a writer that was killed")
    (location / "segments" / ".00000009-0.vectors.npy.tmp").write_bytes(b"the same")
    (location / "versions" / ".00000009.json.tmp").write_bytes(b"the same")
    with gtekit.index.open(location) as index, gtekit.index.open(location) as reader:
        former = reader.checkout(3)
        index.optimize()
        assert [(version.number, version.tags) for version in index.versions()] == [(2, ("five",)), (4, ())]
        assert files_of(location) == [
            "current.json",
            "gtekit-index.json",
            "lock",
            *(f"segments/{name}.{kind}" for name in ("00000002-0", "00000004-0")
              for kind in ("rows.jsonl", "texts.jsonl", "vectors.npy")),
            "tags.json",
            "versions/00000002.json",
            "versions/00000004.json",
        ]  # fmt: skip
        index.optimize()  # there is nothing left to do
        assert index.versions()[-1].number == 4
        assert index.verify() == []
        assert index.checkout("five").count() == 5
        if sys.platform != "win32":  # what is open stays readable there is no name for it any more
            assert len(everything(former)) == 4
        assert len(everything(reader)) == 4


def test_a_version_that_was_never_acknowledged_is_not_there(location: Path) -> None:
    shutil.copy(location / "versions" / "00000003.json", location / "versions" / "00000004.json")
    with gtekit.index.open(location) as index:
        assert [version.number for version in index.versions()] == [1, 2, 3]
        with pytest.raises(VectorIndexError, match="no version 4"):
            index.checkout(4)
        put(index)
        assert index.checkout(4).count() == 5


def test_a_folder_can_be_moved_and_read_from_elsewhere(location: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(location.parent)
    with gtekit.index.open(location.name) as index:
        monkeypatch.chdir("/")
        assert index.count() == 4
        put(index)
    moved = location.rename(location.parent / "moved")
    with gtekit.index.open(moved) as index:
        assert index.count() == 5
        assert index.verify() == []


def test_verify_finds_vectors_that_have_another_length(location: Path) -> None:
    state_folder = location / "segments"
    vectors = np.load(state_folder / "00000002-0.vectors.npy")
    vectors[1] *= 2
    vectors[2] = np.nan
    np.save(state_folder / "00000002-0.vectors.npy", vectors)
    with gtekit.index.open(location) as index:
        problems = index.verify()
    assert "another checksum" in problems[0]
    assert [problem.split(",")[0] for problem in problems[1:]] == [
        "the vector of id '1' has the length 2",
        "the vector of id '2' has the length nan",
    ]


def test_rows_of_float16_take_half_the_room(tmp_path: Path) -> None:
    sizes = {}
    for dtype in ("float16", "float32"):
        with gtekit.index.create(tmp_path / dtype, SPACE, backend="exact", vector_dtype=dtype) as index:
            index.upsert([str(number) for number in range(1000)], vectors=unit_vectors(1000))
            sizes[dtype] = next((tmp_path / dtype / "segments").glob("*.npy")).stat().st_size - 128
    assert sizes == {"float16": 1000 * DIMENSION * 2, "float32": 1000 * DIMENSION * 4}


def test_verify_looks_at_tagged_versions_too(location: Path) -> None:
    with gtekit.index.open(location) as index:
        index.optimize()
        (location / FILES[3]).write_bytes(b"damaged")
        assert index.count() == 4
        assert [problem.partition(":")[0] for problem in index.verify()] == [str(location / FILES[3])]
