"""The harness finds what it is there to find, and a short run of it finds nothing."""

import asyncio
import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import gtekit
from benchmarks.serving.figures import figures_of, wrong_in
from benchmarks.serving.library import make_texts
from benchmarks.serving.load import Answer, Call, closed_loop, http_request, open_loop
from benchmarks.serving.memory import grows, growth_of, resident_mib
from benchmarks.serving.nuisances import nested, of_tei, wants
from benchmarks.serving.questions import compare, compare_lines
from benchmarks.serving.soak import soak
from benchmarks.serving.soak_report import faults_of, report
from benchmarks.serving.traffic import REFUSED, Client, Lost, World, fault_of_refusal, judgement
from benchmarks.serving.wire import Texts, is_right, vectors_of
from benchmarks.workloads import QUERIES, whole_words, write_texts
from tests.serving.conftest import NAME, RunningServer

RATES: dict[str, list[float]] = {
    "library-int8": [400, 40, 400],
    "library-float32": [100, 10, 100],
    "gtekit-int8": [380, 38, 380],
    "gtekit-float32": [95, 9.5, 95],
    "infinity": [100, 10, 100],
}
TEXTS = ["a river", "the bank of a river", "a bank that lends money"]


@pytest.fixture(scope="module")
def texts(minilm: gtekit.Embedder) -> Texts:
    return replace(make_texts(minilm, TEXTS), model=NAME)


def answer_with(vectors: np.ndarray, status: int = 200, rows: tuple[int, ...] = (0, 1)) -> Answer:
    data = [{"index": index, "embedding": vector.tolist()} for index, vector in enumerate(vectors)]
    return Answer(status, {}, json.dumps({"data": data}).encode(), 0.1, Call(b"", rows))


def world_of(texts: Texts, port: int = 0) -> World:
    return World(port=port, key="", texts=texts, max_body_bytes=1000, max_texts=10)


def test_the_library_s_own_vectors_are_right(texts: Texts) -> None:
    assert is_right(answer_with(texts.vectors[:2]), texts, True)
    assert compare(world_of(texts), [0, 1], vectors_of)(answer_with(texts.vectors[:2])) == ""


def test_crossed_answers_are_found_and_named(texts: Texts) -> None:
    crossed = answer_with(texts.vectors[[0, 2]])
    assert not is_right(crossed, texts, True)
    assert compare(world_of(texts), [0, 1], vectors_of)(crossed) == "vector 1 is that of another text (2)"


def test_one_wrong_bit_is_found(texts: Texts) -> None:
    vectors = texts.vectors[:2].copy()
    vectors[0, 5] = np.nextafter(vectors[0, 5], np.float32(1))
    assert not is_right(answer_with(vectors), texts, True)
    assert is_right(answer_with(vectors), texts, False)
    assert compare(world_of(texts), [0, 1], vectors_of)(answer_with(vectors)) == "vector 0 is no text's"


def test_a_stream_is_right_cut_short_by_a_full_queue_or_wrong(texts: Texts) -> None:
    judge = compare_lines(world_of(texts), [0, 1])
    lines = [json.dumps({"index": row, "embedding": texts.vectors[row].tolist()}) for row in range(3)]
    end = json.dumps({"error": {"kind": "overloaded", "message": "The queue is full."}})

    def of(*parts: str) -> str:
        return judgement(judge, Answer(200, {}, "\n".join(parts).encode(), 0.1, Call(b"")))

    assert of(lines[0], lines[1]) == ""
    assert of(lines[0], end) == REFUSED
    assert "missing" in of(lines[0])
    assert "order" in of(lines[1], lines[0])
    assert "reading" in of(lines[0], "no JSON")


def test_a_missing_vector_is_found(texts: Texts) -> None:
    assert not is_right(answer_with(texts.vectors[:1]), texts, True)
    assert "shape" in compare(world_of(texts), [0, 1], vectors_of)(answer_with(texts.vectors[:1]))


@pytest.mark.parametrize("body", [b"", b"no JSON", b"[]", b'{"error": "text"}', b'{"error": {"message": "no code"}}'])
def test_a_body_that_is_not_the_dialect_s_is_found(body: bytes) -> None:
    assert wants(nested)(Answer(400, {}, body, 0.1, Call(b"")))
    assert wants(of_tei)(Answer(400, {}, body, 0.1, Call(b"")))


@pytest.mark.parametrize(
    ("headers", "is_fine"), [({"retry-after": "1"}, True), ({"retry-after": "0"}, False), ({}, False)]
)
def test_a_refusal_says_when_to_come_again(headers: dict[str, str], is_fine: bool) -> None:
    assert (fault_of_refusal(Answer(429, headers, b"", 0.1, Call(b""))) == "") is is_fine


