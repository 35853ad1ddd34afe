"""gtekit's own routes with a plain HTTP client: JSON, bytes and lines, and what is said of bad requests."""

import base64
import json
import re
import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import httpx
import msgspec
import numpy as np
import pytest

import gtekit
from gtekit.arrays import Floats
from gtekit.serving.dialects.native_lines import WINDOW_TEXTS
from gtekit.serving.dialects.native_schema import (
    ChunksAnswer,
    CountsAnswer,
    EncodeAnswer,
    ModelAnswer,
    PlacesAnswer,
    ReportAnswer,
    TokensAnswer,
)

if TYPE_CHECKING:
    from tests.serving.conftest import RunningServer, StartServer

TEXTS = ["A man is playing a guitar.", "Die Katze schläft.", "", "😀 emoji", "x"]
LONG = "one two three four five six seven " * 60  # 422 tokens; the model reads 256
OCTETS = {"accept": "application/octet-stream"}
LINES = {"content-type": "application/x-ndjson"}


def post(server: "RunningServer", path: str, body: Any, **headers: str) -> httpx.Response:
    return httpx.post(server.url + path, json=body, headers=headers, timeout=60)


def stream(server: "RunningServer", lines: list[str], query: str = "", **headers: str) -> list[dict[str, Any]]:
    answer = httpx.post(
        f"{server.url}/encode{query}", content="\n".join(lines), headers={**LINES, **headers}, timeout=60
    )
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.splitlines()]


def read_base64(text: str) -> Floats:
    return np.frombuffer(base64.b64decode(text), "<f4").astype(np.float32)


def problem(answer: httpx.Response) -> tuple[int, str, str, str | None]:
    error = answer.json()["error"]
    assert error["request_id"] == answer.headers["x-request-id"]
    return answer.status_code, error["kind"], error["message"], error["param"]


def test_vectors_as_numbers_base64_and_bytes_are_the_same_bits(
    server: "RunningServer", minilm: gtekit.Embedder
) -> None:
    expected = minilm.encode(TEXTS)
    numbers = post(server, "/encode", {"texts": TEXTS})
    read = msgspec.json.decode(numbers.content, type=EncodeAnswer)
    assert np.array(read.embeddings, np.float32).tobytes() == expected.tobytes()
    assert (read.tokens, read.truncated, read.lengths) == (sum(minilm.count_tokens(TEXTS)), [], None)
    coded = post(server, "/encode", {"texts": TEXTS, "encoding": "base64"}).json()["embeddings"]
    assert np.stack([read_base64(row) for row in coded]).tobytes() == expected.tobytes()
    octets = post(server, "/encode", {"texts": TEXTS}, **OCTETS)
    assert octets.content == expected.tobytes()
    assert octets.headers["content-type"] == "application/octet-stream"
    assert octets.headers["x-gtekit-shape"] == "5,384"
    assert octets.headers["x-gtekit-fingerprint"] == minilm.fingerprint


def test_what_was_cut_is_reported(server: "RunningServer", minilm: gtekit.Embedder) -> None:
    body = {"texts": ["x", LONG], "return_lengths": True}
    answer = post(server, "/encode", body)
    assert answer.json()["truncated"] == [1]
    assert answer.json()["lengths"] == minilm.count_tokens(["x", LONG])
    assert answer.headers["x-truncated-inputs"] == "1"
    octets = post(server, "/encode", body, **OCTETS).content
    assert np.frombuffer(octets[-8:], "<i4").tolist() == minilm.count_tokens(["x", LONG])
    assert octets[:-8] == minilm.encode(["x", LONG], on_truncation="ignore").tobytes()


def test_the_policy_of_the_server_holds_where_a_request_says_nothing(start_server: "StartServer") -> None:
    strict = start_server(on_truncation="error")
    assert problem(post(strict, "/encode", {"texts": [LONG]}))[:2] == (400, "context_length_exceeded")
    assert post(strict, "/encode", {"texts": [LONG], "on_truncation": "warn"}).status_code == 200


