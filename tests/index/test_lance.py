"""What only the backend of LanceDB does; what all backends do is in the contract."""

import json
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("lancedb")

from gtekit.cosines import l2_normalize
from gtekit.errors import ArgumentError, VectorIndexError
from gtekit.index.interface import Records
from gtekit.index.lance import LanceBackend, is_lance, upkeep
from gtekit.index.lance.store import Store
from gtekit.index.search import Queries, SearchOptions, search
from tests.index.lance_rows import SPACE, D, many, rows, vectors


def run_all(actions: list[Callable[[], None]]) -> None:
    """Run all at once, and raise what one of them raised."""
    errors: list[BaseException] = []

    def run(action: Callable[[], None]) -> None:
        try:
            action()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(action,)) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def test_an_index_remembers_its_space_and_settings(tmp_path: Path) -> None:
    LanceBackend.create(tmp_path / "index", SPACE, exact_below=77).close()
    opened = LanceBackend.open(tmp_path / "index")
    assert opened.space == SPACE
    assert opened._exact_below == 77


def test_the_space_outlives_new_columns_notes_and_optimize(tmp_path: Path) -> None:
    backend = LanceBackend.create(tmp_path / "index", SPACE)
    backend.upsert(rows(["a"], metadata=[{"page": 1}]))
    backend.write_note("about", {"x": 1})
    backend.write_note("other", {"y": 2})
    backend.optimize()
    opened = LanceBackend.open(tmp_path / "index")
    assert opened.space == SPACE
    assert opened.read_note("about") == {"x": 1}
    assert opened.columns == {"page": "int"}


def test_looking_for_an_index_makes_no_folder(tmp_path: Path) -> None:
    assert not is_lance(tmp_path / "none")
    with pytest.raises(VectorIndexError, match="no index there"):
        LanceBackend.open(tmp_path / "none")
    assert list(tmp_path.iterdir()) == []


def test_a_table_of_another_program_is_refused(tmp_path: Path) -> None:
    import lancedb

    lancedb.connect(tmp_path / "theirs").create_table("rows", [{"id": "a", "vector": [1.0, 2.0]}])
    with pytest.raises(VectorIndexError, match="gtekit has not made"):
        LanceBackend.open(tmp_path / "theirs")


def test_vectors_are_kept_as_asked(tmp_path: Path) -> None:
    for dtype, tolerance in (("float32", 0), ("float16", 2**-11)):
        backend = LanceBackend.create(tmp_path / dtype, SPACE, vector_dtype=dtype)
        backend.upsert(rows(["a"]))
        read = backend.get(["a"]).vectors
        assert read.dtype == np.float32
        assert np.abs(read - vectors(1)).max() <= tolerance
    with pytest.raises(ArgumentError, match="float16, float32"):
        LanceBackend.create(tmp_path / "bytes", SPACE, vector_dtype="int8")


def test_writers_that_put_the_same_new_ids_in_leave_each_once(tmp_path: Path) -> None:
    LanceBackend.create(tmp_path / "index", SPACE).close()

    def write(writer: int) -> None:
        backend = LanceBackend.open(tmp_path / "index")
        for turn in range(8):
            backend.upsert(rows([f"{turn}-{number}" for number in range(20)], seed=writer))

    run_all([lambda writer=writer: write(writer) for writer in range(3)])  # type: ignore[misc]
    ids = [name for batch in LanceBackend.open(tmp_path / "index").scan() for name in batch.ids]
    assert sorted(ids) == sorted({f"{turn}-{number}" for turn in range(8) for number in range(20)})


def test_writers_that_add_the_same_column_at_once_both_succeed(tmp_path: Path) -> None:
    LanceBackend.create(tmp_path / "index", SPACE).close()
    backends = [LanceBackend.open(tmp_path / "index") for _ in range(3)]
    run_all(
        [
            lambda number=number: backends[number].upsert(rows([f"{number}"], metadata=[{"page": number}]))  # type: ignore[misc]
            for number in range(3)
        ]
    )
    records = backends[0].get(["0", "1", "2"])
    assert records.metadata == [{"page": 0}, {"page": 1}, {"page": 2}]


def test_a_reader_that_is_open_sees_what_another_writes(tmp_path: Path) -> None:
    writer = LanceBackend.create(tmp_path / "index", SPACE)
    reader = LanceBackend.open(tmp_path / "index")
    for turn in range(3):
        records = rows([f"a{turn}"], seed=turn)
        writer.upsert(records)
        assert reader.search_vectors(np.asarray(records.vectors, np.float32), 1)[0][0].id == f"a{turn}"


