"""Communities: those of sentence-transformers, and their laws."""

from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gtekit
from benchmarks.classification import read_split
from gtekit.arrays import Floats
from gtekit.cosines import l2_normalize
from gtekit.errors import ArgumentError
from gtekit.tasks.clusters import cluster_vectors, communities
from gtekit.tasks.clusters.communities import choose_threshold, community_labels
from tests.tasks.clusters.blobs import blobs

BANKING77 = Path(__file__).resolve().parents[4] / "shared" / "data" / "mteb" / "Banking77Classification"


def plain(vectors: Floats, threshold: float, min_size: int) -> list[list[int]]:
    """The definition, with all cosines at once and in whole numbers of candidates: what the blocks are held against."""
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, np.inf)
    near = [set(np.flatnonzero(row >= np.float32(threshold)).tolist()) for row in cosines]
    taken: set[int] = set()
    found = []
    for center in sorted(range(len(vectors)), key=lambda row: -len(near[row])):
        members = near[center] - taken
        if center not in taken and len(near[center]) >= min_size and len(members) >= min_size:
            taken |= members
            found.append(sorted(members))
    return sorted(found, key=len, reverse=True)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 6), st.floats(0.2, 0.95), st.integers(2, 8), st.integers(1, 5))
def test_blocks_of_candidates_find_what_the_definition_finds(
    seed: int, groups: int, threshold: float, min_size: int, at_once: int
) -> None:
    vectors, _ = blobs(groups, 14, dimension=6, spread=0.35, seed=seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(import_module("gtekit.tasks.clusters.communities"), "CANDIDATES_AT_ONCE", at_once)
        found = communities(vectors, threshold, min_size)
    expected = plain(vectors, threshold, min_size)
    assert [sorted(members.tolist()) for members in found] == expected


def test_a_community_begins_with_its_central_row_and_goes_on_with_the_nearest() -> None:
    vectors, _ = blobs(3, 25, spread=0.2)
    for members in communities(vectors, 0.6, 5):
        cosines = vectors[members] @ vectors[members[0]]
        assert (cosines >= np.float32(0.6) - 1e-6).all()
        assert (np.diff(cosines[1:]) <= 1e-6).all()


def test_no_row_is_in_two_communities_and_small_ones_are_none() -> None:
    vectors, _ = blobs(6, 15, dimension=6, spread=0.4)
    found = communities(vectors, 0.5, 4)
    rows = np.concatenate(found)
    assert len(rows) == len(set(rows.tolist()))
    assert all(len(members) >= 4 for members in found)
    labels = community_labels(found, len(vectors))
    assert np.count_nonzero(labels >= 0) == len(rows)


def test_copies_of_one_row_are_one_community_even_at_a_threshold_of_1() -> None:
    vectors = np.repeat(blobs(2, 2, seed=3)[0][:1], 12, axis=0)
    assert [members.tolist() for members in communities(vectors, 0.9999, 10)] == [list(range(12))]
    assert communities(np.empty((0, 4), np.float32), 0.5, 2) == []


@pytest.mark.parametrize("min_size", [2, 10, 25])
def test_at_a_chosen_threshold_half_of_the_rows_could_be_a_centre(min_size: int) -> None:
    vectors, _ = blobs(8, 120, spread=0.4)
    sizes = ((vectors @ vectors.T) >= choose_threshold(vectors, min_size)).sum(axis=1)
    assert (sizes >= min_size).mean() == pytest.approx(0.5, abs=0.02)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 30), st.integers(2, 8))
def test_a_chosen_threshold_finds_a_community_wherever_there_are_rows_enough(
    seed: int, rows: int, min_size: int
) -> None:
    vectors = l2_normalize(np.random.default_rng(seed).normal(size=(rows, 5)).astype(np.float32))
    for own in (vectors, np.repeat(vectors[:1], rows, axis=0)):
        assert bool(communities(own, choose_threshold(own, min_size), min_size)) == (rows >= min_size)


@pytest.mark.skipif(not BANKING77.is_dir(), reason=f"needs MTEB's test set in {BANKING77}")
def test_groups_are_found_among_240_real_texts(minilm: gtekit.Embedder) -> None:
    texts, labels = read_split(BANKING77, "test")
    rows = np.random.default_rng(0).permutation(len(texts))[:240]
    found = cluster_vectors(minilm.encode([texts[row] for row in rows]), method="communities")
    assert len(found) >= 3
    assert 0.3 < 1 - found.unassigned / 240 < 0.8
    first = cluster_vectors(minilm.encode(texts[:240]), method="communities")  # eight intents, one after the other
    assert len(first) >= 5
    for one in first.clusters:
        own = [labels[row] for row in np.flatnonzero(first.labels == one.number)]
        assert max(map(own.count, own)) / len(own) > 0.8


def test_what_can_not_be_is_refused() -> None:
    vectors, _ = blobs(3, 20)
    for arguments, message in (((vectors, 2, 5), "threshold=2"), ((vectors, 0.5, 1), "min_size=1")):
        with pytest.raises(ArgumentError, match=message):
            communities(*arguments)
    with pytest.raises(ArgumentError, match=r"vectors\[0\] has the length 2, not 1"):
        communities(2 * vectors, 0.5, 5)
    vectors[3, 0] = np.nan
    with pytest.raises(ArgumentError, match=r"vectors\[3\] holds numbers that are not finite"):
        communities(vectors, 0.5, 5)


@pytest.mark.reference
@pytest.mark.parametrize("threshold", [0.35, 0.5, 0.75])
def test_they_are_those_of_sentence_transformers(threshold: float) -> None:
    util = pytest.importorskip("sentence_transformers.util")
    vectors, _ = blobs(40, 60, dimension=32, spread=0.2)
    theirs = util.community_detection(vectors, threshold=threshold, min_community_size=10)
    ours = communities(vectors, threshold, 10)
    assert [sorted(members.tolist()) for members in ours] == [sorted(members) for members in theirs]
    assert [int(members[0]) for members in ours] == [members[0] for members in theirs]