@pytest.mark.parametrize(
    ("body", "kind", "param", "message"),
    [
        ({}, "invalid_json", "texts", "texts"),
        ({"texts": "one"}, "invalid_json", "texts", "expected list"),
        ({"texts": ["a", None]}, "invalid_json", "texts", "texts[1]: expected text"),
        ({"texts": [[1, 2]]}, "token_ids_not_supported", "texts", "texts[0]: it holds token ids"),
        ({"texts": ["a"], "normalise": True}, "invalid_json", "normalise", "unknown field normalise"),
        ({"texts": ["a"], "dimensions": 0}, "invalid_value", "dimensions", "1 to 384"),
        ({"texts": ["a"], "dimensions": 385}, "invalid_value", "dimensions", "1 to 384"),
        ({"texts": ["a"], "max_tokens": 2}, "invalid_value", "max_tokens", "3 to 256"),
        ({"texts": ["a"], "prompt_name": "query"}, "invalid_value", "prompt_name", "no prompt named"),
        ({"texts": ["a"], "on_truncation": "cut"}, "invalid_json", "on_truncation", "chunk, error, ignore, warn"),
        (
            {"texts": ["x", LONG], "on_truncation": "error"},
            "context_length_exceeded",
            "texts",
            "texts[1] has 422 tokens",
        ),
    ],
)
def test_bad_values_are_refused_with_the_field(
    server: "RunningServer", body: Any, kind: str, param: str | None, message: str
) -> None:
    status, found, said, where = problem(post(server, "/encode", body))
    assert (status, found) == (400, kind)
    assert message in said
    assert where == param


@pytest.mark.parametrize("path", ["/encode", "/encode_chunks", "/token_states", "/truncation_report"])
@pytest.mark.parametrize(
    ("prompt", "max_tokens", "message"),
    [
        ("a" * 5_121, None, "prompt has 5,121 characters, at most 5,120 are taken"),
        ("word " * 254, None, "the prompt has 254 tokens, which leaves no room in 256"),
        ("word " * 8, 10, "the prompt has 8 tokens, which leaves no room in 10"),
    ],
)
def test_a_prompt_must_leave_room_for_a_text(
    server: "RunningServer", path: str, prompt: str, max_tokens: int | None, message: str
) -> None:
    body = {"texts": ["a"] * 1000, "prompt": prompt, "max_tokens": max_tokens}
    status, kind, said, where = problem(post(server, path, body))
    assert (status, kind, where) == (400, "invalid_value", "prompt")
    assert message in said
    fits = {"texts": ["a"], "prompt": "word " * ((max_tokens or 256) - 3), "max_tokens": max_tokens}
    assert post(server, path, fits).status_code == 200


def test_what_is_advised_for_a_long_text_works(server: "RunningServer") -> None:
    for path in ("/encode", "/token_states"):
        body = {"texts": [LONG], "on_truncation": "error"}
        advised = re.findall(r'"on_truncation": "(\w+)"', problem(post(server, path, body))[2])
        assert advised == (["warn", "chunk"] if path == "/encode" else ["warn"])
        for policy in advised:
            assert post(server, path, {**body, "on_truncation": policy}).status_code == 200


@pytest.mark.parametrize("texts", [[LONG], []])
@pytest.mark.parametrize(("overlap", "status"), [(-1, 400), (0, 200), (8, 200), (9, 400)])
def test_an_overlap_is_at_most_half_of_a_piece(
    server: "RunningServer", texts: list[str], overlap: int, status: int
) -> None:
    body = {"texts": texts, "max_tokens": 20, "prompt": "a", "overlap_tokens": overlap}  # 17 tokens of text
    answer = post(server, "/encode_chunks", body)
    assert answer.status_code == status
    if status == 400:
        _, kind, message, param = problem(answer)
        assert (kind, param) == ("invalid_value", "overlap_tokens")
        assert message == f"overlap_tokens={overlap} is not possible; choose a whole number, 0 to 8."


def test_a_misspelled_name_in_the_address_is_refused(server: "RunningServer") -> None:
    answer = problem(httpx.get(server.url + "/model?modle=none"))
    assert (answer[1], answer[3]) == ("invalid_value", "modle")
    assert httpx.get(server.url + "/model?model=all-MiniLM-L6-v2").status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/encode", "/encode_chunks", "/token_states", "/count_tokens", "/tokens", "/token_places", "/truncation_report"],
)
def test_every_route_checks_model_number_and_length(start_server: "StartServer", path: str) -> None:
    small = start_server(max_texts=2, max_text_chars=10)
    assert problem(post(small, path, {"texts": ["a"], "model": "none"}))[:2] == (404, "model_not_found")
    assert problem(post(small, path, {"texts": ["a"] * 3}))[:2] == (400, "too_many_texts")
    assert problem(post(small, path, {"texts": ["a", "b" * 11]}))[1:3] == (
        "request_too_large",
        "texts[1] has 11 characters, the limit is 10. Split it, or start the server with a larger --max-text-chars.",
    )
    assert problem(httpx.post(small.url + path, content=b"{"))[:2] == (415, "unsupported_media_type")
    assert post(small, path, {"texts": []}).status_code == 200


