"""Lines of the log: what they say, what they never say, and that a slow reader holds up nobody."""

import io
import json
import os
import threading
import time
from collections.abc import AsyncIterator
from typing import Any, Literal, TextIO

import httpx
import pytest

from gtekit.serving.keys import Key, sha256_of
from gtekit.serving.logs import MOST_WAITING, Answered, RequestLog
from gtekit.serving.messages import Account, Request
from gtekit.serving.problems import Kind
from tests.serving.conftest import StartServer

Form = Literal["json", "text", "off"]
SECRET = "a text that nobody else may read"


async def no_body() -> AsyncIterator[bytes]:
    yield b""


def answered(**more: Any) -> Answered:
    request = Request(
        method=more.pop("method", "POST"),
        path=f"/embed/{SECRET}",
        query=f"text={SECRET}",
        headers={"authorization": f"Bearer {SECRET}"},
        request_id="id-1",
        client="127.0.0.1",
        key=more.pop("key", None),
        read=no_body,
    )
    known: dict[str, Any] = {"route": "/embed", "status": 200, "seconds": 0.0123, "bytes_in": 10, "bytes_out": 20}
    return Answered(request=request, **{**known, "account": Account(), **more})


def lines(form: Form, *records: Answered) -> list[str]:
    stream = io.StringIO()
    log = RequestLog(form, stream)
    for record in records:
        log.write(record)
    log.close()
    return stream.getvalue().splitlines()


def test_a_request_is_one_line_of_json() -> None:
    cost = Account(
        model="small",
        lane="bulk",
        texts=3,
        tokens=40,
        truncated=1,
        cached=2,
        deduplicated=1,
        tokenization_s=0.125,
        queue_s=0.5,
        inference_s=0.25,
    )
    key = Key(name="search", sha256=sha256_of("x"))
    (line,) = lines("json", answered(account=cost, key=key))
    record = json.loads(line)
    assert record.pop("time").endswith("Z")
    assert record == {
        "level": "info",
        "request_id": "id-1",
        "method": "POST",
        "route": "/embed",
        "status": 200,
        "ms": 12.3,
        "key": "search",
        "bytes_in": 10,
        "bytes_out": 20,
        "model": "small",
        "lane": "bulk",
        "texts": 3,
        "tokens": 40,
        "truncated": 1,
        "cached": 2,
        "deduplicated": 1,
        "tokenization_ms": 125.0,
        "queue_ms": 500.0,
        "inference_ms": 250.0,
    }


@pytest.mark.parametrize("form", ["json", "text"])
def test_no_line_holds_path_query_headers_or_made_up_methods(form: Form) -> None:
    (line,) = lines(form, answered(route="", status=404, problem="not_found", method="GET\x1b[31m\n{}"))
    assert SECRET not in line
    assert "\x1b" not in line
    assert "404" in line
    assert "not_found" in line


def test_the_level_follows_the_status() -> None:
    found = lines("json", *(answered(status=status) for status in (200, 404, 499, 500, 503)))
    assert [json.loads(line)["level"] for line in found] == ["info", "warning", "warning", "error", "error"]


def test_a_deadline_that_passed_is_no_fault_of_the_server() -> None:
    (line,) = lines("json", answered(status=504, problem=Kind.DEADLINE.value))
    assert json.loads(line)["level"] == "warning"


def test_a_line_for_people_has_what_matters() -> None:
    cost = Account(model="small", lane="bulk", texts=3, tokens=40, truncated=1)
    (line,) = lines("text", answered(account=cost))
    assert line[9:] == "POST /embed 200 12.3 ms 3 texts 40 tokens bulk 1 cut id=id-1"


def test_off_writes_errors_of_the_server_alone() -> None:
    stream = io.StringIO()
    log = RequestLog("off", stream)
    log.write(answered(status=500))
    log.say("listening")
    log.say("broken", "error", request_id="id-1")
    log.close()
    assert stream.getvalue().splitlines()[0].endswith("error: broken request_id=id-1")
    assert len(stream.getvalue().splitlines()) == 1


def test_what_the_server_does_has_fields_of_its_own() -> None:
    stream = io.StringIO()
    log = RequestLog("json", stream)
    log.say("draining", requests=3)
    log.close()
    record = json.loads(stream.getvalue())
    assert (record["message"], record["level"], record["requests"]) == ("draining", "info", 3)


def test_the_order_of_lines_is_kept() -> None:
    found = lines("json", *(answered(bytes_in=number) for number in range(3000)))
    assert [json.loads(line)["bytes_in"] for line in found] == list(range(3000))


def test_a_reader_that_does_not_read_holds_up_nobody_and_what_is_lost_is_counted() -> None:
    reading, writing = os.pipe()
    count = 2 * MOST_WAITING + 5000
    with os.fdopen(writing, "w") as stream, os.fdopen(reading) as reader:
        log = RequestLog("json", stream)
        for _ in range(count):  # a pipe holds some 64 kB of it, the thread one queue, the queue another
            log.write(answered())
        said = io.StringIO()
        copying = threading.Thread(target=_copy, args=(reader, said))
        copying.start()
        log.close()
        log.close()
        stream.close()
        copying.join()
    records = [json.loads(line) for line in said.getvalue().splitlines()]
    dropped = sum(record.get("dropped", 0) for record in records)
    kept = sum("request_id" in record for record in records)
    assert dropped > 0
    assert kept + dropped == count


def _copy(reader: TextIO, to: io.StringIO) -> None:
    for line in reader:
        to.write(line)


def test_a_reader_that_has_gone_away_ends_nothing() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    stream = os.fdopen(writing, "w")
    log = RequestLog("json", stream)
    for _ in range(3):
        log.write(answered())
        log.close()
    with pytest.raises(BrokenPipeError):
        stream.close()


def test_a_server_logs_no_text_and_no_key(start_server: StartServer, capfd: pytest.CaptureFixture[str]) -> None:
    server = start_server(log="json")
    headers = {"authorization": f"Bearer {SECRET}", "x-request-id": "mine"}
    for body in ({"input": SECRET}, {"input": [SECRET, 3]}, {"input": SECRET * 2, "model": SECRET}):
        httpx.post(f"{server.url}/v1/embeddings", params={"q": SECRET}, json=body, headers=headers)
    logged, end = "", time.monotonic() + 10
    while logged.count('"mine"') < 3:
        assert time.monotonic() < end
        logged += capfd.readouterr().err
    assert SECRET not in logged
    mine = [record for record in map(json.loads, logged.splitlines()) if record.get("request_id") == "mine"]
    assert [record["status"] for record in mine] == [200, 400, 404]
    assert mine[0]["tokens"] > 5
