"""The client beside the model that its server runs: the same bits, warnings, errors and names."""

import inspect
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import gtekit
from gtekit.client import AsyncClient, Client
from gtekit.client.plan import MAX_TEXTS
from gtekit.errors import (
    ArgumentError,
    EndpointError,
    GtekitWarning,
    TextTypeError,
    TruncationError,
    TruncationWarning,
)
from gtekit.serving.keys import sha256_of
from tests.client.scripted_server import Answer, scripted

if TYPE_CHECKING:
    from tests.serving.conftest import RunningServer, StartServer

TEXTS = ["A man is playing a guitar.", "Die Katze schläft.", "", "😀 emoji", "x", "A man is playing a guitar."]
LONG = "one two three four five six seven " * 60  # 422 tokens; the model reads 256
LONGER = "Sentences end. They begin again, and nobody knows why. " * 90
NOT_REMOTE = {"engine", "batch_tokens", "memory_bytes"}  # what has no meaning from afar


def outcome(call: Callable[[], Any]) -> tuple[Any, type[BaseException] | None, str, list[str]]:
    """What a call gives, or raises, and what it warns of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            value, kind, message = call(), None, ""
        except gtekit.GtekitError as error:
            value, kind, message = None, type(error), str(error)
    return value, kind, message, [str(one.message) for one in caught if issubclass(one.category, GtekitWarning)]


def assert_same(local: Callable[[], Any], remote: Callable[[], Any]) -> None:
    expected, found = outcome(local), outcome(remote)
    assert found[1:] == expected[1:]
    assert bits(found[0]) == bits(expected[0])


def bits(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.shape, value.dtype, value.tobytes()
    if isinstance(value, gtekit.Chunks):
        return bits(value.embeddings), bits(value.text_index), bits(value.offsets)
    return [bits(each) for each in value] if isinstance(value, list) else value


def test_the_client_has_what_a_local_model_has() -> None:
    expected = {name for name in dir(gtekit.Embedder) if not name.startswith("_")} | {"checkpoint", "tokenizer"}
    assert expected - set(dir(Client)) == NOT_REMOTE & expected
    assert expected - set(dir(AsyncClient)) - NOT_REMOTE == {"tokenizer", "with_max_tokens"}
    for name in expected - NOT_REMOTE - {"checkpoint", "tokenizer", "with_max_tokens"}:
        local, remote = getattr(gtekit.Embedder, name), getattr(Client, name)
        if callable(local):
            assert inspect.signature(remote) == inspect.signature(local), name
            wanted = list(inspect.signature(local).parameters)
            assert list(inspect.signature(getattr(AsyncClient, name)).parameters) == wanted, name


def test_the_properties_are_those_of_the_model(client: Client, minilm: gtekit.Embedder) -> None:
    for name in ("name", "revision", "fingerprint", "dimension", "max_tokens", "prompts", "pooling", "normalize"):
        assert getattr(client, name) == getattr(minilm, name), name
    for name in ("threads", "isa", "precision"):
        assert getattr(client, name) == getattr(minilm, name), name
    assert repr(client) == f"<Client {minilm.name} at {client.address}>"


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"normalize": False},
        {"dimensions": 17},
        {"dimensions": np.int64(5), "normalize": False},
        {"dimensions": 384},
        {"prompt": "query: "},
        {"batch_tokens": 64, "progress": False},
        {"on_truncation": "ignore"},
        {"on_truncation": "chunk"},
        {"on_truncation": "error"},
    ],
)
def test_vectors_warnings_and_errors_are_those_of_the_model(
    client: Client, minilm: gtekit.Embedder, options: Any
) -> None:
    texts = [*TEXTS, LONG, LONGER]
    assert_same(lambda: minilm.encode(texts, **options), lambda: client.encode(texts, **options))
    assert_same(lambda: minilm.encode([], **options), lambda: client.encode([], **options))


@pytest.mark.parametrize(
    "options",
    [
        {"dimension": 3},
        {"dimensions": 0},
        {"dimensions": 385},
        {"on_truncation": "cut"},
        {"normalize": 1},
        {"prompt_name": "query"},
        {"prompt": 7},
        {"batch_tokens": 0},
    ],
)
@pytest.mark.parametrize("method", ["encode", "encode_query", "encode_chunks", "token_states", "encode_stream"])
def test_options_that_a_model_refuses_are_refused_in_its_words(
    client: Client, minilm: gtekit.Embedder, method: str, options: Any
) -> None:
    assert_same(lambda: getattr(minilm, method)(TEXTS, **options), lambda: getattr(client, method)(TEXTS, **options))
    assert outcome(lambda: getattr(client, method)(TEXTS, **options))[1] is ArgumentError


@pytest.mark.parametrize(
    "texts", ["one", None, 7, {"a"}, ["a", None], ["a", ["b"]], [b"a"], iter(["a"]), ["a", "b\ud83d"]]
)
@pytest.mark.parametrize("method", ["encode", "tokenize", "count_tokens", "truncation_report", "encode_chunks"])
def test_what_is_no_list_of_texts_is_refused_in_the_words_of_a_model(
    client: Client, minilm: gtekit.Embedder, method: str, texts: Any
) -> None:
    assert_same(lambda: getattr(minilm, method)(texts), lambda: getattr(client, method)(texts))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=30), max_size=8))
def test_any_text_has_the_vector_and_the_tokens_that_it_has_locally(
    marked: gtekit.Embedder, marked_client: Client, texts: list[str]
) -> None:
    assert bits(marked_client.encode(texts)) == bits(marked.encode(texts))
    assert marked_client.tokenize(texts) == marked.tokenize(texts)
    assert marked_client.count_tokens(texts) == marked.count_tokens(texts)


def test_prompts_are_those_that_the_model_would_choose(marked: gtekit.Embedder, marked_client: Client) -> None:
    for method in ("encode", "encode_query", "encode_document"):
        assert bits(getattr(marked_client, method)(TEXTS)) == bits(getattr(marked, method)(TEXTS))
    assert bits(marked_client.encode(TEXTS, prompt_name="passage")) == bits(marked.encode_document(TEXTS))
    assert bits(marked_client.encode_one("x", prompt="")) == bits(marked.encode_one("x", prompt=""))
    assert bits(marked_client.encode(TEXTS)) != bits(marked_client.encode(TEXTS, prompt=""))
    with pytest.raises(TextTypeError, match="expected one str"):
        marked_client.encode_one(["x"])  # type: ignore[arg-type]


def test_a_long_list_goes_in_several_requests_and_keeps_its_order(
    marked: gtekit.Embedder, marked_client: Client
) -> None:
    texts = [f"number {index}" for index in range(3 * MAX_TEXTS + 7)]
    assert bits(marked_client.encode(texts)) == bits(marked.encode(texts))
    texts[2 * MAX_TEXTS + 3] = LONGER
    for options in ({}, {"on_truncation": "error"}):
        assert_same(lambda: marked.encode(texts, **options), lambda: marked_client.encode(texts, **options))  # type: ignore[arg-type]  # noqa: B023
    assert_same(lambda: marked.truncation_report(texts), lambda: marked_client.truncation_report(texts))
    assert_same(lambda: marked.encode_chunks(texts), lambda: marked_client.encode_chunks(texts))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"max_tokens": 40, "overlap_tokens": 0},
        {"max_tokens": 9, "overlap_tokens": 3, "prompt": "passage: ", "normalize": False},
        {"dimensions": 7, "overlap_tokens": np.int64(2)},
        {"overlap_tokens": 32},
        {"max_tokens": 2},
        {"max_tokens": 65},
        {"on_truncation": "warn"},
        {"prompt": "no room " * 40},
    ],
)
def test_pieces_are_those_of_the_model(marked: gtekit.Embedder, marked_client: Client, options: Any) -> None:
    texts = [*TEXTS, LONG, LONGER]
    assert_same(lambda: marked.encode_chunks(texts, **options), lambda: marked_client.encode_chunks(texts, **options))
    assert_same(lambda: marked.encode_chunks([], **options), lambda: marked_client.encode_chunks([], **options))


@pytest.mark.parametrize("options", [{}, {"on_truncation": "error"}, {"on_truncation": "chunk"}, {"prompt": "a: "}])
def test_token_states_are_those_of_the_model(client: Client, minilm: gtekit.Embedder, options: Any) -> None:
    texts = [*TEXTS, LONG]
    assert_same(lambda: minilm.token_states(texts, **options), lambda: client.token_states(texts, **options))
    assert client.token_states([]) == []


def test_tokens_counts_and_cuts_are_those_of_the_model(client: Client, minilm: gtekit.Embedder) -> None:
    texts = [*TEXTS, LONG, LONGER]
    for method in ("tokenize", "count_tokens", "truncation_report"):
        assert getattr(client, method)(texts) == getattr(minilm, method)(texts)
        assert getattr(client, method)([]) == []
    assert client.truncation_report(texts, prompt="a b c ") == minilm.truncation_report(texts, prompt="a b c ")
    vectors = client.encode(TEXTS)
    assert bits(client.similarity(vectors, vectors)) == bits(minilm.similarity(vectors, vectors))
    assert bits(client.similarity_pairwise(vectors, vectors)) == bits(minilm.similarity_pairwise(vectors, vectors))


def test_a_stream_gives_the_blocks_of_the_model_and_one_warning(marked: gtekit.Embedder, marked_client: Client) -> None:
    texts = [f"number {index}" for index in range(40)] + [LONGER, "", LONG]
    for options in ({}, {"on_truncation": "error"}, {"on_truncation": "ignore", "normalize": False}):
        assert_same(
            lambda: list(marked.encode_stream(iter(texts), block_texts=16, **options)),  # noqa: B023
            lambda: list(marked_client.encode_stream(iter(texts), block_texts=16, **options)),  # noqa: B023
        )
    lengths: list[int] = []
    for _ in marked_client.encode_stream(texts, take_lengths=lambda some: lengths.extend(some.tolist())):
        pass
    assert lengths == [len(tokens) for tokens in marked.tokenize(["text: " + text for text in texts])]


def test_a_stream_pulls_two_blocks_ahead_at_most(marked_client: Client) -> None:
    pulled = 0

    def endless() -> Any:
        nonlocal pulled
        while True:
            pulled += 1
            yield f"text {pulled}"

    stream = marked_client.encode_stream(endless(), block_texts=5)
    for given_out in range(1, 4):
        assert len(next(stream)) == 5
        assert pulled <= 5 * (given_out + 2)
    stream.close()  # type: ignore[attr-defined]


def test_another_limit_cuts_as_a_local_model_with_it(client: Client, minilm: gtekit.Embedder) -> None:
    shorter, local = client.with_max_tokens(8), minilm.with_max_tokens(8)
    assert shorter.max_tokens == 8
    texts = [*TEXTS, LONG]
    for method in ("encode", "truncation_report", "token_states", "encode_chunks"):
        assert_same(lambda: getattr(local, method)(texts), lambda: getattr(shorter, method)(texts))  # noqa: B023
    for option in ("error", "chunk"):
        assert_same(
            lambda: local.encode(texts, on_truncation=option),  # noqa: B023
            lambda: shorter.encode(texts, on_truncation=option),  # noqa: B023
        )
    for wrong in (2, 257):
        with pytest.raises(ArgumentError, match=f"max_tokens={wrong} is not possible"):
            client.with_max_tokens(wrong)
    with Client(client.address, max_tokens=8) as other:
        assert bits(other.encode(texts, on_truncation="ignore")) == bits(local.encode(texts, on_truncation="ignore"))
    with Client(client.address, max_tokens=300) as other, pytest.raises(ArgumentError, match="max_tokens=300"):
        other.encode(["x"])


def test_a_warning_points_at_the_line_of_the_caller(client: Client) -> None:
    with pytest.warns(TruncationWarning) as caught:
        client.encode([LONG])
    assert caught[0].filename == __file__


def test_many_threads_share_a_client(marked: gtekit.Embedder, marked_client: Client) -> None:
    found: dict[int, Any] = {}

    def ask(number: int) -> None:
        found[number] = bits(marked_client.encode([f"text {number} {place}" for place in range(20)]))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in range(16):
        assert found[number] == bits(marked.encode([f"text {number} {place}" for place in range(20)]))


def test_compressed_texts_have_the_same_vectors(minilm: gtekit.Embedder, server: "RunningServer") -> None:
    texts = [*TEXTS, LONGER]
    with Client(server.url, compress=True, priority="bulk") as client:
        assert bits(client.encode(texts, on_truncation="ignore")) == bits(minilm.encode(texts, on_truncation="ignore"))


def test_a_model_that_is_not_served_is_named_with_those_that_are(server: "RunningServer") -> None:
    with Client(server.url, model="none") as client, pytest.raises(EndpointError, match=r"no model 'none'.*all-MiniLM"):
        client.encode(["x"])
    with Client(server.url, model="all-MiniLM-L6-v2") as client:
        assert client.dimension == 384


def test_the_key_is_sent_and_its_lack_is_explained(start_server: "StartServer", tmp_path: Path) -> None:
    keys = tmp_path / "keys.toml"
    keys.write_text(f'[[key]]\nname = "app"\nsha256 = "{sha256_of("k" * 43)}"\n')
    keys.chmod(0o600)
    url = start_server(keys_file=keys).url
    with Client(url, api_key="k" * 43) as client:
        assert client.encode(["x"]).shape == (1, 384)
    with Client(url) as client, pytest.raises(EndpointError, match=r"answers 401.*GTEKIT_API_KEY"):
        client.encode(["x"])


def test_limits_of_the_server_are_split_around_or_told(start_server: "StartServer", minilm: gtekit.Embedder) -> None:
    texts = [f"text {index}" for index in range(10)]
    with Client(start_server(max_texts=3, max_text_chars=100).url) as client:
        assert bits(client.encode(texts)) == bits(minilm.encode(texts))
        with pytest.raises(ArgumentError, match=r"has 101 characters, the limit is 100"):
            client.encode(["x" * 101])


def test_a_server_that_changes_its_model_is_noticed(client: Client, minilm: gtekit.Embedder) -> None:
    with Client(client.address) as held:
        assert held.dimension == minilm.dimension
        facts = held.checkpoint
        object.__setattr__(facts, "fingerprint", "0" * 64)  # as if it had been another one when it was first asked
        with pytest.raises(EndpointError, match=r"serves another model by now \(fingerprint [0-9a-f]{64}, before 0000"):
            held.encode(["x"])


@pytest.mark.parametrize("body", [b"", b"{}", b'{"object": "list"}', b"<html></html>"])
def test_another_kind_of_server_is_recognized(body: bytes) -> None:
    with (
        scripted(Answer(body=body)) as other,
        Client(other.url, retries=0) as client,
        pytest.raises(EndpointError, match=r"GET /model does not describe a model.*gtekit serve"),
    ):
        client.encode(["x"])


FORKING = """
import os, sys, gtekit.client
client = gtekit.client.Client(sys.argv[1])
before = client.encode(["x", "y"]).tobytes()
children = []
for number in range(4):
    child = os.fork()
    if not child:
        same = all(client.encode(["x", "y"]).tobytes() == before for _ in range(5))
        os._exit(0 if same else 1)
    children.append(child)