def test_a_model_is_described(server: "RunningServer", minilm: gtekit.Embedder) -> None:
    answer = msgspec.json.decode(httpx.get(server.url + "/model").content, type=ModelAnswer)
    assert (answer.name, answer.fingerprint, answer.dimension) == (minilm.name, minilm.fingerprint, 384)
    assert answer.served_name == "all-MiniLM-L6-v2"
    assert httpx.get(server.url + "/model?model=none").status_code == 404


def test_tokens_are_counted_named_and_placed(server: "RunningServer", minilm: gtekit.Embedder) -> None:
    counts = msgspec.json.decode(post(server, "/count_tokens", {"texts": TEXTS}).content, type=CountsAnswer)
    assert counts.counts == minilm.count_tokens(TEXTS)
    named = msgspec.json.decode(post(server, "/tokens", {"texts": TEXTS}).content, type=TokensAnswer)
    assert named.tokens == minilm.tokenize(TEXTS)
    places = msgspec.json.decode(post(server, "/token_places", {"texts": TEXTS}).content, type=PlacesAnswer)
    assert places.texts[0].starts == minilm.tokenizer.encode_with_offsets(TEXTS[0]).starts.tolist()
    report = post(server, "/truncation_report", {"texts": ["x", LONG], "max_tokens": 20})
    (cut,) = msgspec.json.decode(report.content, type=ReportAnswer).truncations
    assert (cut.index, cut.token_count, cut.tokens_kept, cut.tokens_lost) == (1, 422, 20, 402)


def test_pieces_as_json_and_as_bytes(server: "RunningServer", minilm: gtekit.Embedder) -> None:
    body = {"texts": ["x", LONG], "max_tokens": 100, "dimensions": 8}
    expected = minilm.encode_chunks(["x", LONG], max_tokens=100, dimensions=8)
    answer = msgspec.json.decode(post(server, "/encode_chunks", body).content, type=ChunksAnswer)
    assert np.array(answer.embeddings, np.float32).tobytes() == expected.embeddings.tobytes()
    assert answer.text_index == expected.text_index.tolist()
    assert [list(pair) for pair in answer.offsets] == expected.offsets.tolist()
    octets = post(server, "/encode_chunks", body, **OCTETS).content
    assert octets[: expected.embeddings.nbytes] == expected.embeddings.tobytes()
    assert problem(post(server, "/encode_chunks", {**body, "overlap_tokens": 99}))[1] == "invalid_value"


@pytest.mark.parametrize("headers", [{}, OCTETS])
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/encode", {"texts": [f"text {number}" for number in range(200)]}),
        ("/encode", {"texts": [f"text {number}" for number in range(200)], "encoding": "base64"}),
        ("/encode_chunks", {"texts": ["a " * 200], "max_tokens": 3}),
        ("/token_states", {"texts": ["a " * 200]}),
    ],
)
def test_a_large_answer_comes_in_parts_and_is_nowhere_whole(
    server: "RunningServer", path: str, body: dict[str, Any], headers: dict[str, Any]
) -> None:
    with httpx.stream("POST", server.url + path, json=body, timeout=60, headers=headers) as answer:
        assert (answer.status_code, answer.headers.get("transfer-encoding")) == (200, "chunked")
        content = answer.read()
    if answer.headers["content-type"] == "application/json":
        assert len(json.loads(content)["embeddings"]) == 200
    few = httpx.post(server.url + path, json={"texts": ["a"]}, timeout=60, headers=headers)
    assert int(few.headers["content-length"]) == len(few.content)


def test_token_states_are_rows_and_their_numbers(server: "RunningServer", minilm: gtekit.Embedder) -> None:
    answer = post(server, "/token_states", {"texts": ["x", LONG]})
    states = minilm.token_states(["x", LONG], on_truncation="ignore")
    assert answer.headers["x-gtekit-shape"] == "259,384"
    assert answer.content[:-16] == np.concatenate(states).tobytes()
    assert np.frombuffer(answer.content[-16:], "<i4").tolist() == [3, 256, 3, 422]
    body = {"texts": ["x"], "on_truncation": "chunk"}
    assert problem(post(server, "/token_states", body))[3] == "on_truncation"


def test_answers_beyond_the_memory_are_refused(start_server: "StartServer") -> None:
    small = start_server(max_memory_bytes=400_000)  # 65 tokens of 1,536 bytes in a quarter of it
    assert post(small, "/token_states", {"texts": ["x"] * 20}).status_code == 200
    status, kind, message, _ = problem(post(small, "/token_states", {"texts": ["x"] * 30}))
    assert (status, kind) == (413, "request_too_large")
    assert "the texts have 90 tokens, the limit of an answer is 65" in message
    assert problem(post(small, "/encode_chunks", {"texts": [LONG], "max_tokens": 4}))[1] == "request_too_large"


