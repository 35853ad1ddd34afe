"""Every sensible choice of precision, threads and micro-batch, measured; the fastest that is exact enough wins."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from statistics import median

from gtekit.bench.measure import Say, encode_bulk, time_queries, token_rate
from gtekit.bench.spread import Spread, cosine_spread, spread_of
from gtekit.bench.texts import Sample, TextSource, choose_sample
from gtekit.config import EncodeOptions, Precision
from gtekit.embedder import Embedder
from gtekit.machine import Machine, this_machine
from gtekit.tuned import Tuned, model_key

BATCH_TOKENS = (128, 256, 512, 1024)
FEWEST_BATCHES = 2  # a thread, of the largest: fewer would leave some threads without work at the end
BULK_SHARE = 0.8  # of the seconds
QUERY_SHARE = 0.1
NOISE = 1.02  # what two measurements of the same thing differ by on a quiet machine

LoadWith = Callable[[Precision, int | None], Embedder]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One way to run the model, with its speed and its accuracy."""

    precision: Precision
    threads: int
    batch_tokens: int
    tokens_per_s: Spread
    query_ms: float  # median of a short query
    cosine_mean: float  # to float32, over the texts
    cosine_min: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """Every choice that was measured, and the best."""

    model: str
    key: str  # the model's name in the file of tuned models
    revision: str | None
    machine: Machine
    source: str
    texts: int
    different_texts: int  # those of a small source come repeatedly
    tokens: int
    rounds: int
    seconds: float  # that it took
    choices: Sequence[Choice]
    best: Choice | None  # None: no choice is exact enough

    def entry(self, best: Choice) -> Tuned:
        """Give what is written down of the best choice."""
        return Tuned(
            model=self.key,
            revision=self.revision,
            machine=self.machine,
            precision=best.precision,
            threads=best.threads,
            batch_tokens=best.batch_tokens,
            tokens_per_s=round(best.tokens_per_s.median, 1),
            query_ms=round(best.query_ms, 3),
            cosine_mean=round(best.cosine_mean, 6),
            cosine_min=round(best.cosine_min, 6),
        )


@dataclass(slots=True)
class _Times:
    bulk_s: dict[tuple[Precision, int, int], list[float]]
    query_s: dict[tuple[Precision, int], list[float]]


