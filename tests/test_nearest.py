"""Exact search is exact: the order and the bits of its answers depend on nothing but the vectors."""

import signal
import subprocess
import sys
import threading
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gtekit import _core
from gtekit import nearest as module
from gtekit.arrays import Array, Floats, Ints
from gtekit.errors import ArgumentError, EngineError, ShapeError
from gtekit.nearest import nearest, pairs_above


def random_vectors(count: int, dimension: int, seed: int) -> Floats:
    rows = np.random.default_rng(seed).standard_normal((count, dimension)).astype(np.float32)
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.float32(1e-12))
    return rows


def is_same(found: tuple[Floats, Ints], expected: tuple[Floats, Ints]) -> bool:
    return np.array_equal(found[0], expected[0]) and np.array_equal(found[1], expected[1])


def all_products(queries: Array, vectors: Array) -> Floats:
    """Every product, as the core sums it: a search that keeps all, put back into the order of the rows."""
    scores, numbers = nearest(queries, vectors, len(vectors))
    products = np.empty_like(scores)
    np.put_along_axis(products, numbers, scores, axis=1)
    return products


def all_pairs(vectors: Array, threshold: float, threads: int | None = None) -> tuple[list[int], list[int], list[float]]:
    blocks = list(pairs_above(vectors, threshold, threads=threads))
    return (
        [row for block in blocks for row in block.left.tolist()],
        [row for block in blocks for row in block.right.tolist()],
        [score for block in blocks for score in block.scores.tolist()],
    )


@settings(max_examples=150, deadline=None)
@given(
    queries=st.integers(0, 40),
    rows=st.integers(1, 700),
    dimension=st.integers(1, 70),
    top_k=st.integers(1, 900),
    half=st.booleans(),
    threads=st.integers(1, 3),
    seed=st.integers(0, 1000),
)
def test_the_best_rows_are_those_of_all_products_in_double_precision(
    queries: int, rows: int, dimension: int, top_k: int, half: bool, threads: int, seed: int
) -> None:
    asked = random_vectors(queries, dimension, seed)
    vectors = random_vectors(rows, dimension, seed + 1).astype(np.float16 if half else np.float32)
    scores, numbers = nearest(asked, vectors, top_k, threads=threads)
    exact = asked.astype(np.float64) @ vectors.astype(np.float64).T
    best = np.sort(exact, axis=1)[:, ::-1][:, :top_k]
    assert scores.shape == numbers.shape == (queries, min(top_k, rows))
    assert scores.dtype == np.float32
    assert numbers.dtype == np.int64
    np.testing.assert_allclose(scores, best, atol=1e-6)
    np.testing.assert_allclose(np.take_along_axis(exact, numbers, axis=1), scores, atol=1e-6)
    assert all(len(set(row)) == len(row) for row in numbers.tolist())


@settings(max_examples=60, deadline=None)
@given(
    values=st.lists(st.integers(-3, 3), min_size=1, max_size=600), top_k=st.integers(1, 50), threads=st.integers(1, 3)
)
def test_of_equal_products_the_earlier_row_comes_first(values: list[int], top_k: int, threads: int) -> None:
    vectors = np.array(values, np.float32)[:, None]
    scores, numbers = nearest(np.ones((3, 1), np.float32), vectors, top_k, threads=threads)
    order = np.argsort(-vectors[:, 0], kind="stable")[:top_k]
    assert numbers.tolist() == [order.tolist()] * 3
    assert scores.tolist() == [vectors[order, 0].tolist()] * 3


@settings(max_examples=60, deadline=None)
@given(
    rows=st.integers(1, 600), dimension=st.integers(1, 50), share=st.floats(0, 1), seed=st.integers(0, 1000),
    half=st.booleans(), threads=st.integers(1, 3),
)  # fmt: skip
def test_a_score_has_the_same_bits_in_any_company(
    rows: int, dimension: int, share: float, seed: int, half: bool, threads: int
) -> None:
    queries = random_vectors(30, dimension, seed)
    vectors = random_vectors(rows, dimension, seed + 1).astype(np.float16 if half else np.float32)
    together = all_products(queries, vectors)
    allowed = np.random.default_rng(seed).random(rows) < share
    for some in (slice(0, 1), slice(3, 16), slice(0, 30)):
        scores, numbers = nearest(queries[some], vectors, 7, allowed=allowed, threads=threads)
        assert scores.shape == (len(queries[some]), min(7, allowed.sum()))
        assert np.array_equal(np.take_along_axis(together[some], numbers, axis=1), scores)
        assert allowed[numbers].all()
        expected = np.argsort(np.where(allowed, -together[some], np.inf), axis=1, kind="stable")[:, : scores.shape[1]]
        assert np.array_equal(numbers, expected)