def test_options_in_the_address_of_a_json_body_are_refused_and_not_passed_over(server: "RunningServer") -> None:
    answer = problem(post(server, "/encode?on_truncation=chunk", {"texts": ["x"]}))
    assert answer[:2] == (400, "invalid_value")
    assert "in the body" in answer[2]


def test_lines_in_are_lines_out_with_their_ids(server: "RunningServer", minilm: gtekit.Embedder) -> None:
    lines = ['"x"', "", '{"text": "y", "id": "b"}', json.dumps({"text": LONG, "id": 7}), "  "]
    rows = stream(server, lines, "?encoding=base64")
    assert [(row["index"], row.get("id"), row.get("truncated"), row["tokens"]) for row in rows] == [
        (0, None, None, 3),
        (1, "b", None, 3),
        (2, 7, True, 422),
    ]
    expected = minilm.encode(["x", "y", LONG], on_truncation="ignore")
    assert np.stack([read_base64(row["embedding"]) for row in rows]).tobytes() == expected.tobytes()
    assert stream(server, []) == []


def test_the_query_string_has_the_options(server: "RunningServer", minilm: gtekit.Embedder) -> None:
    (row,) = stream(server, ['"x"'], "?normalize=false&dimensions=5&prompt=a%20b:%20")
    expected = minilm.encode(["x"], normalize=False, dimensions=5, prompt="a b: ")
    assert np.array([row["embedding"]], np.float32).tobytes() == expected.tobytes()
    for query in ("?dimension=5", "?normalize=perhaps", "?dimensions=0", "?model=none"):
        answer = httpx.post(f"{server.url}/encode{query}", content='"x"', headers=LINES)
        assert answer.status_code in (400, 404)
        assert "error" in answer.json()


@pytest.mark.parametrize("bad", ["not json", '{"id": 1}', "7", '{"text": "x", "more": 1}', '"\\ud83d"', "[" * 5000])
def test_a_bad_line_is_named_after_what_came_before_it(server: "RunningServer", bad: str) -> None:
    rows = stream(server, ['"x"', '"y"', "", bad, '"z"'])
    assert [row.get("index") for row in rows] == [0, 1, None]
    assert rows[2]["error"]["kind"] == "invalid_json"
    assert rows[2]["error"]["message"].startswith("line 4 ")


def test_a_line_that_is_too_long_is_named(server: "RunningServer", start_server: "StartServer") -> None:
    rows = stream(server, ['"x"', '"y"', json.dumps(LONG), '"z"'], "?on_truncation=error")
    assert [row.get("index") for row in rows] == [0, 1, None]
    assert rows[2]["error"]["kind"] == "context_length_exceeded"
    assert rows[2]["error"]["message"].startswith("line 3: ")
    small = start_server(max_text_chars=10)
    assert stream(small, ['"x"', '"' + "y" * 11 + '"'])[1]["error"]["message"].startswith("line 2 has 11 characters")
    assert "line 2 has more than" in stream(small, ['"x"', '"' + "y" * 100_000 + '"'])[1]["error"]["message"]


def test_a_list_larger_than_any_body_goes_through(start_server: "StartServer", minilm: gtekit.Embedder) -> None:
    texts = [f"number {index}" for index in range(WINDOW_TEXTS + 44)]
    small = start_server(max_body_bytes=4096, max_texts=10)

    def lines() -> Iterator[bytes]:
        for first in range(0, len(texts), 100):
            yield "".join(json.dumps(text) + "\n" for text in texts[first : first + 100]).encode()

    answer = httpx.post(small.url + "/encode", content=lines(), headers={**LINES, **OCTETS}, timeout=60)
    assert answer.headers["x-gtekit-shape"] == "*,384"
    assert answer.content == minilm.encode(texts).tobytes()


def test_a_line_is_answered_before_the_next_one_comes(server: "RunningServer") -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(
            b"POST /encode?encoding=base64 HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-ndjson\r\n"
            b"transfer-encoding: chunked\r\n\r\n"
        )
        for number in range(3):
            line = b'{"text": "a", "id": %d}\n' % number
            connection.sendall(b"%x\r\n%b\r\n" % (len(line), line))
            received = b""
            while b"}\n" not in received:
                received += connection.recv(65536)
            assert b'"index":%d,"id":%d' % (number, number) in received
        connection.sendall(b"0\r\n\r\n")
        assert connection.recv(100).endswith(b"0\r\n\r\n")


def test_bytes_of_a_stream_that_goes_wrong_are_cut_off(server: "RunningServer") -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.post(server.url + "/encode", content='"x"\nnot json\n', headers={**LINES, **OCTETS})