def tune(
    load_with: LoadWith,
    source: TextSource,
    precisions: Sequence[Precision],
    threads: Sequence[int],
    *,
    rounds: int,
    seconds: float,
    min_cosine: float,
    say: Say,
    batch_tokens: Sequence[int] = BATCH_TOKENS,
) -> Tuning:
    """Measure every choice and pick one.

    Args:
        load_with: Loads the model in a precision, with so many threads; None: its own choice.
        source: The texts.
        precisions: Those to try.
        threads: Numbers of threads to try.
        rounds: How often each choice is measured.
        seconds: About how long all of it may take.
        min_cosine: A choice whose mean cosine to float32 is below does not count.
        say: Takes a sentence about the progress.
        batch_tokens: Sizes of the micro-batch to try, the large ones if there is time.
    """
    begin = time.perf_counter()
    say("loading")
    exact = load_with("float32", None)
    slice_s = seconds * BULK_SHARE / (rounds * len(precisions) * len(threads) * len(batch_tokens))
    tokens = int(slice_s * token_rate(exact, source))
    affordable = _affordable(batch_tokens, tokens // max(threads), say)
    tokens = max(tokens, FEWEST_BATCHES * max(threads) * max(affordable))
    sample = choose_sample(exact, source, tokens)
    cosines = {precision: _cosines(load_with, precision, exact, sample) for precision in precisions}
    query_s = seconds * QUERY_SHARE / (rounds * len(precisions) * len(threads))
    times = _Times({}, {})
    for number in range(rounds):
        say(f"round {number + 1} of {rounds}: {len(sample.texts):,} texts, {sample.tokens:,} tokens for every choice")
        for precision, count in product(precisions, threads):
            _measure(load_with(precision, count), (precision, count), affordable, sample, query_s, times)
    choices = list(_choices(times, sample, cosines))
    return Tuning(
        model=exact.name,
        key=model_key(exact.name, exact.checkpoint.folder, exact.revision),
        revision=exact.revision,
        machine=this_machine(exact.isa),
        source=source.name,
        texts=len(sample.texts),
        different_texts=len(set(sample.texts)),
        tokens=sample.tokens,
        rounds=rounds,
        seconds=time.perf_counter() - begin,
        choices=choices,
        best=choose_best(choices, min_cosine),
    )


def threads_to_try(most: int) -> list[int]:
    """Half of the CPUs and all of them: where two share a core, half may be as fast."""
    return sorted({max(1, most // 2), most})


def choose_best(choices: Sequence[Choice], min_cosine: float) -> Choice | None:
    """Pick the fastest choice that is exact enough.

    Those within 2 % of it count as equally fast. Of these float32 goes first, then what is nearest to the defaults:
    all threads, and the micro-batch that suits most machines.
    """
    fast = [choice for choice in choices if choice.cosine_mean >= min_cosine]
    highest = max(map(_speed, fast), default=0.0)
    return min((choice for choice in fast if _speed(choice) * NOISE >= highest), key=_surprise, default=None)


def _surprise(choice: Choice) -> tuple[bool, int, float]:
    """Order choices by how far they are from the defaults."""
    distance = abs(math.log(choice.batch_tokens / EncodeOptions().batch_tokens))
    return choice.precision != "float32", -choice.threads, distance


def _affordable(batch_tokens: Sequence[int], thread_tokens: int, say: Say) -> list[int]:
    """Leave out micro-batches that would need longer runs than there is time for, those of a default size never."""
    limit = max(thread_tokens // FEWEST_BATCHES, EncodeOptions().batch_tokens)
    left = [size for size in batch_tokens if size <= limit] or [min(batch_tokens)]
    if out := [f"{size:,}" for size in batch_tokens if size not in left]:
        say(f"not enough time to try micro-batches of {', '.join(out)} tokens: give more seconds, or fewer rounds")
    return left


def _speed(choice: Choice) -> float:
    return choice.tokens_per_s.median


def _cosines(load_with: LoadWith, precision: Precision, exact: Embedder, sample: Sample) -> tuple[float, float]:
    """Threads and micro-batches do not change a bit of a vector: one run tells the accuracy of all of them."""
    if precision == "float32":
        return 1.0, 1.0
    return cosine_spread(encode_bulk(load_with(precision, None), sample.texts), encode_bulk(exact, sample.texts))


def _measure(
    model: Embedder,
    which: tuple[Precision, int],
    batch_tokens: Sequence[int],
    sample: Sample,
    query_s: float,
    times: _Times,
) -> None:
    """Measure one model with each micro-batch. It is loaded for this round alone, so that memory holds few at once."""
    times.query_s.setdefault(which, []).extend(time_queries(model, sample.queries, query_s))
    for budget in batch_tokens:
        encode_bulk(model, sample.texts[: len(sample.texts) // 8 + 1], budget)  # scratch memory grows here
        begin = time.perf_counter()
        encode_bulk(model, sample.texts, budget)
        times.bulk_s.setdefault((*which, budget), []).append(time.perf_counter() - begin)


def _choices(times: _Times, sample: Sample, cosines: dict[Precision, tuple[float, float]]) -> Iterator[Choice]:
    for (precision, threads, budget), bulk_s in times.bulk_s.items():
        mean, least = cosines[precision]
        yield Choice(
            precision=precision,
            threads=threads,
            batch_tokens=budget,
            tokens_per_s=spread_of([sample.tokens / taken for taken in bulk_s]),
            query_ms=median(times.query_s[precision, threads]) * 1e3,
            cosine_mean=mean,
            cosine_min=least,
        )