def test_many_threads_and_batches_give_what_one_thread_gives() -> None:
    queries, vectors = random_vectors(600, 48, 1), random_vectors(9_000, 48, 2)
    one = nearest(queries, vectors, 20, threads=1)
    many = nearest(queries, vectors, 20, threads=5)
    alone = nearest(queries[599:], vectors, 20, threads=3)
    assert is_same(one, many)
    assert np.array_equal(one[1][599], alone[1][0])
    assert np.array_equal(one[0][599], alone[0][0])


def test_kernel_sets_find_the_same_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    queries, vectors = random_vectors(20, 100, 1), random_vectors(500, 100, 2)
    found = {}
    for isa in _core.isas():
        monkeypatch.setenv("GTEKIT_ISA", isa)
        found[isa] = nearest(queries, vectors, 10), all_pairs(vectors, 0.3)
    for isa, ((scores, numbers), (left, right, _)) in found.items():
        np.testing.assert_allclose(scores, found["scalar"][0][0], atol=1e-6, err_msg=isa)
        assert np.array_equal(numbers, found["scalar"][0][1]), isa
        assert (left, right) == found["scalar"][1][:2], isa
    monkeypatch.setenv("GTEKIT_ISA", "mmx")
    with pytest.raises(EngineError, match="GTEKIT_ISA='mmx'"):
        nearest(queries, vectors, 10)


def test_what_is_no_number_comes_last_and_infinity_first() -> None:
    vectors = np.array([[np.nan], [1], [np.inf], [np.nan], [-np.inf], [2]], np.float32)
    for stored in (vectors, vectors.astype(np.float16)):
        scores, numbers = nearest(np.ones((1, 1), np.float32), stored, 6)
        assert numbers.tolist() == [[2, 5, 1, 4, 0, 3]]
        assert np.isnan(scores[0, 4:]).all()
        assert nearest(np.ones((1, 1), np.float32), stored, 2)[1].tolist() == [[2, 5]]
    only_nan = np.full((1_000, 1), np.nan, np.float32)
    only_nan[900] = 0.5
    assert nearest(np.ones((1, 1), np.float32), only_nan, 3)[1].tolist() == [[900, 0, 1]]
    assert list(pairs_above(vectors[[0, 3]], -np.inf)) == []


def test_halves_are_what_numpy_takes_them_for(monkeypatch: pytest.MonkeyPatch) -> None:
    every_half = np.arange(1 << 16, dtype=np.uint16).view(np.float16)[:, None]
    finite = every_half[np.isfinite(every_half[:, 0])]
    for isa in _core.isas():
        monkeypatch.setenv("GTEKIT_ISA", isa)
        products = all_products(np.ones((1, 1), np.float16), finite)
        assert np.array_equal(products[0], finite[:, 0].astype(np.float32))


@settings(max_examples=80, deadline=None)
@given(
    rows=st.integers(0, 700), dimension=st.integers(1, 40), threshold=st.floats(-1, 1), half=st.booleans(),
    threads=st.integers(1, 3), seed=st.integers(0, 1000),
)  # fmt: skip
def test_pairs_are_all_that_brute_force_finds_in_order(
    rows: int, dimension: int, threshold: float, half: bool, threads: int, seed: int
) -> None:
    vectors = random_vectors(rows, dimension, seed).astype(np.float16 if half else np.float32)
    products = all_products(vectors, vectors) if rows else np.empty((0, 0), np.float32)
    right, left = np.nonzero(np.tril(products >= np.float32(threshold), -1))
    found = all_pairs(vectors, threshold, threads=threads)
    assert found == (left.tolist(), right.tolist(), products[right, left].tolist())


