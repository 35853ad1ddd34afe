"""What is refused before any work is done for it, and where the work for the rest begins: lane, thread, memory."""

from bisect import insort
from collections.abc import Mapping
from random import uniform
from typing import TYPE_CHECKING, Final

from gtekit.serving.encoding import EncodeJob, Lane
from gtekit.serving.lane import Lane as LaneQueue
from gtekit.serving.problems import Kind, Problem
from gtekit.serving.throughput import Throughput
from gtekit.serving.tokenizing import working_bytes

if TYPE_CHECKING:
    from gtekit.embedder import Embedder
    from gtekit.serving.metrics import Metrics

URGENT_TOKENS: Final = 512  # of an engine call that passes longer ones (kUrgentTokens of the core)
MOST_INTERACTIVE_TOKENS: Final = 4 * URGENT_TOKENS  # of a request that asks for this lane
QUERY_TEXTS: Final = 16  # more texts are a job, however short they are
CHARS_OF_TOKEN: Final = 4  # of English prose with this vocabulary: a guess for what no tokenizer has seen yet
SMALL_CHARS: Final = 20_000  # larger requests are tokenized on a thread of their own
SMALL_PIECES: Final = 200  # so are those with more pieces: 4 µs each, of Python
UNCOUNTED_CHARS: Final = 65_536  # of a request for whose tokenizing no memory is taken: 24 MB at most, one at a time
LATEST: Final = 1.25  # times the wait that a refused client is told, at most
FLOAT_BYTES: Final = 4


class Admission:
    """The door of a model's queue.

    Args:
        model: Loaded.
        limit: The most tokens that wait in a lane.
        lanes: Both.
        throughput: Says when there is room.
        metrics: Have the memory that is held.
    """

    def __init__(
        self,
        model: "Embedder",
        limit: int,
        lanes: Mapping[Lane, LaneQueue],
        throughput: Throughput,
        metrics: "Metrics",
    ) -> None:
        self._model = model
        self._limit = limit
        self._lanes = lanes
        self._throughput = throughput
        self._metrics = metrics
        self._working: list[int] = []  # bytes that jobs need while they are tokenized, ascending

    def admit(self, job: EncodeJob, chars: int, vectors: int) -> Lane:
        """Take memory for the vectors of a job.

        Returns:
            The lane that it will be in, as far as one can tell before it is tokenized.

        Raises:
            Problem: If its lane is full, or the memory.
        """
        guess = 2 * len(job.texts) + chars // CHARS_OF_TOKEN
        if any(lane.queued_tokens for lane in self._lanes.values()):
            guess = min(guess, self._tokens(job, chars))
        lane = lane_for(job, guess)
        self.check_room(lane, guess)
        if job.lease is not None:
            job.lease.take(vectors * self._model.dimension * FLOAT_BYTES)
        return lane

    def check_room(self, lane: Lane, tokens: int) -> None:
        """Refuse what does not fit beside what waits. One job alone always fits: it is served in parts.

        Raises:
            Problem: OVERLOADED, with the time after which there is room.
        """
        queued = self._lanes[lane].queued_tokens
        if queued and queued + tokens > self._limit:
            room = self._throughput.seconds_for(queued + min(tokens, self._limit) - self._limit)
            wait = max(room, 0.1) * uniform(1, LATEST)  # so that not all who are refused come back at once
            raise Problem(
                Kind.OVERLOADED,
                f"{queued:,} tokens wait already, and with about {tokens:,} of this request they would be more than "
                f"the {self._limit:,} of --max-queue-tokens. At the speed of now there is room in {wait:.1f} s.",
                retry_after_s=wait,
            )

    def take_working(self, job: EncodeJob, chars: int) -> int:
        """Take memory for tokenizing a large job, and say how much. What small ones need is no matter.

        One large job of a model is tokenized at a time: all that wait hold what the largest of them needs.

        Raises:
            Problem: If the memory is full.
        """
        if job.lease is None or chars <= UNCOUNTED_CHARS:
            return 0
        size = working_bytes(self._model.tokenizer, job.texts, job.prompt)
        more = max(size - self._most_working, 0)
        job.lease.check(more)
        self._metrics.held_bytes += more
        insort(self._working, size)
        return size

    def give_back_working(self, size: int) -> None:
        """Give back what `take_working` has taken."""
        before = self._most_working
        self._working.remove(size)
        self._metrics.held_bytes -= before - self._most_working

    @property
    def _most_working(self) -> int:
        return self._working[-1] if self._working else 0

    def is_quick(self, job: EncodeJob, chars: int) -> bool:
        """Tell whether tokenizing takes a few milliseconds, also where every character is a token."""
        if job.truncation != "chunk" and job.pieces is None:
            return chars <= SMALL_CHARS
        return chars <= min(SMALL_CHARS, SMALL_PIECES * max(self._most_tokens(job) - 2 - len(job.prompt), 1))

    def _tokens(self, job: EncodeJob, chars: int) -> int:
        """Guess how many tokens of a job will be read: what is cut off does not count."""
        if job.truncation == "chunk" or job.pieces is not None:
            return 2 * len(job.texts) + chars // CHARS_OF_TOKEN
        most, prompt = self._most_tokens(job), len(job.prompt)
        return sum(min(2 + (prompt + len(text)) // CHARS_OF_TOKEN, most) for text in job.texts)

    def _most_tokens(self, job: EncodeJob) -> int:
        return min(job.max_tokens or self._model.max_tokens, self._model.max_tokens)


def lane_for(job: EncodeJob, tokens: int) -> Lane:
    """Choose by size, and as the client says; a long job can't call itself a query."""
    if job.lane == "bulk":
        return "bulk"
    if job.lane == "interactive":
        return "interactive" if tokens <= MOST_INTERACTIVE_TOKENS else "bulk"
    return "interactive" if tokens <= URGENT_TOKENS and len(job.texts) <= QUERY_TEXTS else "bulk"
