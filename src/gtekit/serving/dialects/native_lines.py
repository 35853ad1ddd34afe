"""Lists of any length: a text a line in, a vector a line (or its float32) out, both as they come, in bounded memory.

What has come while the texts before were computed is the next window: a client that sends fast is served in large
batches, and one that sends a line and waits gets its answer at once.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

import msgspec
import orjson

from gtekit.serving.answers import float_rows, octets, quoted_base64_rows, slices, space_headers
from gtekit.serving.bodies import unlimited
from gtekit.serving.dialects.native_inputs import error_values, make_job, wants_octets
from gtekit.serving.dialects.native_schema import EncodeLine, EncodeOptions
from gtekit.serving.encoding import Encoded, EncodeJob
from gtekit.serving.inputs import embed, find_model, shown
from gtekit.serving.memory import COPIES, Lease
from gtekit.serving.messages import NDJSON, OCTETS, Account, Request, Response
from gtekit.serving.metered_body import note_answered
from gtekit.serving.problems import Kind, Problem
from gtekit.serving.refused_bodies import UNREADABLE, problem_of
from gtekit.serving.type_errors import explain

if TYPE_CHECKING:
    from gtekit.serving.served_models import ServedModel
    from gtekit.serving.settings import ServerSettings
    from gtekit.serving.state import State

WINDOW_TEXTS = 256  # the most texts of a window
WINDOW_CHARS = 131_072
BYTES_OF_CHAR = 6  # at most in JSON: \u00e9
LINE_EXTRA = 4096  # for the id and what is around it
BLANK_LINES = 4096  # that are passed over at a stretch: 0.2 ms

_LINE = str | EncodeLine
_DECODER = msgspec.json.Decoder(_LINE)


@dataclass(frozen=True, slots=True)
class _Line:
    number: int  # from 1, blank lines counted
    text: str
    id: str | int | None


async def encode_lines(request: Request, state: "State", account: Account) -> Response:
    """Answer a stream of lines; the options are in the query string, as in ?on_truncation=error&normalize=false."""
    asked = _read_query(request.query)
    served = find_model(state, asked.model)
    lease = request.lease
    assert lease is not None
    job = make_job(served, asked, [], state.settings, request)
    account.model = served.name
    stream = _Stream(served, asked, job, account, lease)
    headers = space_headers(served)
    lines = _windows(unlimited(request), state.settings, lease, partial(note_answered, request))
    if wants_octets(request):
        dimension = job.dimensions or served.model.dimension
        headers.append(("x-gtekit-shape", f"*,{dimension}"))
        return Response(body=stream.octets(lines), content_type=OCTETS, headers=headers)
    return Response(body=stream.rows(lines), content_type=NDJSON, headers=headers)


def _read_query(query: str) -> EncodeOptions:
    values = dict(parse_qsl(query, keep_blank_values=True))
    try:
        return msgspec.convert(values, EncodeOptions, strict=False)
    except msgspec.ValidationError as error:
        fault = explain(error, EncodeOptions)
        value = f" {shown(values[fault.path])}" if fault.got else ""
        param = fault.path or fault.unknown
        raise Problem(Kind.INVALID_VALUE, f"query string: {fault.message}{value}.", param=param) from None


async def _windows(
    parts: AsyncIterator[bytes], settings: "ServerSettings", lease: Lease, answered: Callable[[int], None]
) -> AsyncIterator[list[_Line] | Problem]:
    """Give the lines that are there, window by window; what is wrong with one comes after those before it."""
    most_bytes = min(BYTES_OF_CHAR * settings.max_text_chars + LINE_EXTRA, settings.max_body_bytes)
    open_line: list[bytes] = []  # what has come of the line that has no end yet: joined once, at its end
    held = 0  # bytes of it, and of the lines that are being read
    number = 0
    async for part in parts:
        lease.take_body(len(part))
        held += len(part)
        rest = part[part.rfind(b"\n") + 1 :]
        if len(rest) < len(part):
            lines = _whole_lines(b"".join(open_line), part)
            open_line.clear()
            async for found in _in_turns(_decode(lines, number, settings)):
                yield found
                if isinstance(found, Problem):
                    return
            number += part.count(b"\n")
            lease.give_back(COPIES * (held - len(rest)))
            held = len(rest)
            answered(held)
        open_line.append(rest)
        if held > most_bytes:
            yield Problem(Kind.TOO_LARGE, f"line {number + 1} has more than {most_bytes:,} bytes; split its text.")
            return
    async for found in _in_turns(_decode([b"".join(open_line)], number, settings)):
        yield found


def _whole_lines(before: bytes, part: bytes) -> Iterator[bytes]:
    """Give the lines that end in a part one by one: of short ones a list would take 20 times as much memory.

    Args:
        before: What has come of the first of them.
        part: The rest.
    """
    begin = 0
    while (end := part.find(b"\n", begin)) >= 0:
        yield before + part[begin:end]
        before, begin = b"", end + 1


async def _in_turns(found: Iterator[list[_Line] | Problem]) -> AsyncIterator[list[_Line] | Problem]:
    for window in found:
        if window:
            yield window
        await asyncio.sleep(0)  # neither blank lines nor cached texts make anybody wait


def _decode(lines: Iterable[bytes], number: int, settings: "ServerSettings") -> Iterator[list[_Line] | Problem]:
    """Give windows of lines; an empty one where so many lines are blank that others should have a turn."""
    window: list[_Line] = []
    chars = 0
    for place, line in enumerate(lines, number + 1):
        if not line.strip():
            if place % BLANK_LINES == 0:
                yield []
            continue
        try:
            found = _read_line(line, place, settings)
        except Problem as problem:
            if window:
                yield window
            yield problem
            return
        if window and (len(window) >= WINDOW_TEXTS or chars + len(found.text) > WINDOW_CHARS):
            yield window
            window, chars = [], 0
        window.append(found)
        chars += len(found.text)
    if window:
        yield window


def _read_line(line: bytes, number: int, settings: "ServerSettings") -> _Line:
    try:
        value = _DECODER.decode(line)
    except UNREADABLE as error:
        reason = problem_of(error, _LINE, line, "it")
        raise Problem(
            reason.kind,
            f'line {number} is neither a JSON string nor {{"text": "...", "id": ...}}: {reason.message}',
            param=reason.param,
        ) from None
    read = _Line(number, value, None) if isinstance(value, str) else _Line(number, value.text, value.id)
    if len(read.text) > settings.max_text_chars:
        raise Problem(
            Kind.TOO_LARGE,
            f"line {number} has {len(read.text):,} characters, the limit is {settings.max_text_chars:,}. Split it, or "
            "start the server with a larger --max-text-chars.",
        )
    return read


class _Stream:
    """Windows of lines to parts of the answer."""

    def __init__(
        self, served: "ServedModel", asked: EncodeOptions, job: EncodeJob, account: Account, lease: Lease
    ) -> None:
        self._served, self._asked, self._job, self._account, self._lease = served, asked, job, account, lease
        self._index = 0  # of the next text

    async def octets(self, lines: "AsyncIterator[list[_Line] | Problem]") -> AsyncIterator[bytes]:
        """Give float32 rows. An error cuts the connection: there is no other way to say it in the middle of bytes."""
        async for window in lines:
            if isinstance(window, Problem):
                raise window
            held = self._lease.held
            yield octets((await self._embed(window)).embeddings)
            self._lease.give_back(self._lease.held - held)

    async def rows(self, lines: "AsyncIterator[list[_Line] | Problem]") -> AsyncIterator[bytes]:
        """Give a line for each text, and where something is wrong, a last line that says what."""
        try:
            async for window in lines:
                if isinstance(window, Problem):
                    raise window
                held = self._lease.held
                async for part in self._lines(window):
                    yield part
                self._lease.give_back(self._lease.held - held)
        except Problem as problem:
            if problem.kind is Kind.GONE:
                raise
            yield orjson.dumps({"error": error_values(problem)}) + b"\n"

    async def _lines(self, window: list[_Line]) -> AsyncIterator[bytes]:
        try:
            encoded = await self._embed(window)
        except Problem as problem:
            if problem.kind not in (Kind.TOO_LONG, Kind.INVALID_VALUE) or len(window) == 1:
                raise _at(problem, window) from None
            for line in window:  # one by one: those before the bad one are answered
                async for part in self._write([line], await self._embed_one(line)):
                    yield part
        else:
            async for part in self._write(window, encoded):
                yield part

    async def _embed(self, window: list[_Line]) -> Encoded:
        return await embed(self._served, replace(self._job, texts=[line.text for line in window]), self._account)

    async def _embed_one(self, line: _Line) -> Encoded:
        try:
            return await self._embed([line])
        except Problem as problem:
            raise _at(problem, [line]) from None

    async def _write(self, window: list[_Line], encoded: Encoded) -> AsyncIterator[bytes]:
        """Give the lines of a window, a few at a time: who reads slowly has so few of them waiting."""
        cut = set(encoded.truncated)
        first = 0
        write = quoted_base64_rows if self._asked.encoding == "base64" else float_rows
        async for rows in slices(write, encoded.embeddings):
            parts = []
            for place, row in enumerate(rows, first):
                values: dict[str, object] = {"index": self._index + place}
                if window[place].id is not None:
                    values["id"] = window[place].id
                values["tokens"] = int(encoded.lengths[place])
                if place in cut:
                    values["truncated"] = True
                parts.append(orjson.dumps(values)[:-1] + b',"embedding":' + row + b"}\n")
            first += len(rows)
            self._lease.check(sum(map(len, parts)))  # whoever sends it holds it
            yield b"".join(parts)
        self._index += len(window)


def _at(problem: Problem, window: list[_Line]) -> Problem:
    first, last = window[0].number, window[-1].number
    where = f"line {first}" if first == last else f"lines {first} to {last}"
    return Problem(
        problem.kind, f"{where}: {problem.message}", param=problem.param, retry_after_s=problem.retry_after_s
    )