def test_a_threshold_that_a_product_equals_is_reached() -> None:
    vectors = random_vectors(300, 30, 5)
    some = float(nearest(vectors[:1], vectors[1:], 40)[0][0, 39])
    assert some in all_pairs(vectors, some)[2]


def test_more_pairs_than_a_block_may_have_come_in_smaller_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = np.ones((200, 3), np.float32)
    whole = all_pairs(vectors, 1)
    assert len(whole[0]) == 200 * 199 // 2
    monkeypatch.setattr(module, "MOST_PAIRS", 500)
    blocks = list(pairs_above(vectors, 1))
    assert max(len(block.left) for block in blocks) <= 500
    assert all_pairs(vectors, 1) == whole


def test_progress_counts_rows_up_to_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK_ROWS", 100)
    told: list[int] = []
    list(pairs_above(random_vectors(350, 8, 1), 0.99, report=told.append))
    assert told == [100, 200, 300, 350]
    assert all(a < b for a, b in pairwise(told))


def test_a_memory_mapped_file_is_searched_where_it_lies(tmp_path: Path) -> None:
    vectors = random_vectors(500, 20, 1)
    for stored in (vectors, vectors.astype(np.float16)):
        np.save(tmp_path / "vectors.npy", stored)
        mapped = np.load(tmp_path / "vectors.npy", mmap_mode="r")
        assert is_same(nearest(vectors[:3], mapped, 5), nearest(vectors[:3], stored, 5))
        assert all_pairs(mapped, 0.5) == all_pairs(stored, 0.5)


def test_views_of_any_layout_give_what_their_copies_give() -> None:
    wide = random_vectors(100, 60, 3)
    for view in (wide[:, ::2], wide[::3], np.asfortranarray(wide), wide[::-1]):
        assert is_same(nearest(view[:5], view, 4), nearest(view[:5].copy(), view.copy(), 4))


def test_no_queries_no_rows_and_nothing_allowed_give_empty_answers() -> None:
    vectors = random_vectors(10, 4, 1)
    assert nearest(vectors[:0], vectors, 3)[0].shape == (0, 3)
    assert nearest(vectors, vectors[:0], 3)[1].shape == (10, 0)
    assert nearest(vectors, vectors, 3, allowed=np.zeros(10, bool))[1].shape == (10, 0)
    assert nearest(vectors[:, :0], vectors[:, :0], 2)[1].tolist() == [[0, 1]] * 10


def test_what_does_not_fit_together_is_refused() -> None:
    vectors = random_vectors(10, 4, 1)
    with pytest.raises(ShapeError, match=r"queries have shape \(10, 3\), vectors \(10, 4\)"):
        nearest(vectors[:, :3], vectors, 3)
    with pytest.raises(ShapeError, match=r"queries have shape \(4,\)"):
        nearest(vectors[0], vectors, 3)
    with pytest.raises(ShapeError, match=r"allowed has shape \(9,\); expected \(10,\)"):
        nearest(vectors, vectors, 3, allowed=np.ones(9, bool))
    with pytest.raises(ArgumentError, match="allowed is int64"):
        nearest(vectors, vectors, 3, allowed=np.arange(10))
    with pytest.raises(ArgumentError, match="vectors are float64"):
        nearest(vectors, vectors.astype(np.float64), 3)
    with pytest.raises(ArgumentError, match="vectors are list"):
        pairs_above([[1.0]], 0.5)  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="top_k=0"):
        nearest(vectors, vectors, 0)
    with pytest.raises(ArgumentError, match="threads=0"):
        nearest(vectors, vectors, 1, threads=0)
    with pytest.raises(ArgumentError, match="threshold is NaN"):
        pairs_above(vectors, float("nan"))


def test_ctrl_c_ends_a_long_search() -> None:
    program = (
        "import numpy as np; from gtekit.nearest import nearest\n"
        "x = np.ones((20_000, 256), np.float32)\n"
        "print('begun', flush=True)\n"
        "for _ in range(1000): nearest(x, x, 3)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        timer = threading.Timer(0.2, process.send_signal, [signal.SIGINT])
        timer.start()
        _, errors = process.communicate(timeout=30)
    assert process.returncode != 0
    assert "KeyboardInterrupt" in errors
