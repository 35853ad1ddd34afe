"""Both precisions side by side, in rounds that alternate: what slows the machine for a while slows both."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from gtekit import _core
from gtekit.arrays import Floats
from gtekit.bench.spread import Spread, cosine_spread, spread_of
from gtekit.bench.texts import Sample, TextSource, choose_sample
from gtekit.config import ModelConfig, Precision
from gtekit.embedder import Embedder
from gtekit.engine.native import NativeEngine
from gtekit.machine import Machine, this_machine

LINEAR_PARTS = ("query_key_value", "attention_output", "up", "down")
FIRST_TOKENS = 1_000  # of the run that tells how many tokens fill a slice of time
BULK_SHARE, QUERY_SHARE, CEILING_SHARE, LOAD_SHARE = 0.55, 0.2, 0.05, 0.2  # of the seconds
LONGEST_CEILING_S = 0.3
MOST_LOADS = 3
FEWEST_QUERIES = 4  # in a round

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What one precision does on this machine."""

    precision: Precision
    load_s: Spread
    memory_bytes: int  # weights and scratch memory after the bulk work
    tokens_per_s: Spread
    texts_per_s: Spread
    query_ms: Mapping[str, float]  # p50, p90, p99: from the call to the array
    queries: int
    part_shares: Mapping[str, float]  # of the time of all threads; they sum to 1
    ceiling_per_s: float  # operations of a loop that never leaves the registers, on as many threads
    linear_share: float  # of the ceiling that the linear layers reach while they run
    whole_share: float  # of the ceiling that they reach over the whole call, all else counted as lost


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What was measured, on what, with what."""

    model: str
    revision: str | None
    machine: Machine
    threads: int
    batch_tokens: int
    source: str
    texts: int  # of a bulk run
    tokens: int
    rounds: int
    seconds: float  # that it took
    linear_operations: int  # per token
    measured: Sequence[Measured]
    cosine_mean: float | None  # int8 to float32; None where only one was measured
    cosine_min: float | None


@dataclass(slots=True)
class _Run:
    """One precision while it is measured."""

    model: Embedder
    load_s: list[float]
    bulk_s: list[float] = field(default_factory=list)
    query_s: list[float] = field(default_factory=list)
    ceilings: list[float] = field(default_factory=list)
    embeddings: Floats = field(default_factory=lambda: np.empty((0, 0), np.float32))


def bench(
    load_with: Callable[[Precision], Embedder],
    source: TextSource,
    precisions: Sequence[Precision],
    *,
    rounds: int,
    seconds: float,
    say: Say,
) -> Bench:
    """Measure.

    Args:
        load_with: Loads the model in a precision.
        source: What the bulk work and the queries are taken from.
        precisions: At least one.
        rounds: How often each thing is measured, at least once.
        seconds: About how long all of it may take.
        say: Takes a sentence about the progress.
    """
    begin = time.perf_counter()
    say("loading")
    runs = _load(load_with, precisions, seconds * LOAD_SHARE)
    first = runs[precisions[0]].model
    rates = [token_rate(run.model, source) for run in runs.values()]
    slice_s = seconds * BULK_SHARE / (rounds + 1)  # one more for the parts
    sample = choose_sample(first, source, int(slice_s / sum(1 / rate for rate in rates)))
    query_s = seconds * QUERY_SHARE / rounds / len(runs)
    ceiling_s = min(LONGEST_CEILING_S, seconds * CEILING_SHARE / rounds / len(runs))
    for number in range(rounds):
        say(f"round {number + 1} of {rounds}: {len(sample.texts):,} texts, {sample.tokens:,} tokens")
        for run in runs.values():
            _round(run, sample, query_s, ceiling_s)
    say("the parts of the forward pass")
    measured = [_measured(precision, run, sample) for precision, run in runs.items()]
    mean, least = _cosines(runs)
    return Bench(
        model=first.name,
        revision=first.revision,
        machine=this_machine(first.isa),
        threads=first.threads,
        batch_tokens=first.batch_tokens,
        source=source.name,
        texts=len(sample.texts),
        tokens=sample.tokens,
        rounds=rounds,
        seconds=time.perf_counter() - begin,
        linear_operations=linear_operations(first.checkpoint.config),
        measured=measured,
        cosine_mean=mean,
        cosine_min=least,
    )


def linear_operations(config: ModelConfig) -> int:
    """Count the operations of the linear layers for one token; a multiplication and its addition are two."""
    size, wide = config.hidden_size, config.intermediate_size
    return 2 * config.num_hidden_layers * (4 * size * size + 2 * size * wide)


def encode_bulk(model: Embedder, texts: Sequence[str], batch_tokens: int | None = None) -> Floats:
    """Embed as a bulk job does, without a word about it."""
    budget = model.batch_tokens if batch_tokens is None else batch_tokens
    return model.encode(texts, batch_tokens=budget, on_truncation="ignore", progress=False)


def token_rate(model: Embedder, source: TextSource) -> float:
    """Tell roughly how many tokens the model does in a second, and warm it up."""
    sample = choose_sample(model, source, FIRST_TOKENS)
    encode_bulk(model, sample.texts)
    begin = time.perf_counter()
    encode_bulk(model, sample.texts)
    return sample.tokens / (time.perf_counter() - begin)


def time_queries(model: Embedder, queries: Sequence[str], seconds: float) -> list[float]:
    """Embed one short text after the other for so long, and give the seconds of each call."""
    taken: list[float] = []
    model.encode([queries[0]], on_truncation="ignore", progress=False)
    end = time.perf_counter() + seconds
    while len(taken) < FEWEST_QUERIES or time.perf_counter() < end:
        query = queries[len(taken) % len(queries)]
        begin = time.perf_counter()
        model.encode([query], on_truncation="ignore", progress=False)
        taken.append(time.perf_counter() - begin)
    return taken


def _load(
    load_with: Callable[[Precision], Embedder], precisions: Sequence[Precision], seconds: float
) -> dict[Precision, _Run]:
    """Load each precision up to three times, in turn, as long as the time allows; the last ones are kept.

    The first load of all is not counted: it may wait for the disk, or for a download.
    """
    load_with(precisions[0])
    runs: dict[Precision, _Run] = {}
    end = time.perf_counter() + seconds
    for number in range(MOST_LOADS):
        for precision in precisions:
            earlier = runs.pop(precision).load_s if number else []
            begin = time.perf_counter()
            model = load_with(precision)
            runs[precision] = _Run(model, [*earlier, time.perf_counter() - begin])
        if time.perf_counter() >= end:
            break
    return runs


def _round(run: _Run, sample: Sample, query_s: float, ceiling_s: float) -> None:
    model = run.model
    begin = time.perf_counter()
    run.embeddings = encode_bulk(model, sample.texts)
    run.bulk_s.append(time.perf_counter() - begin)
    run.query_s.extend(time_queries(model, sample.queries, query_s))
    run.ceilings.append(
        _core.measure_ceiling(isa=model.isa, precision=model.precision, threads=model.threads, seconds=ceiling_s)
    )


def _measured(precision: Precision, run: _Run, sample: Sample) -> Measured:
    model, ceiling = run.model, max(run.ceilings)
    parts = _part_seconds(model, sample)
    rates = [sample.tokens / seconds for seconds in run.bulk_s]
    operations = linear_operations(model.checkpoint.config)
    linear_s = sum(parts.get(part, 0.0) for part in LINEAR_PARTS) / model.threads
    p50, p90, p99 = (float(value) * 1e3 for value in np.percentile(run.query_s, (50, 90, 99)))
    total = sum(parts.values()) or 1.0
    return Measured(
        precision=precision,
        load_s=spread_of(run.load_s),
        memory_bytes=model.memory_bytes,
        tokens_per_s=spread_of(rates),
        texts_per_s=spread_of([len(sample.texts) / seconds for seconds in run.bulk_s]),
        query_ms={"p50": p50, "p90": p90, "p99": p99},
        queries=len(run.query_s),
        part_shares={part: seconds / total for part, seconds in parts.items()},
        ceiling_per_s=ceiling,
        linear_share=operations * sample.tokens / max(linear_s, 1e-9) / ceiling,
        whole_share=operations * spread_of(rates).median / ceiling,
    )


def _part_seconds(model: Embedder, sample: Sample) -> dict[str, float]:
    """Run once more with the clocks of the parts on; the other runs had them off."""
    engine = model.engine
    if not isinstance(engine, NativeEngine):
        return {}
    engine.time_parts(True)
    try:
        encode_bulk(model, sample.texts)
        return engine.part_seconds()
    finally:
        engine.time_parts(False)


def _cosines(runs: Mapping[Precision, _Run]) -> tuple[float | None, float | None]:
    if "int8" not in runs or "float32" not in runs:
        return None, None
    return cosine_spread(runs["int8"].embeddings, runs["float32"].embeddings)
