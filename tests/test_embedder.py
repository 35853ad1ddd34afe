"""What people call: texts in, embeddings out, in every form that is promised."""

import itertools
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gtekit
from gtekit.checkpoint.seeded import write_seeded_checkpoint
from tests.engine.subprocesses import run_python, start_python

TEXTS = ["the water of the city", "", "a", "how to implement quick sort in python?", "word " * 40, "é北😀\x00"]


@pytest.fixture(scope="module")
def model(tiny_checkpoint: Path) -> gtekit.Embedder:
    return gtekit.load(tiny_checkpoint, language_warning=False)


@pytest.fixture(scope="module")
def with_prompts(tmp_path_factory: pytest.TempPathFactory) -> gtekit.Embedder:
    folder = write_seeded_checkpoint(tmp_path_factory.mktemp("prompts"), size="tiny")
    (folder / "config_sentence_transformers.json").write_text(
        '{"prompts": {"query": "query: ", "passage": "passage: "}, "default_prompt_name": "passage"}', encoding="utf-8"
    )
    return gtekit.load(folder)


def test_a_vector_for_each_text_in_order(model: gtekit.Embedder) -> None:
    embeddings = model.encode(TEXTS)
    assert embeddings.shape == (len(TEXTS), model.dimension)
    assert embeddings.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-6)
    for text, embedding in zip(TEXTS, embeddings, strict=True):
        assert model.encode_one(text).tobytes() == embedding.tobytes()
        assert model.encode_one(text).shape == (model.dimension,)


def test_no_texts_give_no_vectors(model: gtekit.Embedder) -> None:
    assert model.encode([]).shape == (0, model.dimension)
    assert model.encode([]).dtype == np.float32
    assert model.encode([], dimensions=5).shape == (0, 5)
    assert model.encode([], on_truncation="chunk").shape == (0, model.dimension)
    assert list(model.encode_stream([])) == []
    assert model.token_states([]) == []
    assert [*model.tokenize([]), *model.count_tokens([]), *model.truncation_report([])] == []
    chunks = model.encode_chunks([])
    assert (chunks.embeddings.shape, chunks.offsets.shape, len(chunks)) == ((0, model.dimension), (0, 2), 0)


def test_an_empty_text_is_its_special_tokens(model: gtekit.Embedder) -> None:
    assert model.tokenize([""]) == [["[CLS]", "[SEP]"]]
    states = model.token_states([""])[0]
    np.testing.assert_allclose(model.encode_one("", normalize=False), states.mean(axis=0), atol=1e-6)


def test_one_text_where_a_list_belongs_is_refused_and_the_other_way_round(model: gtekit.Embedder) -> None:
    with pytest.raises(gtekit.TextTypeError, match=r"encode_one\(text\)"):
        model.encode("text")
    with pytest.raises(gtekit.TextTypeError, match=r"For a list: encode\(texts\)"):
        model.encode_one(["text"])  # type: ignore[arg-type]
    with pytest.raises(gtekit.TextTypeError, match="expected an iterable"):
        model.encode_stream("text")
    for method in (model.encode_chunks, model.token_states, model.tokenize, model.count_tokens):
        with pytest.raises(gtekit.TextTypeError, match=r"texts\[1\] is an int"):
            method(["a", 1])  # type: ignore[list-item]


def test_fewer_dimensions_are_the_first_ones_normalized_again(model: gtekit.Embedder) -> None:
    raw = model.encode(TEXTS, normalize=False)
    np.testing.assert_array_equal(model.encode(TEXTS, normalize=False, dimensions=8), raw[:, :8])
    shorter = model.encode(TEXTS, dimensions=8)
    np.testing.assert_allclose(shorter, raw[:, :8] / np.linalg.norm(raw[:, :8], axis=1)[:, None], atol=1e-6)
    assert model.encode(TEXTS, dimensions=model.dimension).tobytes() == model.encode(TEXTS).tobytes()
    assert model.encode_one(TEXTS[3], dimensions=8).tobytes() == shorter[3].tobytes()


def test_unnormalized_vectors_are_the_mean_of_the_token_states(model: gtekit.Embedder) -> None:
    raw = model.encode(TEXTS, normalize=False)
    states = model.token_states(TEXTS)
    assert [len(state) for state in states] == model.count_tokens(TEXTS)
    np.testing.assert_allclose(raw, [state.mean(axis=0) for state in states], atol=1e-6)


def test_tokens_are_counted_with_special_tokens_and_not_cut(model: gtekit.Embedder) -> None:
    texts = ["a b c", "", "a " * 500]
    assert model.count_tokens(texts) == [5, 2, 502]
    assert [len(tokens) for tokens in model.tokenize(texts)] == [5, 2, 502]