same = all(client.encode(["x", "y"]).tobytes() == before for _ in range(20))
print(same, [os.waitpid(child, 0)[1] for child in children])
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="This system has no fork.")
def test_a_forked_process_opens_connections_of_its_own(client: Client) -> None:
    run = subprocess.run([sys.executable, "-c", FORKING, client.address], capture_output=True, text=True, timeout=60)
    assert run.stdout == "True [0, 0, 0, 0]\n", run.stderr


SERVING = """
import sys
from gtekit.serving.server import Server
from gtekit.serving.settings import ServerSettings
sys.exit(Server(ServerSettings(model=(sys.argv[1],), port=int(sys.argv[2]), log="off")).run())
"""


@pytest.mark.slow
def test_a_server_that_is_killed_in_the_middle_is_an_endpoint_error(tiny_checkpoint: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-c", SERVING, str(tiny_checkpoint), str(port)])
    try:
        with Client(f"http://127.0.0.1:{port}", retries=2) as client:
            end = time.monotonic() + 60
            while True:
                try:
                    assert client.dimension == 32
                    break
                except EndpointError:
                    assert time.monotonic() < end
            texts = (f"text number {index}" for index in range(10_000_000))
            stream = client.encode_stream(texts, block_texts=1000)
            next(stream)
            process.send_signal(signal.SIGKILL)
            with pytest.raises(EndpointError, match=r"Is the server (still )?running"):
                for _ in stream:
                    pass
    finally:
        process.kill()
        process.wait()


def test_too_long_is_also_told_as_a_value_error(client: Client) -> None:
    with pytest.raises(ValueError, match=r"texts\[1\] has 422 tokens, the limit is 256") as caught:
        client.encode(["x", LONG], on_truncation="error")
    assert type(caught.value) is TruncationError
