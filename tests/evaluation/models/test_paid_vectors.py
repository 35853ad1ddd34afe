"""The file of what has been paid for."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gtekit.arrays import Floats
from gtekit.errors import FileFormatError
from gtekit.evaluation.models.paid_vectors import PaidVectors, open_paid_vectors
from tests.evaluation.models.conftest import OpenModel, ignore
from tests.evaluation.models.embedding_server import EmbeddingServer

SPACE, OTHER = "endpoint:localhost/v1:one", "endpoint:localhost/v1:two"
TEXTS = [f"text {number}" for number in range(1_200)]  # more than one question to the file can name


def vectors_of(count: int) -> Floats:
    return np.random.default_rng(7).standard_normal((count, 16)).astype(np.float32)


def found_in(file: PaidVectors, fingerprint: str, texts: list[str]) -> dict[int, list[float]]:
    return {
        place: vector.tolist()
        for places, vectors in file.find(fingerprint, texts)
        for place, vector in zip(places, vectors, strict=True)
    }


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "paid.sqlite"


@pytest.fixture
def filled(path: Path) -> Path:
    with open_paid_vectors(path) as file:
        file.write(SPACE, TEXTS, vectors_of(len(TEXTS)))
    return path


def test_what_is_written_is_found_again_to_the_last_bit(filled: Path) -> None:
    with open_paid_vectors(filled) as file:
        asked = ["unknown", *reversed(TEXTS)]
        found = found_in(file, SPACE, asked)
        assert sorted(found) == list(range(1, 1_201))
        assert np.array_equal([found[place] for place in range(1, 1_201)], vectors_of(1_200)[::-1])
        assert file.missing(SPACE, asked) == [0]


def test_models_are_apart(filled: Path) -> None:
    with open_paid_vectors(filled) as file:
        assert found_in(file, OTHER, TEXTS) == {}
        assert file.missing(OTHER, TEXTS[:3]) == [0, 1, 2]
        file.write(OTHER, TEXTS[:1], np.ones((1, 3), np.float32))
        assert found_in(file, OTHER, TEXTS) == {0: [1.0, 1.0, 1.0]}
        assert found_in(file, SPACE, TEXTS[:1]) == {0: vectors_of(1_200)[0].tolist()}


def test_the_file_holds_no_text(filled: Path) -> None:
    assert b"text 7" not in filled.read_bytes()


def test_every_request_is_on_the_disk_before_it_counts(filled: Path) -> None:
    with open_paid_vectors(filled) as file:
        ((journal,),) = file._connection.execute("PRAGMA journal_mode").fetchall()
        ((synchronous,),) = file._connection.execute("PRAGMA synchronous").fetchall()
    assert (journal, synchronous) == ("wal", 2)  # 2 is FULL


def test_several_processes_make_and_fill_one_file(path: Path) -> None:
    code = """
import sys, numpy as np
from pathlib import Path
from gtekit.evaluation.models.paid_vectors import open_paid_vectors
for block in range(5):
    with open_paid_vectors(Path(sys.argv[1])) as file:
        file.write("space", [f"{sys.argv[2]} {block} {i}" for i in range(20)], np.ones((20, 4), np.float32))
"""
    workers = [subprocess.Popen([sys.executable, "-c", code, str(path), str(number)]) for number in range(4)]
    assert [worker.wait(60) for worker in workers] == [0, 0, 0, 0]
    with open_paid_vectors(path) as file:
        texts = [f"{number} {block} {i}" for number in range(4) for block in range(5) for i in range(20)]
        assert file.missing("space", texts) == []


def test_a_file_of_something_else_is_not_touched(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("these are notes, and no database of anything\n" * 50)
    database = tmp_path / "other.sqlite"
    connection = sqlite3.connect(database)
    connection.execute("CREATE TABLE photos (name TEXT)")
    connection.close()
    for path, message in ((text, "is damaged, or no file of paid vectors"), (database, "a database of something else")):
        before = path.read_bytes()
        with pytest.raises(FileFormatError, match=message), open_paid_vectors(path):
            pass
        assert path.read_bytes() == before


def test_a_file_of_another_version_is_refused(filled: Path) -> None:
    connection = sqlite3.connect(filled)
    connection.execute("PRAGMA user_version = 2")
    connection.close()
    with pytest.raises(FileFormatError, match="written by another version"), open_paid_vectors(filled):
        pass


def test_a_place_where_nothing_can_be_written_is_told(tmp_path: Path) -> None:
    for path in (tmp_path / "no folder" / "paid.sqlite", tmp_path):
        with pytest.raises(FileFormatError, match=r"can't be used \(unable to open"), open_paid_vectors(path):
            pass


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_a_damaged_file_gives_an_error_or_the_truth(filled: Path, share: float) -> None:
    content = bytearray(filled.read_bytes())
    begin = int(len(content) * share)
    content[begin : begin + 64] = bytes(255 - byte for byte in content[begin : begin + 64])
    filled.write_bytes(content)
    found, message = {}, ""
    try:
        with open_paid_vectors(filled) as file:
            found = found_in(file, SPACE, TEXTS)
    except FileFormatError as error:
        message = str(error)
    assert not message or message.startswith(f"{filled}: is damaged")
    # without a message the bytes lay in free space, or in an index that now misses some
    assert all(vector == vectors_of(1_200)[place].tolist() for place, vector in found.items())


def test_a_bit_of_a_vector_that_changed_is_noticed(filled: Path) -> None:
    content = filled.read_bytes()
    value = vectors_of(1_200)[600].tobytes()
    assert content.count(value) == 1
    filled.write_bytes(content.replace(value, value[:-1] + bytes([value[-1] ^ 1])))
    with open_paid_vectors(filled) as file, pytest.raises(FileFormatError, match="not as it was written"):
        found_in(file, SPACE, TEXTS)


def test_a_file_cut_short_is_told(filled: Path) -> None:
    filled.write_bytes(filled.read_bytes()[: filled.stat().st_size // 2])
    with pytest.raises(FileFormatError, match="is damaged"), open_paid_vectors(filled) as file:
        found_in(file, SPACE, TEXTS)


def test_a_model_asks_only_for_what_it_does_not_have(
    server: EmbeddingServer, open_model: OpenModel, path: Path
) -> None:
    first = open_model(paid_vectors=path)
    before = first.embed(["a", "b", "c"], prompt="", normalize=None, done=ignore)
    assert first.unpaid(["c", "d", "", "a"], prompt="") == ["d", " "]
    assert first.unpaid(["a"], prompt="query: ") == ["query: a"]  # another text
    finished: list[int] = []
    after = open_model(paid_vectors=path).embed(["c", "d", "a"], prompt="", normalize=None, done=finished.append)
    assert server.batches == [["a", "b", "c"], ["d"]]
    assert finished == [2, 3]
    assert np.array_equal(after[[0, 2]], before[[2, 0]])
    again = open_model(paid_vectors=path).embed(["c", "d", "a"], prompt="", normalize=None, done=ignore)
    assert np.array_equal(after, again)
    assert len(server.batches) == 2
