"""Nothing that can be sent to a port breaks the server, and nothing of it changes what the next client gets."""

import base64
import gzip
import json
import re
import struct
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gtekit
from gtekit.serving.settings import ServerSettings
from gtekit.serving.zstd import zstd
from tests.serving.conftest import NAME, running
from tests.serving.fuzzing import (
    ANY_HEADERS,
    ANY_JSON,
    DOCUMENT,
    TARGETS,
    bodies,
    check_answer,
    check_error,
    dialect_of,
)
from tests.serving.raw_http import ask, exchange, request_bytes

JSON_TYPE = ("content-type", "application/json")
GOLDEN = "The quick brown fox jumps over the lazy dog."
MANY = pytest.param(1000, marks=pytest.mark.slow)
PATHS = sorted(DOCUMENT["paths"])
ZSTD: Final[Mapping[int, int]] = {zstd.CompressionParameter.checksum_flag: 1}  # without, other texts may come out


@pytest.fixture(scope="module")
def url(minilm: gtekit.Embedder) -> Iterator[str]:
    """A server that takes every name of a model, so that the examples of the document are valid there."""
    with running({NAME: minilm}, ServerSettings(port=0, model=(NAME,), alias=(f"*={NAME}",), log="off")) as server:
        yield server.url


@pytest.fixture(autouse=True)
def _the_golden_text_keeps_its_bits(url: str, minilm: gtekit.Embedder) -> Iterator[None]:
    expected = minilm.encode([GOLDEN])
    yield
    body = json.dumps({"input": GOLDEN, "model": "any", "encoding_format": "base64"}).encode()
    answer = ask(url, "POST", "/v1/embeddings", body, dict([JSON_TYPE]))
    assert answer.status == 200, answer
    found = base64.b64decode(json.loads(answer.body)["data"][0]["embedding"])
    np.testing.assert_array_equal(np.frombuffer(found, "<f4"), expected[0])


def for_all(strategy: st.SearchStrategy[Any], examples: int, law: Callable[[Any], None]) -> None:
    settings(max_examples=examples, deadline=None)(given(strategy)(law))()


@pytest.mark.parametrize("examples", [8, MANY])
@pytest.mark.parametrize(("path", "body"), TARGETS, ids=[f"{path}-{index}" for index, (path, _) in enumerate(TARGETS)])
def test_every_body_is_answered_or_refused_in_the_words_of_its_dialect(
    url: str, path: str, body: Any, examples: int
) -> None:
    def law(sent: bytes) -> None:
        check_answer(ask(url, "POST", path, sent, dict([JSON_TYPE])), path, sent)

    for_all(bodies(body), examples, law)


@pytest.mark.parametrize("examples", [60, MANY])
def test_every_header_is_taken_or_refused(url: str, examples: int) -> None:
    def law(case: tuple[tuple[str, Any], list[tuple[str, str]]]) -> None:
        (path, body), headers = case
        sent = json.dumps(body).encode()
        given_type = [] if any(name == "content-type" for name, _ in headers) else [JSON_TYPE]
        answers = exchange(url, request_bytes("POST", path, sent, [*headers, *given_type]))
        assert len(answers) == 1
        check_answer(answers[0], path, sent)

    for_all(st.tuples(st.sampled_from(TARGETS), ANY_HEADERS), examples, law)


@pytest.mark.parametrize("examples", [60, MANY])
@pytest.mark.parametrize(
    ("encoding", "pack"), [("gzip", gzip.compress), ("zstd", partial(zstd.compress, options=ZSTD))]
)
def test_every_compressed_body_is_answered_or_refused(
    url: str, encoding: str, pack: Callable[[bytes], bytes], examples: int
) -> None:
    whole = pack(json.dumps({"inputs": ["one", "two words"] * 20}).encode())

    def change(case: tuple[int, int, bytes]) -> bytes:
        place, length, new = case
        return whole[:place] + new + whole[place + length :]

    def law(sent: bytes) -> None:
        answer = ask(url, "POST", "/tokenize", sent, {**dict([JSON_TYPE]), "content-encoding": encoding})
        if answer.status == 200:
            assert len(json.loads(answer.body)) == 40
        else:
            check_error(answer, {"tei"})

    law(whole)
    for_all(st.tuples(st.integers(0, len(whole)), st.integers(0, 9), st.binary(max_size=4)).map(change), examples, law)


@pytest.mark.parametrize("examples", [100, MANY])
def test_every_path_and_method_is_answered_or_refused(url: str, examples: int) -> None:
    methods = st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE", "PROPFIND"])
    characters = st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="#")
    parts = st.sampled_from(
        ["..", ".", "%2e%2e", "%00", "%ff", "v1", "v2", "models", "embed", "page", "?a=1", "%", ";"]
    )
    made = st.lists(parts | st.text(characters, max_size=6), max_size=5).map(lambda names: "/" + "/".join(names))
    paths = (
        st.sampled_from(PATHS) | made | st.sampled_from(PATHS).flatmap(lambda path: made.map(lambda end: path + end))
    )

    def law(case: tuple[str, str]) -> None:
        method, path = case
        answer = ask(url, method, path, b"{}" if method in ("POST", "PUT", "PATCH") else b"", dict([JSON_TYPE]))
        assert answer.status < 500, answer
        if answer.status >= 400 and method != "HEAD":
            check_error(answer, dialect_of(path))
        if answer.status == 405:
            assert answer.headers["allow"], answer

    for_all(st.tuples(methods, paths), examples, law)


