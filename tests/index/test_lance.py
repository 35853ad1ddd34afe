"""What only the backend of LanceDB does; what all backends do is in the contract."""

import json
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("lancedb")

from gtekit.arrays import Floats
from gtekit.cosines import l2_normalize
from gtekit.errors import ArgumentError, VectorIndexError
from gtekit.index.interface import Records, Space, Value
from gtekit.index.lance import LanceBackend, approximate, is_lance, upkeep
from gtekit.index.lance.store import Store

D = 32
SPACE = Space("f" * 64, "some-model", D, "int8", {"document": "passage: "})


def vectors(count: int, seed: int = 0) -> Floats:
    return l2_normalize(np.random.default_rng(seed).normal(size=(count, D)).astype(np.float32))


def rows(ids: list[str], seed: int = 0, metadata: list[dict[str, Value]] | None = None) -> Records:
    return Records(ids, vectors(len(ids), seed), [f"the {name} runs" for name in ids], metadata)


def many(count: int, seed: int = 0) -> Records:
    return rows([f"row{number}" for number in range(count)], seed, [{"n": number} for number in range(count)])


def best(records: Records, query: Floats, top_k: int) -> list[str]:
    stored = np.asarray(records.vectors, np.float16).astype(np.float32)
    order = np.argsort(-(stored @ query), kind="stable")[:top_k]
    return [records.ids[row] for row in order]


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


def test_words_without_texts_are_refused(tmp_path: Path) -> None:
    backend = LanceBackend.create(tmp_path / "index", SPACE)
    assert backend.search_text("fox", 5) == []
    backend.upsert(Records(["a"], vectors(1)))
    with pytest.raises(ArgumentError, match="no row has a text"):
        backend.search_text("fox", 5)


def test_an_approximate_index_says_how_much_it_finds(tmp_path: Path) -> None:
    backend = LanceBackend.create(tmp_path / "index", SPACE, exact_below=500)
    records = many(1000)
    backend.upsert(records)
    query = vectors(1, seed=5)
    assert backend.stats().search == "exact"
    assert [hit.id for hit in backend.search_vectors(query, 10)[0]] == best(records, query[0], 10)
    backend.optimize()
    stats = backend.stats()
    assert stats.search.startswith("IVF_HNSW_SQ")
    assert stats.recall is not None
    assert stats.recall.recall >= 0.99
    assert stats.recall.settings["index"] == "IVF_HNSW_SQ"
    assert LanceBackend.open(tmp_path / "index").stats().recall == stats.recall


def test_approximate_hits_have_the_scores_of_exact_ones(tmp_path: Path) -> None:
    backend = LanceBackend.create(tmp_path / "index", SPACE, exact_below=300)
    backend.upsert(many(600))
    backend.optimize()
    queries = vectors(20, seed=5)
    found = backend.search_vectors(queries, 10)
    exact = LanceBackend.open(tmp_path / "index", exact_below=10_000).search_vectors(queries, 10)
    scores = {(place, hit.id): hit.score for place, hits in enumerate(exact) for hit in hits}
    assert sum((place, hit.id) in scores for place, hits in enumerate(found) for hit in hits) > 190
    for place, hits in enumerate(found):
        assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
        for hit in hits:
            assert hit.score == pytest.approx(scores.get((place, hit.id), hit.score), abs=1e-6)


def test_rows_that_the_graph_does_not_have_yet_are_found_and_deleted_ones_are_not(tmp_path: Path) -> None:
    backend = LanceBackend.create(tmp_path / "index", SPACE, exact_below=300)
    backend.upsert(many(600))
    backend.optimize()
    new = rows(["new", "row7"], seed=9)
    backend.upsert(new)
    backend.delete(ids=["row8"])
    query = np.asarray(new.vectors, np.float32)
    assert [hits[0].id for hits in backend.search_vectors(query, 5)] == ["new", "row7"]
    assert backend.stats().unindexed_rows == 2
    old = vectors(600)[7:9]
    found = [hits[0].id for hits in backend.search_vectors(old, 5)]
    assert "row7" not in found
    assert "row8" not in found
    backend.optimize()
    assert backend.stats().unindexed_rows == 0
    assert [hits[0].id for hits in backend.search_vectors(query, 5)] == ["new", "row7"]


