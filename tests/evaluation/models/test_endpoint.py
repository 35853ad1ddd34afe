"""A model behind an address, asked by the real client over a real connection."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

import gtekit
from gtekit.errors import ArgumentError, EndpointError, GtekitWarning, MissingExtraError
from gtekit.evaluation.models.endpoint import open_endpoint
from gtekit.evaluation.models.interface import EvaluatedModel
from gtekit.evaluation.models.paid_vectors import open_paid_vectors
from tests.evaluation.models.conftest import KEY, OpenModel, ignore
from tests.evaluation.models.embedding_server import DIMENSION, EmbeddingServer, hashed

TEXTS = [f"text number {number}" for number in range(50)]
ONE_ULP = 1e-6  # of float32, after a division by a length that is 1 already


@pytest.mark.parametrize("encoding", ["base64", "float"])
def test_vectors_come_in_the_order_of_the_texts(server: EmbeddingServer, open_model: OpenModel, encoding: str) -> None:
    server.is_shuffled = True
    finished: list[int] = []
    model = open_model(batch_size=20, encoding=encoding)
    vectors = model.embed(TEXTS, prompt="", normalize=None, done=finished.append)
    assert np.array_equal(vectors, hashed(TEXTS))  # to the last bit: both ways carry float32 whole
    assert vectors.dtype == np.float32
    assert server.batches == [TEXTS[:20], TEXTS[20:40], TEXTS[40:]]
    assert finished == [20, 40, 50]


def test_the_order_is_kept_by_many_requests_at_once(server: EmbeddingServer, open_model: OpenModel) -> None:
    server.delay_s = 0.05
    vectors = open_model(batch_size=3, parallel=4).embed(TEXTS, prompt="", normalize=None, done=ignore)
    assert np.array_equal(vectors, hashed(TEXTS))
    assert server.most_at_once == 4
    assert sorted(text for batch in server.batches for text in batch) == sorted(TEXTS)


def test_a_real_model_behind_an_address_gives_what_it_gives_here(
    server: EmbeddingServer, open_model: OpenModel, minilm: "gtekit.Embedder"
) -> None:
    server.embed = minilm.encode
    texts = ["how to sort a list", "Beijing is a city", "naïve café 東京"]
    assert np.array_equal(open_model().embed(texts, prompt="", normalize=None, done=ignore), minilm.encode(texts))


def test_the_facts_are_what_is_known_from_outside(open_model: OpenModel, server: EmbeddingServer) -> None:
    model: EvaluatedModel = open_model()
    place = server.address.removeprefix("http://")
    assert model.facts.kind == "openai"
    assert (model.facts.name, model.facts.fingerprint) == ("hash-8", f"endpoint:{place}:hash-8")
    assert (model.facts.precision, model.facts.max_tokens, model.facts.size_bytes) == ("", None, None)
    assert (model.facts.prompts, model.facts.default_prompt, model.texts_cut) == ({}, "", None)


def test_a_slash_at_the_end_changes_nothing(open_model: OpenModel, server: EmbeddingServer) -> None:
    model = open_model(address=server.address + "/")
    assert model.facts == open_model().facts
    assert model.embed(["a"], prompt="", normalize=None, done=ignore).shape == (1, DIMENSION)


def test_a_prompt_goes_before_every_text(server: EmbeddingServer, open_model: OpenModel) -> None:
    open_model().embed(["a", "b"], prompt="query: ", normalize=None, done=ignore)
    assert server.batches == [["query: a", "query: b"]]


def test_no_texts_ask_nothing(server: EmbeddingServer, open_model: OpenModel) -> None:
    assert open_model().embed([], prompt="", normalize=None, done=ignore).shape == (0, 0)
    assert server.batches == []


def test_an_empty_text_is_sent_as_a_space_and_that_is_said(server: EmbeddingServer, open_model: OpenModel) -> None:
    with pytest.warns(GtekitWarning, match="1 of 3 texts is empty"):
        vectors = open_model().embed(["a", "", " "], prompt="", normalize=None, done=ignore)
    assert server.batches == [["a", " "]]  # and once, though it came twice
    assert np.array_equal(vectors, hashed(["a", " ", " "]))
    open_model().embed(["a", ""], prompt="query: ", normalize=None, done=ignore)  # not empty, so no warning
    assert server.batches[-1] == ["query: a", "query: "]


def test_half_of_a_surrogate_pair_is_refused_before_anything_is_sent(
    server: EmbeddingServer, open_model: OpenModel
) -> None:
    with pytest.raises(ArgumentError, match=r"texts\[1\] has half of a surrogate pair, '\\ud83d'"):
        open_model().embed(["a", "b\ud83d"], prompt="", normalize=None, done=ignore)
    assert server.batches == []


def test_a_text_that_is_too_long_is_named(server: EmbeddingServer, open_model: OpenModel, tmp_path: Path) -> None:
    server.max_characters = 100
    texts = [*TEXTS[:30], "a very long story " * 20, *TEXTS[30:]]  # 18 * 20 = 360 characters
    model = open_model(paid_vectors=tmp_path / "paid.sqlite")
    with pytest.raises(EndpointError, match="maximum context length") as refusal:
        model.embed(texts, prompt="", normalize=None, done=ignore)
    message = str(refusal.value)
    assert "texts[30]" in message
    assert "360 characters and begins 'a very long story a very long story" in message
    assert "max_characters=24000" in message
    assert len(server.batches) < 20  # found by halving
    assert len(model.unpaid(texts, prompt="")) < 51  # of its neighbours, those that were answered are kept


def test_texts_are_cut_where_that_is_asked_for(server: EmbeddingServer, open_model: OpenModel, tmp_path: Path) -> None:
    path = tmp_path / "paid.sqlite"
    model = open_model(max_characters=10, paid_vectors=path)
    vectors = model.embed(["0123456789abc", "0123456789xyz", "short"], prompt="", normalize=None, done=ignore)
    assert server.batches == [["0123456789", "short"]]
    assert np.array_equal(vectors, hashed(["0123456789", "0123456789", "short"]))
    assert model.texts_cut == 2
    assert model.facts.fingerprint == open_model().facts.fingerprint + ":cut at 10 characters"  # another score
    assert open_model(paid_vectors=path).unpaid(["short"], prompt="") == []  # but the same vectors


def test_normalize_gives_length_1_only_where_asked(server: EmbeddingServer, open_model: OpenModel) -> None:
    server.embed = lambda texts: hashed(texts, length=3.0)
    for normalize, length in ((True, 1.0), (None, 3.0), (False, 3.0)):
        vectors = open_model().embed(TEXTS, prompt="", normalize=normalize, done=ignore)
        assert np.allclose(np.linalg.norm(vectors, axis=1), length, atol=ONE_ULP)


def test_what_the_server_normalizes_can_not_be_undone(
    server: EmbeddingServer, open_model: OpenModel, tmp_path: Path
) -> None:
    model = open_model(batch_size=10, paid_vectors=tmp_path / "paid.sqlite")
    with pytest.raises(ArgumentError, match="normalize=False is not possible"):
        model.embed(TEXTS, prompt="", normalize=False, done=ignore)
    assert len(server.batches) == 1  # it is known after the first request, which is kept
    assert len(model.unpaid(TEXTS, prompt="")) == 40
    with pytest.raises(ArgumentError, match="normalize=False is not possible"):
        model.embed(TEXTS, prompt="", normalize=False, done=ignore)
    assert len(server.batches) == 1
    assert np.allclose(model.embed(TEXTS, prompt="", normalize=True, done=ignore), hashed(TEXTS), atol=ONE_ULP)


def test_without_the_client_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(
        MissingExtraError, match=r"needs openai, which is not installed: pip install 'gtekit\[endpoint\]'"
    ):
        open_endpoint("a", address="http://localhost:1/v1")


def test_importing_it_does_not_import_the_client() -> None:
    code = "import sys, gtekit.evaluation.models.endpoint; print('openai' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout.strip() == b"False"


EMBED = """
import sys
from pathlib import Path
from gtekit.evaluation.models.endpoint import EndpointOptions, open_endpoint
address, paid, parallel = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
options = EndpointOptions(batch_size=2, parallel=parallel)
model = open_endpoint("hash-8", address=address, key_variable="THE_KEY", paid_vectors=paid, options=options)
texts = [f"text number {number}" for number in range(50)]
try:
    model.embed(texts, prompt="", normalize=None, done=lambda finished: print(finished, flush=True))
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


