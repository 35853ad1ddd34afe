"""The clients of the soak: each asks in one way, for as long as it lasts, and judges every answer."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from random import Random

import httptools

from benchmarks.serving.load import HOST, Answer, Call, Connection
from benchmarks.serving.wire import Texts

ANSWER_S = 120.0


@dataclass(slots=True)
class Tally:
    """What came of the requests of one kind."""

    right: int = 0
    refused: int = 0  # 429 or 503, as it should be said
    expected_errors: int = 0
    while_down: int = 0  # sent after SIGTERM and not taken
    wrong: list[str] = field(default_factory=list)  # every one of them is a failure of the server

    @property
    def requests(self) -> int:
        return self.right + self.refused + self.expected_errors + self.while_down + len(self.wrong)


@dataclass(slots=True)
class World:
    """What the clients share."""

    port: int
    key: str
    texts: Texts  # short and long, none beyond what the model reads
    max_body_bytes: int
    max_texts: int
    up: asyncio.Event = field(default_factory=asyncio.Event)  # cleared from SIGTERM until the next server answers
    ended: bool = False
    term_at: float = 0.0  # of time.perf_counter(), when the last SIGTERM was sent
    tallies: dict[str, Tally] = field(default_factory=dict)
    random: Random = field(default_factory=lambda: Random(20261125))
    aborted: int = 0

    def rows(self, least: int, most: int) -> list[int]:
        """Draw texts."""
        count = min(self.random.randint(least, most), len(self.texts.texts))
        return self.random.sample(range(len(self.texts.texts)), count)

    def tally(self, kind: str) -> Tally:
        return self.tallies.setdefault(kind, Tally())


class Lost(Exception):  # noqa: N818 - the answer is lost
    """The connection ended before the answer did."""

    def __init__(self, begun: float) -> None:
        super().__init__("no answer")
        self.begun = begun


class Client:
    """A connection that is opened again when the server has closed it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._connection: Connection | None = None
        self._answer: asyncio.Future[Answer] | None = None

    async def ask(self, call: Call) -> Answer:
        """Send a request and wait for the answer.

        Raises:
            Lost: If there is none.
            OSError: If no connection can be made.
        """
        loop = asyncio.get_running_loop()
        if self._connection is None or self._connection.transport.is_closing():
            _, self._connection = await loop.create_connection(lambda: Connection(self._take), HOST, self.world.port)
        self._answer = loop.create_future()
        begun = time.perf_counter()
        self._connection.ask(call)
        try:
            answer = await asyncio.wait_for(self._answer, ANSWER_S)
        except (TimeoutError, httptools.HttpParserError):
            self.close()
            raise Lost(begun) from None
        if not answer.status:
            self.close()
            raise Lost(begun)
        if answer.headers.get("connection", "").lower() == "close":
            self.close()
        return answer

    def _take(self, connection: Connection, answer: Answer) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(answer)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.transport.abort()
            self._connection = None


Judge = Callable[[Answer], str]  # "" where the answer is right, REFUSED, else what is wrong with it
REFUSED = "refused"  # within a stream that had begun with 200
Once = Callable[[World, Client], Awaitable[None]]


async def judged(world: World, client: Client, kind: str, call: Call, judge: Judge, expected: int = 200) -> None:
    """Ask once and count what came of it."""
    tally = world.tally(kind)
    try:
        answer = await client.ask(call)
    except Lost as lost:
        if world.term_at and lost.begun >= world.term_at and not world.up.is_set():
            tally.while_down += 1
        else:
            before = (
                f", sent {1000 * (world.term_at - lost.begun):.0f} ms before SIGTERM" if not world.up.is_set() else ""
            )
            tally.wrong.append(f"no answer{before}")
        return
    except OSError as error:
        if world.up.is_set():
            tally.wrong.append(f"no connection: {error}")
        else:
            tally.while_down += 1
        return
    fault = "" if answer.headers.get("x-request-id") else "no x-request-id"
    if answer.status in (429, 503):
        fault = fault or fault_of_refusal(answer)
        tally.refused += not fault
    elif answer.status != expected:
        fault = f"status {answer.status}, expected {expected}: {answer.body[:200]!r}"
    else:
        fault = fault or judgement(judge, answer)
        if fault == REFUSED:
            tally.refused += 1
            return
        if not fault:
            tally.right += expected == 200
            tally.expected_errors += expected != 200
    if fault:
        tally.wrong.append(fault)


def judgement(judge: Judge, answer: Answer) -> str:
    try:
        return judge(answer)
    except (ValueError, KeyError, TypeError, IndexError) as error:
        return f"{error!r} in reading {answer.body[:200]!r}"


def fault_of_refusal(answer: Answer) -> str:
    after = answer.headers.get("retry-after", "")
    return "" if after.isdigit() and int(after) >= 1 else f"status {answer.status} with retry-after {after!r}"


async def again_and_again(world: World, once: Once, pause_s: float) -> None:
    """Run a client until the soak ends; while the server is down it waits."""
    client = Client(world)
    while not world.ended:
        if not world.up.is_set():
            await asyncio.sleep(0.02)
            # now and then one knocks at a server that is going away
            if world.random.random() > 0.05:
                continue
        await once(world, client)
        await asyncio.sleep(world.random.expovariate(1 / pause_s) if pause_s else 0)
    client.close()


def headers_of(world: World, **more: str) -> Mapping[str, str]:
    """Give the headers of a request: its key, and more with dashes for underscores."""
    return {"authorization": f"Bearer {world.key}", **{name.replace("_", "-"): text for name, text in more.items()}}
