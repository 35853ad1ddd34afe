"""What every backend has to do with rows: take them, replace them, refuse them, give them back."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gtekit.errors import ArgumentError, FileFormatError, ShapeError, SpaceError, TextTypeError
from tests.index.places import SPACE, Place, everything, ids_of, put, unit_vectors

if TYPE_CHECKING:
    pass

HOSTILE = [
    "plain",
    "it's",
    '"quoted"',
    "back`tick",
    "a\0b",
    "a\0",
    "line\nend\r\n",
    "'; DROP TABLE rows; --",
    "100% _ \\",
    "日本語 😀 é e\u0301",
    " ",
    "x" * 512,
    "../../etc/passwd",
    "NULL",
]


class RowContract:
    """Rows in and out."""

    examples = 15  # of a property that makes indexes

    def test_an_empty_index_answers_with_nothing(self, place: Place) -> None:
        with place.create() as index:
            assert index.search(unit_vectors(1)[0]) == []
            assert index.search_many(unit_vectors(3)) == [[], [], []]
            assert index.search_many([]) == []
            assert (index.count(), len(index), list(index.scan()), list(index.get(["a"]).ids)) == (0, 0, [], [])
            assert index.delete(["a"]) == 0
            index.upsert([], [])
            index.optimize()
            assert index.verify() == []
            assert index.to_arrow().read_all().num_rows == 0
            assert bool(index)

    def test_rows_come_back_as_they_were_put_in(self, place: Place) -> None:
        vectors = unit_vectors(3)
        with place.create() as index:
            metadata: list[dict[str, Any]] = [{"n": 1, "x": 0.5, "s": "é", "b": True}, {}, {"n": None, "b": False}]
            index.upsert(["a", "b", "c"], ["one", "", "three"], vectors, metadata)
            found = index.get(["c", "missing", "a", "b"])
            assert list(found.ids) == ["c", "a", "b"]
            assert found.vectors.dtype == np.float32
            np.testing.assert_allclose(found.vectors, vectors[[2, 0, 1]], atol=place.max_abs_diff)
            assert list(found.texts or []) == ["three", "one", ""]
            assert [dict(row) for row in found.metadata or []] == [{"b": False}, metadata[0], {}]
            assert everything(index) == {"a": ("one", metadata[0]), "b": ("", {}), "c": ("three", {"b": False})}
            assert index.columns == {"n": "int", "x": "float", "s": "string", "b": "bool"}
            stats = index.stats()
            assert (stats.rows, stats.has_text) == (3, place.has_words)
            assert dict(stats.columns) == dict(index.columns)

    def test_rows_of_vectors_alone_have_no_text(self, place: Place) -> None:
        with place.create() as index:
            index.upsert(["a"], vectors=unit_vectors(1))
            index.upsert(["b", "c"], ["text", None], unit_vectors(2))
            assert everything(index) == {"a": (None, {}), "b": ("text", {}), "c": (None, {})}
            assert {hit.id: hit.text for hit in index.search(unit_vectors(1)[0])} == {"a": None, "b": "text", "c": None}

    def test_vectors_are_normalized(self, place: Place) -> None:
        vectors = unit_vectors(3)
        with place.create() as index:
            index.upsert(["a", "b", "c"], vectors=vectors * np.array([[1e30], [1e-30], [7]], np.float32))
            np.testing.assert_allclose(index.get(["a", "b", "c"]).vectors, vectors, atol=place.max_abs_diff)
            assert index.search(vectors[1] * np.float32(1e-30))[0].score == pytest.approx(1, abs=place.max_abs_diff)
            assert index.verify() == []

    def test_an_upsert_replaces_whole_rows(self, place: Place) -> None:
        with place.create() as index:
            put(index)
            index.upsert(["3", "new"], ["other", "text"], unit_vectors(2, seed=9), [{"m": "x"}, {}])
            assert index.count() == 6
            assert everything(index)["3"] == ("other", {"m": "x"})
            assert ids_of(index.search(unit_vectors(2, seed=9)[0], top_k=1)) == ["3"]
            assert index.search(unit_vectors(5)[3], top_k=1)[0].score < 0.99

    @pytest.mark.parametrize("value", HOSTILE)
    def test_any_text_can_be_id_text_metadata_and_filter(self, place: Place, value: str) -> None:
        quoted = "'" + value.replace("'", "''") + "'"
        with place.create() as index:
            index.upsert([value, "other"], [value, "b"], unit_vectors(2), [{"s": value}, {"s": "b"}])
            assert everything(index)[value] == (value, {"s": value})
            assert list(index.get([value]).ids) == [value]
            assert index.count(f"s = {quoted}") == index.count(f"id = {quoted}") == 1
            assert ids_of(index.search(unit_vectors(2)[1], where=f"s IN ({quoted})")) == [value]
            index.upsert([value], ["again"], unit_vectors(1))
            assert index.count() == 2
            assert index.delete([value]) == 1
            assert list(everything(index)) == ["other"]

    def test_a_text_of_a_megabyte_comes_back(self, place: Place) -> None:
        text = "long 😀\n" * 100_000
        with place.create() as index:
            index.upsert(["a"], [text], unit_vectors(1), [{"s": text}])
            assert everything(index) == {"a": (text, {"s": text})}

    def test_names_of_metadata_may_hold_almost_anything(self, place: Place) -> None:
        names = ["Release Year", "größe", "select", "it's", 'a"b', "a/b", "😀", "Name", "n-1", "0"]
        with place.create() as index:
            index.upsert(["a", "b"], vectors=unit_vectors(2), metadata=[dict.fromkeys(names, 1), {}])
            assert everything(index)["a"] == (None, dict.fromkeys(names, 1))
            for name in names:
                assert index.count(f"`{name}` = 1") == 1, name

    def test_any_sequence_of_writes_equals_a_dict(self, place: Place) -> None:
        ids = st.sampled_from([str(number) for number in range(8)])
        upsert = st.tuples(st.just("upsert"), st.lists(ids, unique=True, max_size=6), st.integers(0, 9))
        delete = st.tuples(st.just("delete"), st.lists(ids, max_size=4), st.just(0))
        none = st.lists(ids, max_size=0)
        where = st.tuples(st.just("where"), none, st.integers(0, 9))
        optimize = st.tuples(st.just("optimize"), none, st.just(0))

        @settings(max_examples=self.examples, deadline=None)
        @given(st.lists(upsert | upsert | delete | where | optimize, max_size=8))
        def check(operations: list[tuple[str, list[str], int]]) -> None:
            expected: dict[str, int] = {}
            with place.another().create() as index:
                for kind, ids, value in operations:
                    before = dict(expected)
                    if kind == "upsert":
                        vectors = unit_vectors(8, seed=value)[[int(row_id) for row_id in ids]]
                        index.upsert(ids, [f"t{value}"] * len(ids), vectors, [{"n": value}] * len(ids))
                        expected |= dict.fromkeys(ids, value)
                    elif kind == "delete":
                        expected = {row_id: n for row_id, n in expected.items() if row_id not in ids}
                        assert index.delete(ids) == len(before) - len(expected)
                    elif kind == "where" and "n" in index.columns:
                        expected = {row_id: n for row_id, n in expected.items() if n >= value}
                        assert index.delete(where=f"n < {value}") == len(before) - len(expected)
                    elif kind == "optimize":
                        index.optimize()
                    assert index.count() == len(expected)
                assert everything(index) == {row_id: (f"t{n}", {"n": n}) for row_id, n in expected.items()}
                for row_id, value in expected.items():
                    hits = index.search(unit_vectors(8, seed=value)[int(row_id)], top_k=1)
                    assert hits[0].score == pytest.approx(1, abs=place.max_abs_diff)
                assert index.verify() == []

        check()

    def test_a_column_keeps_the_type_of_its_first_value(self, place: Place) -> None:
        with place.create() as index:
            index.upsert(["a"], vectors=unit_vectors(1), metadata=[{"n": 1, "x": 1.5, "s": "x"}])
            for bad in ({"n": "one"}, {"n": 1.5}, {"x": "1"}, {"s": 1}, {"n": True}):
                with pytest.raises(ArgumentError, match=r"metadata .* of id 'c' is .*this column holds"):
                    index.upsert(["b", "c"], vectors=unit_vectors(2), metadata=[{}, bad])
            assert everything(index) == {"a": (None, {"n": 1, "x": 1.5, "s": "x"})}
            index.upsert(["b"], vectors=unit_vectors(1), metadata=[{"x": 2, "later": True}])
            assert index.columns == {"n": "int", "x": "float", "s": "string", "later": "bool"}
            assert everything(index)["b"] == (None, {"x": 2.0, "later": True})
            assert index.count("later") == index.count("later IS NULL") == 1
            index.upsert(["c", "d"], vectors=unit_vectors(2), metadata=[{"mixed": 1}, {"mixed": 0.5}])
            assert index.columns["mixed"] == "float"

    def test_wrong_rows_are_refused_with_their_place_and_change_nothing(self, place: Place) -> None:
        two = unit_vectors(2)
        bad: list[tuple[type[Exception], str, dict[str, Any]]] = [
            (ArgumentError, r"ids\[1\] is 'a', as ids\[0\] is", {"ids": ["a", "a"], "vectors": two}),
            (ArgumentError, r"ids\[1\] is empty", {"ids": ["a", ""], "vectors": two}),
            (ArgumentError, r"ids\[0\] is a int", {"ids": [1, "a"], "vectors": two}),
            (ArgumentError, r"ids\[1\] has 513 bytes", {"ids": ["a", "x" * 513], "vectors": two}),
            (ArgumentError, r"ids\[0\].*surrogate", {"ids": ["\ud800", "b"], "vectors": two}),
            (ArgumentError, "1 texts for 2 ids", {"ids": ["a", "b"], "vectors": two, "texts": ["x"]}),
            (ArgumentError, "2 vectors for 1 ids", {"ids": ["a"], "vectors": two}),
            (ArgumentError, "1 metadata for 2 ids", {"ids": ["a", "b"], "vectors": two, "metadata": [{}]}),
            (ArgumentError, "needs texts.* or vectors", {"ids": ["a", "b"]}),
            (ArgumentError, "expected a list", {"ids": "ab", "vectors": two}),
            (TextTypeError, r"texts\[1\]", {"ids": ["a", "b"], "vectors": two, "texts": ["x", 1]}),
            (ArgumentError, r"vectors\[1\] .*finite", {"ids": ["a", "b"], "vectors": two * [[1], [np.nan]]}),
            (ArgumentError, r"vectors\[0\] is all zeros", {"ids": ["a", "b"], "vectors": two * [[0], [1]]}),
            (SpaceError, "have 3 dimensions", {"ids": ["a", "b"], "vectors": two[:, :3]}),
            (ShapeError, "expected", {"ids": ["a", "b"], "vectors": [1.0, 2.0]}),
            (ArgumentError, "a list; str, int", {"ids": ["a"], "vectors": two[:1], "metadata": [{"m": [1]}]}),
            (ArgumentError, "must be finite", {"ids": ["a"], "vectors": two[:1], "metadata": [{"m": float("nan")}]}),
            (ArgumentError, "64 bits", {"ids": ["a"], "vectors": two[:1], "metadata": [{"m": 2**63}]}),
            (ArgumentError, "surrogate", {"ids": ["a"], "vectors": two[:1], "metadata": [{"m": "\udc00"}]}),
            *((ArgumentError, "name", {"ids": ["a"], "vectors": two[:1], "metadata": [{name: 1}]})
              for name in ("id", "vector", "text", "_x", "a.b", "a`b", "a\0b", "", "x" * 129, 1)),
        ]  # fmt: skip
        with place.create() as index:
            put(index)
            before = everything(index)
            for error, message, keywords in bad:
                with pytest.raises(error, match=message):
                    index.upsert(**keywords)
            with pytest.raises(ArgumentError, match="ids or where"):
                index.delete()
            with pytest.raises(ArgumentError, match="ids or where"):
                index.delete(["a"], "n = 1")
            assert everything(index) == before

    def test_all_rows_can_be_had_as_arrow_and_files(self, place: Place, tmp_path: Path) -> None:
        import pyarrow.parquet

        with place.create() as index:
            put(index)
            table = index.to_arrow("n >= 1").read_all().sort_by("id")
            assert table.schema.names == ["id", "text", "vector", "n"]
            assert (table["id"].to_pylist(), table["n"].to_pylist()) == (list("1234"), [1, 2, 3, 4])
            assert index.export(tmp_path / "rows.parquet") == 5
            read = pyarrow.parquet.read_table(tmp_path / "rows.parquet").sort_by("id")
            np.testing.assert_allclose(np.stack(read["vector"].to_numpy()), unit_vectors(5), atol=place.max_abs_diff)
            assert read.schema.metadata[b"gtekit.fingerprint"] == SPACE.fingerprint.encode()
            assert index.export(tmp_path / "rows.jsonl", "n < 2") == 2
            lines = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
            assert sorted((row["id"], row["text"], row["n"]) for row in lines) == [
                ("0", "text 0", 0),
                ("1", "text 1", 1),
            ]
            with pytest.raises(FileFormatError, match=r"\.parquet or \.jsonl"):
                index.export(tmp_path / "rows.txt")