def test_queries_and_documents_get_their_prompts(with_prompts: gtekit.Embedder) -> None:
    model, texts = with_prompts, ["the water", "a city"]
    queries = model.encode([f"query: {text}" for text in texts], prompt="")
    passages = model.encode([f"passage: {text}" for text in texts], prompt="")
    plain = model.encode(texts, prompt="")
    np.testing.assert_array_equal(model.encode_query(texts), queries)
    np.testing.assert_array_equal(model.encode_document(texts), passages)
    np.testing.assert_array_equal(model.encode(texts), passages)  # the default prompt
    np.testing.assert_array_equal(model.encode(texts, prompt_name="query"), queries)
    np.testing.assert_array_equal(model.encode_query(texts, prompt_name="passage"), passages)
    np.testing.assert_array_equal(model.encode_query(texts, prompt=""), plain)
    np.testing.assert_array_equal(next(model.encode_stream(texts)), passages)
    np.testing.assert_array_equal(model.encode_chunks(texts).embeddings, passages)


def test_without_prompts_queries_are_texts(model: gtekit.Embedder) -> None:
    np.testing.assert_array_equal(model.encode_query(TEXTS), model.encode(TEXTS))
    np.testing.assert_array_equal(model.encode_document(TEXTS), model.encode(TEXTS))


def test_a_stream_gives_the_vectors_of_encode_in_order(model: gtekit.Embedder) -> None:
    blocks = list(model.encode_stream(iter(TEXTS), block_texts=4))
    assert [len(block) for block in blocks] == [4, 2]
    assert np.concatenate(blocks).tobytes() == model.encode(TEXTS).tobytes()


def test_a_stream_may_never_end_and_is_pulled_only_as_needed(model: gtekit.Embedder) -> None:
    pulled = 0

    def endless() -> Iterator[str]:
        nonlocal pulled
        for pulled in itertools.count(1):
            yield f"text {pulled}"

    stream = model.encode_stream(endless(), block_texts=10)
    assert pulled == 0
    for _ in range(3):
        assert next(stream).shape == (10, model.dimension)
    assert pulled <= 50
    before = threading.active_count()
    stream.close()  # type: ignore[attr-defined]
    assert threading.active_count() < before


def test_a_stream_checks_its_options_at_once_and_its_texts_as_they_come(model: gtekit.Embedder) -> None:
    with pytest.raises(gtekit.ArgumentError, match="unknown option"):
        model.encode_stream([], batch_size=3)  # type: ignore[call-arg]
    with pytest.raises(gtekit.ArgumentError, match="block_texts=0"):
        model.encode_stream([], block_texts=0)
    stream = model.encode_stream(["a", "b", 7], block_texts=2)  # type: ignore[list-item]
    assert next(stream).shape == (2, model.dimension)
    with pytest.raises(gtekit.TextTypeError, match=r"texts\[2\] is an int"):
        next(stream)


def test_chunks_have_vectors_and_the_characters_they_come_from(model: gtekit.Embedder) -> None:
    texts = ["The old river turns. Nobody knows why. " * 20, "", "short"]
    chunks = model.encode_chunks(texts)
    assert chunks.text_index.tolist() == [0] * (len(chunks) - 2) + [1, 2]
    pieces = [texts[i][start:end] for i, (start, end) in zip(chunks.text_index, chunks.offsets, strict=True)]
    assert all(piece.endswith(".") for piece in pieces[:-2])
    assert model.encode(pieces).tobytes() == chunks.embeddings.tobytes()
    smaller = model.encode_chunks(texts, max_tokens=16, overlap_tokens=0, dimensions=4)
    assert len(smaller) > len(chunks)
    assert smaller.embeddings.shape[1] == 4
    with pytest.raises(gtekit.ArgumentError, match="max_tokens=65 is not possible; choose a whole number, 3 to 64"):
        model.encode_chunks(texts, max_tokens=65)
    with pytest.raises(gtekit.ArgumentError, match="unknown option 'on_truncation'"):
        model.encode_chunks(texts, on_truncation="warn")


def test_the_model_says_what_it_is(model: gtekit.Embedder, tiny_checkpoint: Path) -> None:
    assert (model.name, model.dimension, model.max_tokens) == (str(tiny_checkpoint), 32, 64)
    assert (model.pooling, model.normalize, model.precision, model.revision) == ("mean", True, "float32", None)
    assert model.threads >= 1
    assert model.memory_bytes > 2_048 * 32 * 4
    assert model.isa in repr(model)
    assert len(model.fingerprint) == 64