def test_blocks_from_disk_and_the_matrix_in_memory_give_the_same_hits(tmp_path: Path) -> None:
    backend = LanceBackend.create(tmp_path / "index", SPACE)
    for first in range(0, 900, 300):  # several fragments
        backend.upsert(rows([f"row{number}" for number in range(first, first + 300)], seed=first))
    backend.delete(ids=["row5", "row700"])
    on_disk = LanceBackend.open(tmp_path / "index", exact_below=0)
    queries = vectors(70, seed=1)
    for where in (None, "id LIKE 'row1%'"):
        in_memory = backend.search_vectors(queries, 7, where)
        assert on_disk.search_vectors(queries, 7, where) == in_memory


def test_words_are_found_right_after_they_were_written(tmp_path: Path) -> None:
    backend = LanceBackend.create(tmp_path / "index", SPACE)
    backend.upsert(rows(["hare", "fox"]))
    assert [hit.id for hit in backend.search_text("foxes", 5)] == ["fox"]  # the stem is the same
    backend.optimize()
    backend.upsert(Records(["fox"], vectors(1), ["a badger"]))
    assert backend.search_text("fox", 5) == []
    assert [hit.id for hit in backend.search_text("badger", 5)] == ["fox"]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "  ",
        "\0",
        '"',
        "'",
        "+fox -hare",
        "fox AND (",
        "text:fox",
        "fox*",
        "^~?:\\/",
        "fox\udcff",
        "😀",
        "the",
        "x" * 9999,
    ],
)
def test_no_character_of_a_query_means_anything(tmp_path: Path, query: str) -> None:
    backend = LanceBackend.create(tmp_path / "index", SPACE)
    backend.upsert(rows(["fox"]))
    assert [hit.id for hit in backend.search_text(query, 5)] == (["fox"] if "fox" in query or query == "the" else [])


def test_long_words_and_words_of_languages_without_spaces_are_found(tmp_path: Path) -> None:
    backend = LanceBackend.create(tmp_path / "index", SPACE)
    key = "0123456789abcdef" * 16
    texts = ["東京都は日本の首都です。", "北京是中国的首都", f"key {key}", "foo_bar-baz v2.3.1"]
    ids = ["tokyo", "beijing", "key", "code"]
    backend.upsert(Records(ids, vectors(4), texts))
    words = ("東京", "日本", "北京", "中国", key, "foo", "foo_bar-baz", "2.3.1")
    found = [[hit.id for hit in backend.search_text(word, 5)] for word in words]
    assert found == [["tokyo"], ["tokyo"], ["beijing"], ["beijing"], ["key"], ["code"], ["code"], ["code"]]
    assert {hit.id for hit in backend.search_text("首都", 5)} == {"tokyo", "beijing"}


@pytest.mark.slow
def test_no_cosine_is_beyond_one(tmp_path: Path) -> None:
    some = np.zeros((400, D), np.float32)
    some[:, :5] = np.random.default_rng(0).uniform(0.3, 0.6, size=(400, 5))
    some = l2_normalize(some)
    kept = some.astype(np.float16).astype(np.float32)
    longest = some[np.argsort((kept * some).sum(1))[-20:]]
    assert ((longest.astype(np.float16).astype(np.float32) * longest).sum(1) > 1).all()  # or this tests nothing
    backend = LanceBackend.create(tmp_path / "index", SPACE, exact_below=300)
    backend.upsert(Records([str(number) for number in range(400)], some, ["word"] * 400))
    in_blocks = backend.search_vectors(longest, 1)
    backend.optimize()
    by_graph = backend.search_vectors(longest, 1)
    in_memory = LanceBackend.open(tmp_path / "index", exact_below=1000).search_vectors(longest, 1)
    options = SearchOptions(top_k=5, mode="hybrid", where=None, text_weight=0.5, diversity=0)
    hybrid = search(backend, Queries(["word"] * 20, longest), options)
    for hits in (*in_blocks, *by_graph, *in_memory, *hybrid):
        assert all(hit.vector_score is not None and hit.vector_score <= 1 for hit in hits)


def test_words_without_texts_are_refused(tmp_path: Path) -> None:
    backend = LanceBackend.create(tmp_path / "index", SPACE)
    assert backend.search_text("fox", 5) == []
    backend.upsert(Records(["a"], vectors(1)))
    with pytest.raises(ArgumentError, match="no row has a text"):
        backend.search_text("fox", 5)


