"""Does memory grow while a stream of texts is embedded?

    python -m benchmarks.stream --work build/benchmarks/small --out benchmarks/results/small --texts 100000

One process pulls short texts through `encode_stream` in int8 and lets go of the vectors. Its resident set is read twice
a second, so that what a block takes for a moment is seen as well. Runs in gtekit's environment.
"""

import itertools
import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import gtekit
from benchmarks.machine import describe_machine
from benchmarks.measure import Plan, Result, argument_parser, plan_of, say, write_result

WORKLOAD = "queries"
TEXTS = 100_000
EVERY_S = 0.5
WARM_S = 60.0  # buffers reach their size and the allocator its habits; half of the run where it is shorter than two

Sample = tuple[float, float]  # seconds since the start, MiB


def resident_mib() -> float:
    """Give the memory of this process: now, or the most so far where the system tells no more."""
    file = Path("/proc/self/statm")
    if file.is_file():
        return int(file.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    import resource  # not on Windows

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


class Sampler:
    """Reads the memory again and again, on a thread of its own."""

    def __init__(self) -> None:
        self.samples: list[Sample] = []
        self.ended = threading.Event()
        self.begun = time.perf_counter()
        self.thread = threading.Thread(target=self.run)

    def __enter__(self) -> "Sampler":
        self.thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.ended.set()
        self.thread.join()

    def run(self) -> None:
        while not self.ended.wait(EVERY_S):
            self.read()

    def read(self) -> None:
        self.samples.append((time.perf_counter() - self.begun, resident_mib()))


def growth(samples: Sequence[Sample]) -> dict[str, float]:
    """Compare the most memory after the first minute with the most within it."""
    if len(samples) < 2:
        raise SystemExit("the stream was over before its memory could be read twice: give more --texts.")
    warm_s = min(WARM_S, samples[-1][0] / 2)
    first = max([mib for seconds, mib in samples if seconds <= warm_s] or [samples[0][1]])
    later = max(mib for seconds, mib in samples if seconds > warm_s)
    return {"warm_s": warm_s, "peak_warm_mib": first, "peak_later_mib": later, "growth_mib": later - first}


def endless(texts: Sequence[str], count: int) -> Iterator[str]:
    """Give `count` texts, the same ones again and again."""
    return itertools.islice(itertools.cycle(texts), count)


def measure(plan: Plan, texts: int) -> Result:
    """Embed the stream."""
    model = gtekit.load(plan.job.model, precision="int8")
    vectors = 0
    loaded_mib = resident_mib()
    with Sampler() as sampler:
        for block in model.encode_stream(endless(plan.job.texts(WORKLOAD), texts)):
            vectors += len(block)
            sampler.read()
            say(f"stream: {vectors:,} of {texts:,} texts, {resident_mib():.1f} MiB")
    seconds = time.perf_counter() - sampler.begun
    return {
        "texts": vectors,
        "seconds": seconds,
        "texts_per_s": vectors / seconds,
        "loaded_mib": loaded_mib,
        **growth(sampler.samples),
        "samples": [[round(at, 1), round(mib, 2)] for at, mib in sampler.samples],
    }


def main() -> None:
    parser = argument_parser(__doc__ or "", 1)
    parser.add_argument("--texts", type=int, default=TEXTS)
    args = parser.parse_args()
    plan = plan_of(args)
    machine = describe_machine()
    write_result(plan, "stream", machine, measure(plan, args.texts))


if __name__ == "__main__":
    main()
