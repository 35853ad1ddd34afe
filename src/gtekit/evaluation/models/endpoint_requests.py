"""Many texts in requests that a server takes: cut beforehand, halved when refused, several at once where asked for."""

from collections.abc import Callable, Iterator, Sequence
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import TypeAlias

from gtekit.arrays import Floats
from gtekit.evaluation.models.endpoint_server import RefusedError

Piece: TypeAlias = tuple[range, Floats]  # which texts, and their vectors
BYTES_PER_TOKEN = 2  # English has more than 4, Chinese 2 to 3: a request is rather too small than refused
LOOK_S = 0.2  # between two looks for Ctrl-C: on Windows nothing interrupts a wait


def plan_requests(texts: Sequence[str], *, batch_size: int, batch_tokens: int) -> list[range]:
    """Cut texts into requests.

    Args:
        texts: In their order.
        batch_size: Texts in a request, at most.
        batch_tokens: Tokens in a request, at most, estimated high from bytes. A longer text has a request of its own.

    Returns:
        The places of the texts of each request; together they are all places, in order.
    """
    requests = []
    start, tokens = 0, 0
    for place, text in enumerate(texts):
        more = len(text.encode()) // BYTES_PER_TOKEN + 1
        if place > start and (place - start == batch_size or tokens + more > batch_tokens):
            requests.append(range(start, place))
            start, tokens = place, 0
        tokens += more
    if start < len(texts):
        requests.append(range(start, len(texts)))
    return requests


class Sender:
    """Sends texts in requests; one that the server refuses is sent again in halves.

    So a server that takes fewer texts or tokens at once than was planned costs a few refused requests, and of texts
    among which one is too long the others are answered and that one is found. A refused request is not paid for.
    """

    def __init__(self, ask: Callable[[Sequence[str]], Floats], texts: Sequence[str], batch_size: int) -> None:
        self._ask = ask
        self._texts = texts
        self.batch_size = batch_size  # of texts, as far as is known by now

    def pieces(self, places: range) -> Iterator[Piece]:
        """Give the vectors of the texts in these places, in one piece or several.

        Raises:
            RefusedError: If the server refuses a single text; `place` says which.
            EndpointError: If it does not answer, or not as it should.
        """
        if len(places) > self.batch_size:
            step = self.batch_size
            for start in range(places.start, places.stop, step):
                yield from self.pieces(range(start, min(start + step, places.stop)))
            return
        try:
            vectors = self._ask(self._texts[places.start : places.stop])
        except RefusedError as refusal:
            if len(places) == 1:
                refusal.place = places.start
                raise
            self.batch_size = min(self.batch_size, len(places) // 2)
        else:
            yield places, vectors
            return
        yield from self.pieces(places)


def send_all(
    pieces: Callable[[range], Iterator[Piece]],
    requests: Sequence[range],
    take: Callable[[Piece], None],
    parallel: int,
) -> None:
    """Send requests and take what is answered, in this thread, as it comes.

    After an error no new request begins, those on their way are waited for and taken, and then it is raised. Ctrl-C
    waits for nothing: what has been answered by then is taken.
    """
    if parallel == 1:
        for request in requests:
            for piece in pieces(request):
                take(piece)
        return
    crew = _Crew(pieces, requests)
    crew.start(min(parallel, len(requests)))
    try:
        while crew.workers:
            _take_next(crew, take, LOOK_S)
    except BaseException:
        crew.stop.set()
        while not crew.answers.empty():
            _take_next(crew, take, 0)
        raise
    if crew.errors:
        raise crew.errors[0]


def _take_next(crew: "_Crew", take: Callable[[Piece], None], wait_s: float) -> None:
    try:
        answer = crew.answers.get(timeout=wait_s)
    except Empty:
        return
    if answer is None:
        crew.workers -= 1
    elif isinstance(answer, BaseException):
        crew.stop.set()
        crew.errors.append(answer)
    else:
        take(answer)


class _Crew:
    """Threads that send requests; they are daemons, so that a program can end while a server keeps one waiting."""

    def __init__(self, pieces: Callable[[range], Iterator[Piece]], requests: Sequence[range]) -> None:
        self.answers: SimpleQueue[Piece | BaseException | None] = SimpleQueue()  # None: a thread has ended
        self.errors: list[BaseException] = []
        self.stop = Event()
        self.workers = 0
        self._pieces = pieces
        self._waiting: SimpleQueue[range] = SimpleQueue()
        for request in requests:
            self._waiting.put(request)

    def start(self, count: int) -> None:
        self.workers = count
        for number in range(count):
            Thread(target=self._work, name=f"gtekit-endpoint-{number}", daemon=True).start()

    def _work(self) -> None:
        try:
            while not self.stop.is_set():
                for piece in self._pieces(self._waiting.get_nowait()):
                    self.answers.put(piece)
                    if self.stop.is_set():
                        break
        except Empty:
            pass
        except BaseException as error:  # handed to the thread that waits
            self.answers.put(error)
        self.answers.put(None)
