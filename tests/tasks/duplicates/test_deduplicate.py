"""Near duplicates: who stays, who goes, and for whom."""

from collections.abc import Iterator
from itertools import islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gtekit
from gtekit.arrays import Floats
from gtekit.cosines import l2_normalize
from gtekit.errors import ArgumentError, ShapeError, SpaceError
from gtekit.tasks.duplicates.deduplicate import Deduplicated, deduplicate, deduplicate_stream, deduplicate_vectors
from gtekit.tasks.pairs.calibration import calibration_for

TEXTS = [
    "How do I reset my password?",
    "The weather in Beijing is fine today.",
    "How can I reset my password?",
    "How do I reset my password?",
    "The weather in Beijing is fine today, they say.",
    "Bread with wild yeast",
]


def drawn(rows: int, dimension: int, seed: int) -> Floats:
    return l2_normalize(np.random.default_rng(seed).normal(size=(rows, dimension)).astype(np.float32))


def test_texts_that_say_the_same_are_found_and_equal_ones_too(minilm: gtekit.Embedder) -> None:
    found = deduplicate(minilm, TEXTS, 0.85)
    assert found.kept.tolist() == [0, 1, 5]
    assert found.duplicate_of.tolist() == [0, 1, 0, 0, 1, 5]
    cosines = gtekit.similarity(minilm.encode(TEXTS), minilm.encode(TEXTS))
    assert np.allclose(found.scores, cosines[np.arange(6), found.duplicate_of], atol=1e-6)
    assert [group.tolist() for group in found.groups] == [[0, 2, 3], [1, 4]]


def test_the_last_or_the_longest_may_stay_instead(minilm: gtekit.Embedder) -> None:
    assert deduplicate(minilm, TEXTS, 0.85, keep="last").duplicate_of.tolist() == [3, 4, 3, 3, 4, 5]
    longest = deduplicate(minilm, TEXTS, 0.85, keep="longest")
    assert longest.duplicate_of.tolist() == [2, 4, 2, 2, 4, 5]
    assert longest.groups[0].tolist() == [2, 0, 3]


@settings(deadline=None)
@given(st.integers(0, 1000), st.integers(0, 60), st.floats(0.2, 0.99))
def test_kept_vectors_are_far_apart_and_dropped_ones_near_what_stands_for_them(
    seed: int, rows: int, threshold: float
) -> None:
    vectors = drawn(rows, 4, seed)
    found = deduplicate_vectors(vectors, threshold)
    cosines = vectors @ vectors.T
    among_kept = cosines[np.ix_(found.kept, found.kept)]
    assert (among_kept[np.triu_indices(len(found.kept), 1)] < threshold + 1e-5).all()
    dropped = np.setdiff1d(np.arange(rows), found.kept)
    assert (cosines[dropped, found.duplicate_of[dropped]] > threshold - 1e-5).all()
    assert np.isin(found.duplicate_of, found.kept).all()
    assert (found.duplicate_of[dropped] < dropped).all()


def test_another_order_is_that_of_rows_put_in_this_order() -> None:
    vectors = drawn(80, 4, 3)
    order = np.random.default_rng(4).permutation(80)
    found = deduplicate_vectors(vectors, 0.8, order=order)
    moved = deduplicate_vectors(vectors[order], 0.8)
    assert sorted(order[moved.kept].tolist()) == found.kept.tolist()
    assert found.duplicate_of[order].tolist() == order[moved.duplicate_of].tolist()
    assert found.scores[order].tolist() == moved.scores.tolist()


def test_components_join_what_greedy_keeps_apart() -> None:
    angles = np.array([0.0, 0.3, 0.6])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    assert deduplicate_vectors(vectors, 0.95).duplicate_of.tolist() == [0, 0, 2]
    assert deduplicate_vectors(vectors, 0.95, method="components").duplicate_of.tolist() == [0, 0, 0]


def test_vectors_in_a_file_give_the_same(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("vectors") / "vectors.npy"
    np.save(path, drawn(200, 6, 5))
    mapped = np.load(path, mmap_mode="r")
    order = np.arange(200)[::-1]
    for one, other in (
        (deduplicate_vectors(mapped, 0.8), deduplicate_vectors(np.array(mapped), 0.8)),
        (deduplicate_vectors(mapped, 0.8, order=order), deduplicate_vectors(np.array(mapped), 0.8, order=order)),
    ):
        assert one.duplicate_of.tolist() == other.duplicate_of.tolist()


def test_no_texts_and_no_vectors_are_no_error(minilm: gtekit.Embedder) -> None:
    for found in (
        deduplicate(minilm, [], 0.9),
        deduplicate(minilm, [], 0.9, keep="last", method="components"),
        deduplicate_vectors(np.empty((0, 3), np.float32), 0.9),
    ):
        assert isinstance(found, Deduplicated)
        assert len(found.kept) == len(found.duplicate_of) == len(found.groups) == 0
    assert list(deduplicate_stream(minilm, [], 0.9)) == []


@pytest.mark.parametrize("block_texts", [1, 2, 100])
def test_a_stream_gives_what_the_whole_keeps(minilm: gtekit.Embedder, block_texts: int) -> None:
    given_out = list(deduplicate_stream(minilm, iter(TEXTS), 0.85, block_texts=block_texts))
    assert given_out == [TEXTS[row] for row in deduplicate(minilm, TEXTS, 0.85).kept]


def test_a_stream_may_never_end(minilm: gtekit.Embedder) -> None:
    def forever() -> Iterator[str]:
        number = 0
        while True:
            yield TEXTS[number % 2]
            yield f"number {number}: {'word ' * (number % 7)}"
            number += 1

    found = list(islice(deduplicate_stream(minilm, forever(), 0.95, block_texts=4), 5))
    assert found[0] == TEXTS[0]
    assert len(set(found)) == 5


def test_the_default_threshold_is_that_of_the_model_s_own_calibration(minilm: gtekit.Embedder) -> None:
    expected = calibration_for(minilm).threshold(0.95)
    assert deduplicate(minilm, TEXTS).threshold == expected


def test_without_a_calibration_a_threshold_has_to_be_given(tiny_checkpoint: str) -> None:
    model = gtekit.load(tiny_checkpoint)
    for call in (deduplicate, deduplicate_stream):
        with pytest.raises(SpaceError, match="gtekit pairs fit"):
            call(model, TEXTS)


@pytest.mark.parametrize("wrong", [{"keep": "best"}, {"method": "both"}, {"threshold": 2.0}])
def test_values_that_are_not_possible_are_refused(minilm: gtekit.Embedder, wrong: dict[str, object]) -> None:
    with pytest.raises(ArgumentError, match="is not possible"):
        deduplicate(minilm, TEXTS, **{"threshold": 0.9, **wrong})  # type: ignore[arg-type]


def test_an_order_that_names_a_row_twice_is_refused() -> None:
    with pytest.raises(ShapeError, match="each of the 3 rows once"):
        deduplicate_vectors(drawn(3, 3, 0), 0.9, order=np.array([0, 0, 1]))