def test_writers_and_two_that_optimize_get_along(tmp_path: Path) -> None:
    LanceBackend.create(tmp_path / "index", SPACE, exact_below=300).upsert(many(600))

    def write() -> None:
        backend = LanceBackend.open(tmp_path / "index")
        for turn in range(10):
            backend.upsert(rows([f"new{turn}-{number}" for number in range(10)]))
            backend.delete(ids=[f"row{turn}"])

    def optimize() -> None:
        backend = LanceBackend.open(tmp_path / "index")
        for _ in range(3):
            backend.optimize()

    run_all([write, optimize, optimize])
    opened = LanceBackend.open(tmp_path / "index")
    ids = [name for batch in opened.scan() for name in batch.ids]
    assert len(ids) == len(set(ids)) == 690
    assert opened.verify() == []


def test_nothing_that_was_acknowledged_is_left_to_the_operating_system_to_write(tmp_path: Path) -> None:
    backend = LanceBackend.create(tmp_path / "index", SPACE)
    backend.upsert(rows(["a"]))
    backend.tag("first")
    assert backend._disk.sync() == []
    Store(str(tmp_path / "index")).open_table().delete("id = 'a'")  # past the backend: not synced
    assert backend._disk.sync() != []


@pytest.mark.parametrize("name", ["a b", "a#b", "a%20b", "a?b", "é 日本", "a+b&c", "a:b"])
def test_a_folder_may_have_any_name(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    LanceBackend.create(tmp_path / name, SPACE).upsert(rows(["a"]))
    assert [path.name for path in tmp_path.iterdir()] == [name]
    monkeypatch.chdir(tmp_path)
    assert LanceBackend.open(name).get(["a"]).ids == ["a"]
    assert LanceBackend.open(name).verify() == []


def test_optimize_drops_old_versions_and_keeps_tagged_ones(tmp_path: Path) -> None:
    backend = LanceBackend.create(tmp_path / "index", SPACE)
    for turn in range(4):
        backend.upsert(rows([f"a{turn}"]))
    backend.tag("kept")
    upkeep.optimize(Store(str(tmp_path / "index")), 1000, kept_for=timedelta(milliseconds=1))
    for turn in range(4):
        backend.upsert(rows([f"b{turn}"]))
    upkeep.optimize(Store(str(tmp_path / "index")), 1000, kept_for=timedelta(milliseconds=1))
    assert backend.checkout("kept").count() == 4
    assert backend.count() == 8


def test_optimize_without_tags_drops_all_old_versions(tmp_path: Path) -> None:
    backend = LanceBackend.create(tmp_path / "index", SPACE)
    for turn in range(4):
        backend.upsert(rows([f"a{turn}"]))
    first = backend.versions()[0].number
    upkeep.optimize(Store(str(tmp_path / "index")), 1000, kept_for=timedelta(milliseconds=1))
    assert first not in [version.number for version in backend.versions()]
    with pytest.raises(VectorIndexError, match="no version"):
        backend.checkout(first)
    assert backend.count() == 4


def test_a_former_state_is_read_only_and_has_the_columns_of_its_time(tmp_path: Path) -> None:
    backend = LanceBackend.create(tmp_path / "index", SPACE)
    backend.upsert(rows(["a"], metadata=[{"page": 1}]))
    backend.tag("then")
    backend.upsert(rows(["b"], metadata=[{"author": "x"}]))
    then = backend.checkout("then")
    assert then.columns == {"page": "int"}
    for write in (
        lambda: then.upsert(rows(["c"])),
        lambda: then.delete(ids=["a"]),
        lambda: then.write_note("x", {}),
        then.optimize,
    ):
        with pytest.raises(VectorIndexError, match="read only"):
            write()


def test_closing_ends_it(tmp_path: Path) -> None:
    backend = LanceBackend.create(tmp_path / "index", SPACE)
    backend.close()
    for use in (backend.count, lambda: backend.upsert(rows(["a"]))):
        with pytest.raises(VectorIndexError, match="was closed"):
            use()


def test_what_is_not_a_space_is_refused(tmp_path: Path) -> None:
    import lancedb
    import pyarrow as pa

    about = {"format": 99, "space": {}, "exact_below": 1}
    schema = pa.schema([pa.field("id", pa.string())], metadata={"gtekit": json.dumps(about)})
    lancedb.connect(tmp_path / "later").create_table("rows", schema=schema)
    with pytest.raises(VectorIndexError, match="of format 99"):
        LanceBackend.open(tmp_path / "later")