def test_load_takes_a_limit_a_thread_count_and_refuses_what_is_not_possible(tiny_checkpoint: Path) -> None:
    model = gtekit.load(tiny_checkpoint, max_tokens=8, threads=1, isa="scalar")
    assert (model.max_tokens, model.threads, model.isa) == (8, 1, "scalar")
    assert len(model.token_states(["a " * 100], on_truncation="ignore")[0]) == 8
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"max_tokens": 65}, "max_tokens=65 is not possible; choose a whole number, 3 to 64"),
        ({"threads": 0}, "threads=0"),
        ({"threads": 1025}, "threads=1025 is not possible; choose a whole number, 1 to 1,024"),
        ({"precision": "int4"}, "precision='int4' is not possible; choose from: float32"),
    ]
    for keywords, message in wrong:
        with pytest.raises(gtekit.ArgumentError, match=message):
            gtekit.load(tiny_checkpoint, **keywords)


def test_similarity_is_also_on_the_model(model: gtekit.Embedder) -> None:
    embeddings = model.encode(TEXTS)
    np.testing.assert_allclose(model.similarity(embeddings[:2], embeddings), embeddings[:2] @ embeddings.T, atol=1e-6)
    np.testing.assert_allclose(model.similarity_pairwise(embeddings, embeddings), 1, atol=1e-6)


@settings(max_examples=25, deadline=None)
@given(texts=st.permutations(TEXTS * 2), batch_tokens=st.integers(1, 600))
def test_order_and_batch_size_change_no_bit(model: gtekit.Embedder, texts: list[str], batch_tokens: int) -> None:
    expected = dict(zip(TEXTS, model.encode(TEXTS), strict=True))
    found = model.encode(texts, batch_tokens=batch_tokens)
    assert all(vector.tobytes() == expected[text].tobytes() for text, vector in zip(texts, found, strict=True))


def test_several_threads_may_call_at_once(model: gtekit.Embedder) -> None:
    expected = model.encode(TEXTS)
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: model.encode(TEXTS * 20), range(12)))
    assert all(result.tobytes() == expected.tobytes() * 20 for result in results)


def test_progress_goes_to_stderr_when_asked_for(model: gtekit.Embedder, capsys: pytest.CaptureFixture[str]) -> None:
    model.encode(TEXTS * 400, progress=True)
    list(model.encode_stream(iter(TEXTS * 400), progress=True))
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "texts/s" in captured.err
    assert "tokens/s" in captured.err
    model.encode(TEXTS * 400)
    assert capsys.readouterr().err == ""


FORKED = """
import os, signal, gtekit
model = gtekit.load(FOLDER, threads=2)
texts = ["some words of a text " * 5] * 300
expected = model.encode(texts)
child = os.fork()
if child == 0:
    signal.alarm(60)
    os._exit(0 if (model.encode(texts) == expected).all() else 1)
print(os.waitpid(child, 0)[1])
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.parametrize("parallelism", ["", "true"])
def test_a_forked_child_embeds_too(tiny_checkpoint: Path, parallelism: str) -> None:
    variables = {"TOKENIZERS_PARALLELISM": parallelism} if parallelism else {}
    result = run_python(FORKED.replace("FOLDER", repr(str(tiny_checkpoint))), variables)
    assert result.stdout.split() == ["0"], result.stderr


INTERRUPTED = """
import gtekit
model = gtekit.load(FOLDER, language_warning=False)
few = ["a", "word " * 30]
before = model.encode(few)
print("ready")
try:
    WORK
except KeyboardInterrupt:
    print("interrupted")
print((model.encode(few) == before).all())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no kill(SIGINT)")
@pytest.mark.parametrize(
    "work",
    [
        "model.encode(['word ' * 400] * 5_000, on_truncation='ignore')",  # minutes of layers
        "[len(block) for block in model.encode_stream('word ' * 400 for _ in iter(int, 1))]",
        "model.count_tokens(['some words ' * 1_000] * 50_000)",  # minutes of tokenizing
        "model.count_tokens(['some words ' * 20_000_000])",  # one text, as long as a shelf of books
    ],
    ids=["engine", "stream", "tokenizer", "one text"],
)
def test_ctrl_c_takes_effect_within_a_second(small_checkpoint: Path, work: str) -> None:
    def seconds() -> float:
        process = start_python(INTERRUPTED.replace("FOLDER", repr(str(small_checkpoint))).replace("WORK", work))
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n", process.communicate()
            time.sleep(1.5)
            sent = time.monotonic()
            process.send_signal(signal.SIGINT)
            assert process.stdout.readline() == "interrupted\n", process.communicate()
            waited = time.monotonic() - sent
            assert process.stdout.readline() == "True\n"
            return waited
        finally:
            process.kill()
            process.communicate()

    assert any(seconds() < 1.0 for _ in range(3))  # a busy machine may hold one attempt up, not three
