"""Every choice is measured, and the one that is picked is fast and exact enough."""

from pathlib import Path
from typing import Any

import pytest

import gtekit
from gtekit.bench import Choice, Spread, Tuning, made_source, threads_to_try, tune
from gtekit.bench.tune import choose_best
from gtekit.config import Precision


@pytest.fixture(scope="module")
def tuning(tiny_checkpoint: Path) -> Tuning:
    def load(precision: Precision, threads: int | None) -> gtekit.Embedder:
        return gtekit.load(tiny_checkpoint, precision=precision, threads=threads, language_warning=False)

    return tune(
        load,
        made_source(),
        ["float32", "int8"],
        [1, 2],
        rounds=2,
        seconds=0.4,
        min_cosine=0.9,
        say=lambda _: None,
        batch_tokens=(64, 256),
    )


def test_every_choice_is_measured_and_the_best_is_one_of_them(tuning: Tuning) -> None:
    measured = {(choice.precision, choice.threads, choice.batch_tokens) for choice in tuning.choices}
    assert len(tuning.choices) == len(measured) == 8
    assert tuning.best in tuning.choices
    assert all(choice.query_ms > 0 and choice.tokens_per_s.low > 0 for choice in tuning.choices)


def test_accuracy_belongs_to_the_precision(tuning: Tuning) -> None:
    cosines = {(choice.precision, choice.cosine_mean, choice.cosine_min) for choice in tuning.choices}
    ((_, mean, least),) = (one for one in cosines if one[0] == "int8")
    assert 0.99 < least <= mean < 1
    assert ("float32", 1.0, 1.0) in cosines


def test_the_entry_says_what_the_best_choice_is(tuning: Tuning, tiny_checkpoint: Path) -> None:
    assert tuning.best is not None
    entry = tuning.entry(tuning.best)
    assert entry.model == str(tiny_checkpoint.resolve())
    assert (entry.precision, entry.threads) == (tuning.best.precision, tuning.best.threads)
    assert entry.batch_tokens == tuning.best.batch_tokens
    assert entry.machine == tuning.machine


def choice(speed: float, precision: Precision = "float32", **changes: Any) -> Choice:
    values: dict[str, Any] = {
        "threads": 2,
        "batch_tokens": 256,
        "query_ms": 1.0,
        "cosine_mean": 1.0 if precision == "float32" else 0.9992,
        "cosine_min": 0.99,
    }
    return Choice(precision=precision, tokens_per_s=Spread(speed, speed, speed), **{**values, **changes})


def test_the_fastest_wins_if_it_is_exact_enough() -> None:
    float32, int8 = choice(1000), choice(2000, "int8")
    assert choose_best([float32, int8], 0.999) == int8
    assert choose_best([float32, int8], 0.9995) == float32
    assert choose_best([int8], 0.9995) is None
    assert choose_best([], 0) is None


def test_noise_decides_nothing() -> None:
    float32, int8 = choice(1000), choice(1010, "int8")
    assert choose_best([int8, float32], 0.999) == float32
    one_thread, narrow = choice(1010, threads=1), choice(1015, batch_tokens=64)
    assert choose_best([one_thread, narrow, float32], 0.999) == float32
    assert choose_best([choice(1030, threads=1), float32], 0.999).threads == 1  # type: ignore[union-attr]


def test_large_micro_batches_are_left_out_where_there_is_no_time_and_that_is_said(tiny_checkpoint: Path) -> None:
    said: list[str] = []

    def load(precision: Precision, threads: int | None) -> gtekit.Embedder:
        return gtekit.load(tiny_checkpoint, precision=precision, threads=threads)

    found = tune(load, made_source(), ["float32"], [1], rounds=1, seconds=1e-6, min_cosine=0, say=said.append)
    assert [choice.batch_tokens for choice in found.choices] == [128, 256]
    assert any("512, 1,024 tokens" in line for line in said)


def test_half_of_the_cpus_is_tried_as_well() -> None:
    assert [threads_to_try(most) for most in (1, 2, 3, 16)] == [[1], [1, 2], [1, 3], [8, 16]]
