"""The library in this process, beside which the server is measured: same checkpoint, precision, threads and texts."""

import itertools
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

import gtekit
from benchmarks.job import MIXED, Job
from benchmarks.serving.wire import Texts
from gtekit.config import Precision

QUERIES = "queries"


@dataclass(frozen=True, slots=True)
class Library:
    """A loaded model and what it makes of the texts."""

    model: gtekit.Embedder
    queries: Texts  # short ones
    mixed: Texts

    def bulk_seconds(self, texts: Texts) -> float:
        """Time one call with all texts."""
        begun = time.perf_counter()
        self.model.encode(list(texts.texts), on_truncation="ignore")
        return time.perf_counter() - begun

    def one_by_one(self, count: int) -> list[float]:
        """Time calls with one query each, one after the other, in seconds."""
        seconds = []
        for text in itertools.islice(itertools.cycle(self.queries.texts), count):
            begun = time.perf_counter()
            self.model.encode_one(text)
            seconds.append(time.perf_counter() - begun)
        return seconds

    def calls_per_s(self, threads: int, seconds: float) -> float:
        """Count the calls with one query each that so many threads get done at once."""
        queries, counts = itertools.cycle(self.queries.texts), [0] * threads
        stop = time.perf_counter() + seconds

        def work(index: int) -> None:
            while time.perf_counter() < stop:
                self.model.encode_one(next(queries))
                counts[index] += 1

        workers = [threading.Thread(target=work, args=(index,)) for index in range(threads)]
        begun = time.perf_counter()
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        return sum(counts) / (time.perf_counter() - begun)


def load_library(job: Job, precision: Precision) -> Library:
    """Load the model and embed the texts."""
    model = gtekit.load(job.model, precision=precision, language_warning=False)
    return Library(model, *(make_texts(model, job.texts(name)) for name in (QUERIES, MIXED)))


def make_texts(model: gtekit.Embedder, texts: Sequence[str]) -> Texts:
    """Embed texts and count their tokens, as the server is to do."""
    tokens = [min(count, model.max_tokens) for count in model.count_tokens(texts)]
    return Texts(texts, tokens, model.encode(texts, on_truncation="ignore"))


def load_libraries(job: Job) -> dict[str, Library]:
    """Load the model in both precisions."""
    return {"int8": load_library(job, "int8"), "float32": load_library(job, "float32")}