@contextmanager
def embedding(server: EmbeddingServer, paid: Path, parallel: int) -> "Iterator[subprocess.Popen[str]]":
    command = [sys.executable, "-c", EMBED, server.address, str(paid), str(parallel)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env={**os.environ, "THE_KEY": KEY}) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("parallel", [1, 3])
def test_what_was_paid_for_survives_a_kill(
    server: EmbeddingServer, open_model: OpenModel, tmp_path: Path, parallel: int
) -> None:
    server.delay_s = 0.05
    paid = tmp_path / "paid.sqlite"
    with embedding(server, paid, parallel) as process:
        assert process.stdout is not None
        while (finished := int(process.stdout.readline())) < 20:
            pass
        process.kill()
        output, errors = process.communicate(timeout=30)
    finished = max([finished, *map(int, output.split())])  # each number was printed after its vectors were kept
    assert not errors
    time.sleep(2 * server.delay_s)  # requests that were on their way when it died are answered into the void
    first = sum(server.answered.values())
    assert finished <= first < 50
    with open_paid_vectors(paid) as file:
        missing = file.missing(open_model().facts.fingerprint, TEXTS)
    assert len(missing) <= 50 - finished
    assert len(missing) - (50 - first) <= 2 * parallel + 2  # answered and not kept: what was on its way, at most
    server.batches.clear()
    vectors = open_model(batch_size=2, paid_vectors=paid).embed(TEXTS, prompt="", normalize=None, done=ignore)
    assert np.array_equal(vectors, hashed(TEXTS))
    assert [text for batch in server.batches for text in batch] == [TEXTS[place] for place in missing]


@pytest.mark.skipif(sys.platform == "win32", reason="signals are not those of POSIX")
@pytest.mark.parametrize("parallel", [1, 3])
def test_ctrl_c_stops_at_once_while_the_server_keeps_it_waiting(
    server: EmbeddingServer, tmp_path: Path, parallel: int
) -> None:
    server.delay_s = 0.1
    with embedding(server, tmp_path / "paid.sqlite", parallel) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "2\n"
        server.delay_s = 60
        time.sleep(0.5)
        begun = time.monotonic()
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=30)
        assert time.monotonic() - begun < 3
    assert output.endswith("interrupted\n")
    assert not errors
    assert process.returncode == 0