def test_growth_is_seen_in_a_line_that_rises_and_not_in_one_that_is_level() -> None:
    rising = growth_of([(float(second), 100 + second / 60) for second in range(600)])
    assert rising["mib_per_hour"] == pytest.approx(60)
    assert rising["growth_mib"] == pytest.approx(9, abs=0.1)
    assert rising["late_growth"] == pytest.approx(2.5 / 106.25, rel=0.01)
    level = growth_of([(float(second), 100.0) for second in range(600)])
    assert level["mib_per_hour"] == pytest.approx(0, abs=1e-6)
    assert level["growth_mib"] == level["late_growth"] == 0


def test_a_server_is_judged_by_its_level_and_only_where_it_has_lived_for_ten_minutes() -> None:
    def life(seconds: int, mib_per_minute: float) -> dict[str, float]:
        early = [(float(second), 80.0) for second in range(30)]  # what it takes to start is no growth
        return growth_of(early + [(float(second), 100 + mib_per_minute * second / 60) for second in range(30, seconds)])

    assert grows(life(700, 1))
    assert not grows(life(500, 1))
    assert not grows(life(700, 0.1))


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_memory_of_a_process_is_read_and_of_none_is_0() -> None:
    assert 10 < resident_mib(os.getpid()) < 100_000
    assert resident_mib(2**22 + 1) == 0


def test_a_closed_loop_asks_for_each_text_once_and_gets_its_vector(server: RunningServer, texts: Texts) -> None:
    run = asyncio.run(closed_loop(server.port, iter(texts.pass_in(1)), 2))
    assert sorted(tuple(answer.call.rows) for answer in run.answers) == [(0,), (1,), (2,)]
    assert all(is_right(answer, texts, True) for answer in run.answers)
    assert run.quantile_ms(0.5) <= run.quantile_ms(0.99) <= 1000 * run.seconds


def test_an_open_loop_sends_as_many_as_the_rate_says_also_when_connections_are_few(
    server: RunningServer, texts: Texts
) -> None:
    run = asyncio.run(open_loop(server.port, texts.endless(), rate=100, seconds=0.3, connections=1))
    assert len(run.answers) == 30
    assert all(is_right(answer, texts, True) for answer in run.answers)


def test_an_answer_that_never_comes_is_a_loss(texts: Texts) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf of it")
        writer.close()

    async def ask() -> None:
        async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as listening:
            client = Client(world_of(texts, listening.sockets[0].getsockname()[1]))
            with pytest.raises(Lost):
                await client.ask(Call(http_request("/", b"")))

    asyncio.run(ask())


def test_figures_are_ratios_within_a_round_and_say_whether_the_target_is_met() -> None:
    # the second round was slow for everybody: it leaves the ratios alone
    bulk = {name: [{"tokens_per_s": rate, "p99_ms": 1000 / rate} for rate in rates] for name, rates in RATES.items()}
    short = {
        name: [{"requests_per_s": rate, "in_bulk": 2 * rate, "p99_ms": 1000 / rate} for rate in rates]
        for name, rates in RATES.items()
    }
    p99 = {name: [{"p50_ms": 2.0, "p99_ms": 4.0}] * 3 for name in RATES}
    loaded = {name: [{"p50_ms": 2.0, "p99_ms": 24.0, "wrong": 1}] * 3 for name in RATES}
    latency = {"alone": p99, "at_rate": p99, "loaded": loaded}
    figures = figures_of({"bulk": bulk, "short": short, "short_connections": 64}, latency)
    found = {figure.name: (round(figure.value, 3), figure.is_met) for figure in figures}
    assert found["int8, bulk requests, of the library's rate"] == (95, True)
    assert found["int8, single queries on 64 connections, of encode_one's rate"] == (95, True)
    assert found["int8, the same of the rate of one encode"] == (47.5, False)
    assert found["int8, bulk, rate over infinity-emb"] == (3.8, True)
    assert found["int8, bulk, p99 over that of infinity-emb"] == (round(1 / 3.8, 3), True)
    assert found["int8, p50 of one query, more than the library's"] == (0, True)
    assert found["int8, p99 of queries beside bulk, over the unloaded one"] == (6, False)
    assert wrong_in(latency) == 3 * len(RATES)


@pytest.mark.slow
def test_ten_seconds_of_mixed_load_with_sigterm_in_the_middle_lose_and_cross_nothing(
    tiny_checkpoint: Path, tmp_path: Path
) -> None:
    model = gtekit.load(tiny_checkpoint, precision="float32", language_warning=False)
    words = whole_words(tiny_checkpoint)
    texts = make_texts(model, write_texts(QUERIES, 200, words, model.max_tokens))
    result = asyncio.run(soak(tiny_checkpoint, texts, 10.0, "float32", tmp_path))
    assert faults_of(result) == []
    assert [life["exit_code"] for life in result["lives"]] == [0, 0]
    assert sum(tally["right"] for tally in result["kinds"].values()) > 100
    machine = dict.fromkeys(("cpu", "cores", "load_before", "load_after", "commit", "date", "command"), "")
    assert "| all |" in report({"model": "tiny", "machine": machine, **result})
