"""What every backend has to keep: versions, notes, spaces; over time, for other processes and threads."""

import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from gtekit.errors import ArgumentError, SpaceError, VectorIndexError
from gtekit.index import Space
from tests.index.places import DIMENSION, SPACE, Place, everything, ids_of, put, unit_vectors

if TYPE_CHECKING:
    import gtekit


class LifeContract:
    """What lies between a write and a later read."""

    def test_versions_can_be_gone_back_to(self, place: Place) -> None:
        with place.create() as index:
            put(index)
            first = index.versions()[-1].number
            index.tag("five")
            index.delete(["0", "1"])
            index.upsert(["new"], vectors=unit_vectors(1, seed=5))
            numbers = [version.number for version in index.versions()]
            assert numbers == sorted(set(numbers))
            assert index.stats().version == numbers[-1] > first
            assert [version.tags for version in index.versions() if version.tags] == [("five",)]
            for version in ("five", first):
                former = index.checkout(version)
                assert (former.count(), former.is_read_only, set(everything(former))) == (5, True, set("01234"))
                assert ids_of(former.search(unit_vectors(5)[0], top_k=1)) == ["0"]
                for write in (lambda: former.delete(["2"]), former.optimize, lambda: put(former)):  # noqa: B023
                    with pytest.raises(VectorIndexError, match="read only"):
                        write()
                former.close()
            index.optimize()
            assert index.checkout("five").count() == 5
            assert index.count() == 4
            index.tag("five")
            assert index.checkout("five").count() == 4
            with pytest.raises(VectorIndexError, match="no version"):
                index.checkout("never")
            with pytest.raises(VectorIndexError, match="no version"):
                index.checkout(10_000)

    def test_a_tag_can_be_taken_away(self, place: Place) -> None:
        with place.create() as index:
            put(index)
            index.tag("one")
            index.tag("two")
            index.untag("one")
            assert [version.tags for version in index.versions() if version.tags] == [("two",)]
            assert index.checkout("two").count() == 5
            with pytest.raises(VectorIndexError, match="no version"):
                index.checkout("one")
            with pytest.raises(VectorIndexError, match=r"no tag 'one'.*two"):
                index.untag("one")
            with pytest.raises(VectorIndexError, match="read only"):
                index.checkout("two").untag("two")
            index.tag("one")
            assert index.verify() == []

    def test_verify_looks_at_one_state_while_another_writes(self, place: Place) -> None:
        stop = threading.Event()
        written = threading.Event()

        def write() -> None:
            for number in range(1_000_000):
                if stop.is_set():
                    return
                writer.upsert([f"new {number}", "same"], vectors=unit_vectors(2))
                writer.delete([f"new {number - 2}"])
                if number % 5 == 4:
                    writer.optimize()
                writer.tag("moves")
                written.set()

        with place.create() as index:
            put(index, 50)
            writer = index if place.location is None else place.open()
            thread = threading.Thread(target=write)
            thread.start()
            try:
                for _ in range(4):
                    written.clear()
                    assert index.verify() == []
                    assert written.wait(30), "nothing was written"
            finally:
                stop.set()
                thread.join()
            writer.close()

    def test_notes_are_kept(self, place: Place) -> None:
        with place.create() as index:
            assert index.read_note("plan") is None
            index.write_note("plan", {"a": [1, "é"], "b": {"c": None}})
            index.write_note("plan", {"a": 2})
            assert index.read_note("plan") == {"a": 2}
            with pytest.raises(ArgumentError, match="JSON"):
                index.write_note("plan", {"a": object()})
            with pytest.raises(ArgumentError, match="no name for a note"):
                index.write_note("../x", {})

    def test_what_was_written_is_there_when_it_is_opened_again(self, place: Place) -> None:
        if place.location is None:
            pytest.skip("in memory")
        with place.create(Space("b" * 64, "mine", DIMENSION, "int8", {"document": "passage: "})) as index:
            put(index)
            index.tag("kept")
            index.write_note("plan", {"a": 1})
        with place.open() as index:
            assert everything(index) == {str(n): (f"text {n}", {"n": n}) for n in range(5)}
            assert index.space == Space("b" * 64, "mine", DIMENSION, "int8", {"document": "passage: "})
            assert index.columns == {"n": "int"}
            assert index.checkout("kept").count() == 5
            assert index.read_note("plan") == {"a": 1}
            put(index, 6)
            assert index.count() == 6

    def test_an_index_is_made_once(self, place: Place) -> None:
        if place.location is None:
            pytest.skip("in memory")
        with place.create() as index:
            put(index)
        with pytest.raises(VectorIndexError, match="an index already"):
            place.create()
        from gtekit.index import create

        with create(place.location, SPACE, backend=place.backend, exist_ok=True) as index:  # type: ignore[arg-type]
            assert index.count() == 5
        with pytest.raises(SpaceError, match="built with the model 'seeded'"):
            create(place.location, Space("c" * 64, "other", DIMENSION), exist_ok=True)

    def test_two_that_have_it_open_see_each_others_writes(self, place: Place) -> None:
        if place.location is None:
            pytest.skip("in memory")
        with place.create() as one, place.open() as other:
            put(one)
            assert other.count() == 5
            assert ids_of(other.search(unit_vectors(5)[4], top_k=1)) == ["4"]
            other.delete(["4"])
            assert one.count() == 4
            assert ids_of(one.search(unit_vectors(5)[4], top_k=1)) != ["4"]
            one.optimize()
            put(other)
            assert one.count() == 5

    def test_a_closed_index_says_so(self, place: Place) -> None:
        index = place.create()
        index.close()
        index.close()
        with pytest.raises(VectorIndexError, match="was closed"):
            index.count()
        assert "closed" in repr(index)

    def test_threads_search_while_one_writes(self, place: Place) -> None:
        failures: list[BaseException] = []
        is_done = threading.Event()

        def search() -> None:
            try:
                while not is_done.is_set():
                    hits = index.search(unit_vectors(20)[3], top_k=1)
                    assert ids_of(hits) == ["3"]
            except BaseException as error:  # told to the test
                failures.append(error)

        with place.create() as index:
            put(index, 20)
            threads = [threading.Thread(target=search) for _ in range(2)]
            for thread in threads:
                thread.start()
            for number in range(6):
                put(index, 20)
                index.upsert([f"new {number}"], vectors=-unit_vectors(20)[3:4])
            index.optimize()
            is_done.set()
            for thread in threads:
                thread.join()
        assert failures == []

    @pytest.mark.slow
    def test_two_processes_read_while_one_writes(self, place: Place) -> None:
        if place.location is None:
            pytest.skip("in memory")
        command = [sys.executable, "-m", "tests.index.read_whole_writes", place.location]
        with place.create() as index:
            ids = [str(number) for number in range(30)]
            index.upsert(ids, vectors=unit_vectors(30), metadata=[{"n": 0}] * 30)
            readers = [
                subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)
            ]
            for reader in readers:
                assert reader.stdout is not None
                assert reader.stdout.readline() == "ready\n"
            for number in range(1, 16):
                index.upsert(ids, vectors=unit_vectors(30, seed=number), metadata=[{"n": number}] * 30)
                if number % 5 == 0:
                    index.optimize()
            for reader in readers:
                output, _ = reader.communicate("stop\n")
                assert reader.returncode == 0, output
                assert int(output) >= 2, "no reader has seen more than one state; was it too slow?"

    def test_a_model_of_another_space_is_refused(self, place: Place, minilm: "gtekit.Embedder") -> None:
        with place.create(Space("d" * 64, "another-model", 384)) as index:
            with pytest.raises(SpaceError, match=r"'another-model'.*fingerprint e+\b.*gtekit.load\('another-model'\)"):
                index.upsert(["a"], vectors=unit_vectors(1, dimension=384), fingerprint="e" * 64)
            index.upsert(["a"], vectors=unit_vectors(1, dimension=384), fingerprint="d" * 64)
        if place.location is not None:
            with pytest.raises(SpaceError, match=r"built with the model 'another-model'.*all-MiniLM-L6-v2.*was given"):
                place.open(minilm)