@pytest.mark.parametrize("examples", [100, MANY])
def test_bytes_that_are_no_http_are_refused_and_never_waited_for(url: str, examples: int) -> None:
    valid = request_bytes("POST", "/embed", b'{"inputs":"a"}', [JSON_TYPE])

    def change(case: tuple[int, int, bytes]) -> bytes:
        place, length, new = case
        return valid[:place] + new + valid[place + length :]

    changed = st.tuples(st.integers(0, len(valid)), st.integers(0, 30), st.binary(max_size=12)).map(change)
    control = st.sampled_from(
        [b"\r\n", b"\x00", b"\n\n", b" HTTP/1.1\r\n", b"GET / HTTP/9.9\r\n\r\n", b"PRI * HTTP/2.0\r\n"]
    )
    tls = st.binary(max_size=60).map(lambda rest: b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + rest)

    def law(sent: bytes) -> None:
        for answer in exchange(url, sent, half_close=True):
            assert answer.status < 500, (sent, answer)
            if answer.status >= 400:
                check_error(answer, {"openai", "tei", "cohere", "jina", "native"})

    for_all(changed | control | tls | st.binary(max_size=300), examples, law)


LENGTHS = [
    "transfer-encoding: chunked\r\ncontent-length: 4",
    "content-length: 4\r\ncontent-length: 5",
    "content-length: -1",
    "content-length: 99999999999999999999999",
    "content-length: 0x4",
    "content-length: 4\r\ntransfer-encoding: identity",
    "transfer-encoding: xchunked",
    "transfer-encoding: chunked, identity",
    "Content_Length: 4\r\ncontent-length: abc",
]


@pytest.mark.parametrize("lengths", LENGTHS)
def test_a_body_whose_length_is_not_certain_is_refused_and_the_connection_closed(url: str, lengths: str) -> None:
    head = f"POST /embed HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n{lengths}\r\n\r\n"
    smuggled = request_bytes("GET", "/health")
    answers = exchange(url, head.encode() + b'0\r\n\r\n"a"' + smuggled)
    assert [answer.status for answer in answers] == [400], answers


NO_CHUNKS = [
    b"z\r\nab\r\n0\r\n\r\n",
    b"-1\r\n\r\n",
    b"fffffffffffffffff\r\nab",
    b"2\r\nabc\r\n0\r\n\r\n",
    b"2;" + b"x" * 50_000 + b"\r\nab\r\n0\r\n\r\n",
]


@pytest.mark.parametrize("chunks", NO_CHUNKS, ids=["hex", "negative", "huge", "longer", "extension"])
def test_chunks_that_are_none_are_refused(url: str, chunks: bytes) -> None:
    head = "POST /embed HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n"
    answers = exchange(url, f"{head}transfer-encoding: chunked\r\nconnection: close\r\n\r\n".encode() + chunks)
    assert len(answers) == 1
    check_error(answers[0], {"tei", "openai"})


HUGE = {
    "one string of ten megabytes": b'{"inputs":"' + b"a" * 10_000_000 + b'"}',
    "a million texts": b'{"inputs":[' + b",".join([b'"a"'] * 1_000_000) + b"]}",
    "a million numbers": b'{"inputs":[' + b",".join([b"1"] * 1_000_000) + b"]}",
    "a million keys": b'{"inputs":"a",' + b",".join(b'"%d":0' % key for key in range(1_000_000)) + b"}",
    "a number of a million digits": b'{"inputs":"a","dimensions":' + b"9" * 1_000_000 + b"}",
    "a million brackets": b'{"inputs":' + b"[" * 1_000_000,
}


@pytest.mark.parametrize("body", HUGE.values(), ids=HUGE.keys())
def test_a_huge_body_is_refused_in_words(url: str, body: bytes) -> None:
    answer = ask(url, "POST", "/embed", body, dict([JSON_TYPE]))
    if answer.status != 200:  # keys that nobody knows are passed over
        check_error(answer, {"tei"})
        assert len(answer.body) < 2000, "The message repeats what was sent."


@pytest.mark.parametrize("examples", [40, MANY])
def test_lines_of_any_kind_are_answered_line_by_line(url: str, examples: int) -> None:
    good = st.text(min_size=1, max_size=30).map(lambda text: json.dumps(text).encode())
    objects = st.text(min_size=1, max_size=30).map(lambda text: json.dumps({"text": text, "id": text}).encode())
    bad = ANY_JSON.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=30) | st.just(b"")
    ends = st.sampled_from([b"\n", b"\r\n"])

    def law(case: tuple[list[bytes], bytes]) -> None:
        lines, end = case
        headers = {"content-type": "application/x-ndjson", "accept": "application/x-ndjson"}
        answer = ask(url, "POST", "/encode", end.join(lines), headers)
        if answer.status != 200:
            check_error(answer, {"native"})
            return
        rows = [json.loads(line) for line in answer.body.splitlines()]
        indices = [row["index"] for row in rows if "error" not in row]
        assert indices == list(range(len(indices)))
        assert all("error" not in row for row in rows[:-1]), "Something came after the error."
        assert len(indices) <= len(lines)

    for_all(
        st.tuples(st.lists(good | objects, max_size=4).flatmap(lambda a: bad.map(lambda b: [*a, b])), ends),
        examples,
        law,
    )


def test_octets_are_whole_finite_rows(url: str, minilm: gtekit.Embedder) -> None:
    texts = ["one", "two words", "word " * 700]
    sent = json.dumps({"texts": texts, "on_truncation": "ignore"}).encode()
    answer = ask(url, "POST", "/encode", sent, {**dict([JSON_TYPE]), "accept": "application/octet-stream"})
    assert answer.status == 200, answer
    rows, width = map(int, re.findall(r"\d+", answer.headers["x-gtekit-shape"]))
    found = np.array(struct.unpack(f"<{rows * width}f", answer.body), np.float32).reshape(rows, width)
    np.testing.assert_array_equal(found, minilm.encode(texts, on_truncation="ignore"))
