"""What a measurement says hangs together; how fast the machine is, no test asks."""

from pathlib import Path

import numpy as np
import pytest

import gtekit
from gtekit.bench import Bench, bench, made_source
from gtekit.bench.measure import linear_operations, time_queries
from gtekit.bench.spread import Spread, cosine_spread, spread_of
from gtekit.checkpoint.seeded import seeded_config
from gtekit.engine.native import NativeEngine


def test_both_precisions_are_measured_on_the_same_texts(measured: Bench, tiny_checkpoint: Path) -> None:
    assert [one.precision for one in measured.measured] == ["float32", "int8"]
    assert (measured.model, measured.threads, measured.rounds) == (str(tiny_checkpoint), 2, 2)
    assert measured.batch_tokens == 256
    assert measured.tokens > measured.texts > 0
    assert measured.machine.kernels in gtekit._core.isas()


def test_shares_and_percentiles_hang_together(measured: Bench) -> None:
    for one in measured.measured:
        assert sum(one.part_shares.values()) == pytest.approx(1)
        assert {"query_key_value", "attention", "up", "down"} <= set(one.part_shares)
        assert one.query_ms["p50"] <= one.query_ms["p90"] <= one.query_ms["p99"]
        assert one.queries >= 8
        assert one.tokens_per_s.low <= one.tokens_per_s.median <= one.tokens_per_s.high
        assert one.ceiling_per_s > 0
        assert one.whole_share > 0
        assert one.linear_share > 0
        assert one.memory_bytes > 0
    float32, int8 = measured.measured
    assert float32.part_shares["quantize"] == 0 < int8.part_shares["quantize"]


def test_the_cosine_is_that_of_int8_to_float32(measured: Bench) -> None:
    assert measured.cosine_mean is not None
    assert measured.cosine_min is not None
    assert 0.99 < measured.cosine_min <= measured.cosine_mean < 1


def test_one_precision_alone_has_nothing_to_be_compared_with(tiny_checkpoint: Path) -> None:
    said: list[str] = []
    found = bench(
        lambda precision: gtekit.load(tiny_checkpoint, precision=precision),
        made_source(),
        ["int8"],
        rounds=1,
        seconds=0.05,
        say=said.append,
    )
    assert [one.precision for one in found.measured] == ["int8"]
    assert (found.cosine_mean, found.cosine_min) == (None, None)
    assert any(line.startswith("round 1 of 1") for line in said)


def test_the_clocks_of_the_parts_are_off_afterwards(tiny_checkpoint: Path) -> None:
    model = gtekit.load(tiny_checkpoint)
    bench(lambda _: model, made_source(), ["float32"], rounds=1, seconds=0.05, say=lambda _: None)
    assert isinstance(model.engine, NativeEngine)
    before = model.engine.part_seconds()
    model.encode(["some text"])
    assert model.engine.part_seconds() == before


def test_operations_of_the_linear_layers_are_counted_from_the_shape() -> None:
    # gte-small: 12 layers of 4 * 384 * 384 + 2 * 384 * 1536 weights
    assert linear_operations(seeded_config("small")) == 2 * 21_233_664


def test_queries_are_timed_at_least_a_few_times(tiny_checkpoint: Path) -> None:
    taken = time_queries(gtekit.load(tiny_checkpoint), ["a", "b"], 0)
    assert len(taken) == 4
    assert min(taken) > 0


def test_spreads() -> None:
    assert spread_of([3, 1, 2]) == Spread(2, 1, 3)
    rows = np.eye(2, 4, dtype=np.float32)
    assert cosine_spread(rows, rows) == (1, 1)
    assert cosine_spread(rows * 5, np.array([[1, 0, 0, 0], [1, 0, 0, 0]], np.float32)) == (0.5, 0)
