"""The graph: what it finds, how much of the exact answer, and what becomes of it as rows come and go."""

import threading
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("lancedb")

from gtekit.index.interface import Records
from gtekit.index.lance import LanceBackend, approximate
from gtekit.index.lance.notes import read_note
from gtekit.index.lance.store import Store
from tests.index.lance_rows import SPACE, best, many, rows, vectors


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


@pytest.mark.slow
def test_recall_is_measured_again_once_the_graph_has_other_rows(tmp_path: Path) -> None:
    backend = LanceBackend.create(tmp_path / "index", SPACE, exact_below=300)
    backend.upsert(many(600))

    def noted() -> object:
        backend.optimize()
        note = read_note(backend._snapshot().schema, "recall")
        assert note is not None
        return note["extent"], note["measured"]

    first = noted()
    assert noted() == first
    backend.delete(ids=["row0"])
    assert noted() == first  # so few that it still holds
    backend.upsert(rows([f"row{number}" for number in range(100, 200)], seed=3))  # as many rows as before
    second = noted()
    assert second != first
    backend.delete(where="n >= 500")
    assert noted() != second


def test_a_graph_has_a_part_for_each_250_000_rows() -> None:
    assert [approximate.partitions_for(rows) for rows in (1, 250_000, 250_001, 1_000_000)] == [1, 1, 2, 4]


@pytest.mark.slow
def test_all_parts_of_a_graph_are_looked_at_also_when_rows_have_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(approximate, "PARTITION_ROWS", 300)
    backend = LanceBackend.create(tmp_path / "index", SPACE, exact_below=300)
    backend.upsert(many(1200))
    for _ in range(2):
        backend.optimize()
        recall = backend.stats().recall
        assert recall is not None
        assert recall.settings["partitions"] == 4
        assert recall.recall >= 0.99
        backend.delete(where="n >= 500")
    assert backend.count() == 500


def test_the_graph_goes_when_few_rows_are_left(tmp_path: Path) -> None:
    backend = LanceBackend.create(tmp_path / "index", SPACE, exact_below=300)
    backend.upsert(many(600))
    backend.optimize()
    backend.delete(where="n >= 200")
    backend.optimize()
    stats = backend.stats()
    assert (stats.search, stats.recall, stats.rows) == ("exact", None, 200)
