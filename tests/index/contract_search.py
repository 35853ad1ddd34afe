"""What every backend has to find: by vector, by words, among the rows that a filter lets through."""

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gtekit.errors import ArgumentError, SpaceError, TextTypeError
from tests.index.filter_cases import ROWS, Case, cases
from tests.index.places import Place, ids_of, put, unit_vectors

if TYPE_CHECKING:
    import gtekit


class SearchContract:
    """Vectors, words and filters."""

    examples = 15  # of a property that makes indexes
    filters = 150  # drawn for one index

    def test_hits_are_ranked_and_carry_their_row(self, place: Place) -> None:
        with place.create() as index:
            put(index, 20)
            hits = index.search(unit_vectors(20)[7], top_k=5)
            assert hits[0].id == "7"
            assert (hits[0].text, dict(hits[0].metadata)) == ("text 7", {"n": 7})
            assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
            assert all(hit.vector_score == hit.score and hit.text_score is None for hit in hits)
            assert len(index.search(unit_vectors(1)[0], top_k=1000)) == 20

    def test_search_equals_brute_force(self, place: Place) -> None:
        @settings(max_examples=self.examples, deadline=None)
        @given(st.integers(1, 60), st.integers(1, 70), st.integers(0, 2**32 - 1), st.booleans())
        def check(count: int, top_k: int, seed: int, is_optimized: bool) -> None:
            vectors = unit_vectors(count, seed)
            queries = unit_vectors(3, seed + 1)
            with place.another().create() as index:
                half = count // 2
                ids = [str(number) for number in range(count)]
                index.upsert(ids[:half], vectors=vectors[:half])
                index.upsert(ids[half:], vectors=vectors[half:])
                if is_optimized:
                    index.optimize()
                kept = np.asarray(index.get(ids).vectors, np.float64)
                for query, hits in zip(queries, index.search_many(queries, top_k=top_k), strict=True):
                    assert len(hits) == len({hit.id for hit in hits}) == min(top_k, count)
                    cosines = kept @ query
                    best = np.sort(cosines)[::-1][: len(hits)]
                    np.testing.assert_allclose([hit.score for hit in hits], best, atol=1e-5)
                    own = [cosines[int(hit.id)] for hit in hits]
                    np.testing.assert_allclose([hit.score for hit in hits], own, atol=1e-5)

        check()

    def test_filters_equal_plain_python(self, place: Place) -> None:
        with place.create() as index:
            metadata = [{name: value for name, value in row.items() if name != "id"} for row in ROWS]
            ids = [row["id"] for row in ROWS]
            index.upsert(ids, vectors=unit_vectors(len(ROWS)), metadata=metadata)

            @settings(max_examples=self.filters, deadline=None)
            @given(cases())
            def check(case: Case) -> None:
                where, meaning = case
                expected = {row["id"] for row in ROWS if meaning(row)}
                assert index.count(where) == len(expected)
                assert set(ids_of(index.search(unit_vectors(1)[0], top_k=50, where=where))) == expected

            check()
            assert sorted(row_id for records in index.scan("n > 0", 2) for row_id in records.ids) == [
                row["id"] for row in sorted(ROWS, key=lambda row: row["id"]) if row.get("n", 0) > 0
            ]

    def test_a_filter_that_cannot_be_read_is_refused_and_deletes_nothing(self, place: Place) -> None:
        with place.create() as index:
            put(index)
            for where in ("n >", "m = 1", "n = 'x'", "n = 1; DROP TABLE x", "1=1", "", "n = 1 OR", "id"):
                for ask in (index.count, index.scan, lambda where: index.search(unit_vectors(1)[0], where=where)):
                    with pytest.raises(ArgumentError, match="filter, character"):
                        ask(where)
                with pytest.raises(ArgumentError, match="filter, character"):
                    index.delete(where=where)
            with pytest.raises(ArgumentError, match=r"no column 'm'; there are: id, n"):
                index.count("m = 1")
            assert index.count() == 5

    def test_wrong_searches_are_refused(self, place: Place) -> None:
        query = unit_vectors(1)[0]
        with place.create() as index:
            put(index)
            for keywords in ({"top_k": 0}, {"mode": "words"}, {"text_weight": 2}, {"diversity": -1}, {"top_k": 1.5}):
                with pytest.raises(ArgumentError, match=next(iter(keywords))):
                    index.search(query, **keywords)
            with pytest.raises(SpaceError, match="query has 3 dimensions"):
                index.search(query[:3])
            with pytest.raises(ArgumentError, match="zeros"):
                index.search(query * 0)
            with pytest.raises(ArgumentError, match=r"gtekit\.load\('seeded'\)"):
                index.search("a text")
            with pytest.raises(ArgumentError, match="the query is a vector"):
                index.search(query, mode="hybrid")

    def test_diversity_makes_room_for_what_is_different(self, place: Place) -> None:
        base = unit_vectors(3)
        near = base[0] + 0.05 * unit_vectors(4, seed=3)
        with place.create() as index:
            index.upsert(list("abcdef"), vectors=np.concatenate([near, base[0:1] + base[1:2], base[2:3]]))
            plain = ids_of(index.search(base[0], top_k=2))
            diverse = index.search(base[0], top_k=2, diversity=0.5)
            assert set(plain) <= set("abcd")
            assert diverse[0].id == plain[0]
            assert diverse[1].id not in "abcd"

    def test_words_are_found_or_refused(self, place: Place) -> None:
        with place.create() as index:
            texts = ["the cat sat on a mat", "dogs bark at night", "a night train to Lisbon"]
            index.upsert(["cat", "dog", "train"], texts, unit_vectors(3), [{"n": 1}, {"n": 2}, {"n": 3}])
            if not place.has_words:
                with pytest.raises(ArgumentError, match="backend='lance'"):
                    index.search("cat", mode="text")
                return
            hits = index.search("night", mode="text")
            assert set(ids_of(hits)) == {"dog", "train"}
            assert all(hit.score == hit.text_score > 0 and hit.vector_score is None for hit in hits)  # type: ignore[operator]
            assert ids_of(index.search("night", mode="text", where="n = 3")) == ["train"]
            for query in (
                "",
                " ",
                "'",
                '"',
                "night AND",
                "+night -dogs",
                "(",
                "night~2",
                "a:b",
                "\\",
                "?*",
                "\0",
                "😀",
            ):
                index.search(query, mode="text")
            index.upsert(["late"], ["a zeppelin at noon"], unit_vectors(1, seed=4))
            assert ids_of(index.search("zeppelin", mode="text")) == ["late"]
            index.optimize()
            assert ids_of(index.search("zeppelin", mode="text")) == ["late"]
            index.delete(["late"])
            assert index.search("zeppelin", mode="text") == []

    def test_texts_and_queries_go_through_the_model(self, place: Place, minilm: "gtekit.Embedder") -> None:
        texts = ["The cat sleeps on the sofa.", "Stock prices fell on Monday.", "How to bake bread with yeast."]
        with place.create(minilm) as index:
            index.upsert(["cat", "stocks", "bread"], texts, metadata=[{"n": 1}, {"n": 2}, {"n": 3}])
            hits = index.search("a pet is resting")
            assert hits[0].id == "cat"
            cosines = minilm.similarity(minilm.encode_query(["a pet is resting"]), minilm.encode_document(texts))[0]
            assert hits[0].score == pytest.approx(float(cosines[0]), abs=place.max_abs_diff)
            assert ids_of(index.search("a pet is resting", where="n > 1", top_k=1)) != ["cat"]
            many = index.search_many(["market", "baking"], top_k=1)
            assert [ids_of(hits) for hits in many] == [["stocks"], ["bread"]]
            with pytest.raises(TextTypeError):
                index.upsert(["x", "y"], ["text", None])
            if place.has_words:
                hits = index.search("yeast", mode="hybrid")
                assert hits[0].id == "bread"
                assert 0 <= hits[-1].score <= hits[0].score <= 1
                assert None not in {hits[0].vector_score, hits[0].text_score}
        if place.location is not None:
            with place.open(minilm) as index:
                assert index.search("a pet is resting", top_k=1)[0].id == "cat"