def test_a_filter_or_a_large_top_k_takes_nothing_away_from_an_approximate_search(tmp_path: Path) -> None:
    backend = LanceBackend.create(tmp_path / "index", SPACE, exact_below=300)
    records = many(1200)
    backend.upsert(records)
    backend.optimize()
    query = vectors(1, seed=5)
    assert len(backend.search_vectors(query, 1100)[0]) == 1100
    assert len(backend.search_vectors(query, 700)[0]) == 700
    some = Records(records.ids[:40], records.vectors[:40])
    assert [hit.id for hit in backend.search_vectors(query, 10, "n < 40")[0]] == best(some, query[0], 10)


def test_a_graph_with_a_filter_gives_only_rows_that_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gtekit.index.lance.backend.FEW_ROWS", 100)  # so that 600 rows are many
    backend = LanceBackend.create(tmp_path / "index", SPACE, exact_below=300)
    backend.upsert(many(1200))
    backend.optimize()
    found = backend.search_vectors(vectors(10, seed=5), 10, "n < 600")
    assert all(len(hits) == 10 for hits in found)
    assert all(hit.metadata["n"] < 600 for hits in found for hit in hits)  # type: ignore[operator]


def test_answers_are_exact_while_the_graph_is_built(tmp_path: Path) -> None:
    backend = LanceBackend.create(tmp_path / "index", SPACE, exact_below=500)
    records = many(1500)
    backend.upsert(records)
    query = vectors(1, seed=5)
    expected = best(records, query[0], 10)
    builder = threading.Thread(target=backend.optimize)
    builder.start()
    searched = 0
    while builder.is_alive():
        is_exact = backend.stats().search == "exact"
        found = [hit.id for hit in backend.search_vectors(query, 10)[0]]
        if is_exact and backend.stats().search == "exact":
            assert found == expected
            searched += 1
    builder.join()
    assert searched
    assert backend.stats().search != "exact"


def test_recall_is_measured_of_the_graph_that_is_there(tmp_path: Path) -> None:
    backend = LanceBackend.create(tmp_path / "index", SPACE, exact_below=300)
    backend.upsert(many(600))
    table = Store(str(tmp_path / "index")).open_table()
    approximate.build(table, approximate.Settings(1))  # as if killed before it was measured
    assert backend.stats().search.startswith("IVF_HNSW_SQ")
    assert backend.stats().recall is None
    assert len(backend.search_vectors(vectors(1), 5)[0]) == 5
    backend.optimize()
    measured = backend.stats().recall
    assert measured is not None
    backend.optimize()
    assert backend.stats().recall == measured
    table.checkout_latest()
    approximate.build(table, approximate.Settings(1))  # as another program may
    assert backend.stats().recall is None


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


def test_the_graph_goes_when_few_rows_are_left(tmp_path: Path) -> None:
    backend = LanceBackend.create(tmp_path / "index", SPACE, exact_below=300)
    backend.upsert(many(600))
    backend.optimize()
    backend.delete(where="n >= 200")
    backend.optimize()
    stats = backend.stats()
    assert (stats.search, stats.recall, stats.rows) == ("exact", None, 200)


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


def test_a_lost_file_of_an_index_is_found(tmp_path: Path) -> None:
    backend = LanceBackend.create(tmp_path / "index", SPACE, exact_below=300)
    backend.upsert(many(600))
    backend.optimize()
    graph = next(index for index in backend._snapshot().indices if index.name == approximate.NAME)
    file = tmp_path / "index" / "rows.lance" / "_indices" / graph.index_uuid / "index.idx"
    file.write_bytes(file.read_bytes()[:50])
    assert any(str(file) in problem for problem in backend.verify())


def test_what_is_not_a_space_is_refused(tmp_path: Path) -> None:
    import lancedb
    import pyarrow as pa

    about = {"format": 99, "space": {}, "exact_below": 1}
    schema = pa.schema([pa.field("id", pa.string())], metadata={"gtekit": json.dumps(about)})
    lancedb.connect(tmp_path / "later").create_table("rows", schema=schema)
    with pytest.raises(VectorIndexError, match="of format 99"):
        LanceBackend.open(tmp_path / "later")
