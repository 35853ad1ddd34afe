"""The routes of Text Embeddings Inference: its fields, statuses and error bodies, and the bits of the library."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gtekit
import gtekit.tasks
from gtekit.checkpoint.seeded import write_seeded_checkpoint
from gtekit.serving.answers import SLICE_ROWS
from gtekit.serving.dialects.jina import RerankAnswer
from gtekit.serving.dialects.tei_info import Info
from gtekit.serving.settings import ServerSettings
from gtekit.version import __version__
from tests.serving.conftest import running

if TYPE_CHECKING:
    from gtekit import Embedder
    from tests.serving.conftest import RunningServer, StartServer

NAME = "all-MiniLM-L6-v2"
TEXTS = ["A man is playing a guitar.", "Die Katze schläft.", "😀 emoji", "x", "A man is playing a guitar."]
LONG = "one two three four five six seven " * 60  # 422 tokens; the model reads 256
PROMPTS = {"query": "find: ", "document": "keep: ", "other": "else: "}


def post(server: "RunningServer", path: str, body: Any, **headers: str) -> httpx.Response:
    return httpx.post(f"{server.url}{path}", json=body, headers=headers, timeout=60)


def refused(server: "RunningServer", path: str, body: Any) -> tuple[int, str, str]:
    """Give status, error_type and error of a request that is refused, with the rest of its body checked."""
    answer = post(server, path, body)
    assert answer.headers["content-type"] == "application/json"
    said = answer.json()
    assert set(said) == {"error", "error_type"}
    return answer.status_code, said["error_type"], said["error"]


def vectors(answer: httpx.Response) -> np.ndarray[Any, Any]:
    assert answer.status_code == 200, answer.text
    return np.array(answer.json(), np.float32)


@pytest.fixture
def prompted(tmp_path: Path) -> "Embedder":
    folder = write_seeded_checkpoint(tmp_path, size="tiny")
    (folder / "config_sentence_transformers.json").write_text(json.dumps({"prompts": PROMPTS}))
    return gtekit.load(folder, language_warning=False)


def test_vectors_have_the_bits_of_the_library(server: "RunningServer", minilm: "Embedder") -> None:
    for texts in (TEXTS, TEXTS * (SLICE_ROWS // len(TEXTS) + 2)):
        np.testing.assert_array_equal(vectors(post(server, "/embed", {"inputs": texts})), minilm.encode(texts))


def test_one_text_gives_a_list_of_one(server: "RunningServer", minilm: "Embedder") -> None:
    np.testing.assert_array_equal(vectors(post(server, "/embed", {"inputs": "x"})), minilm.encode(["x"]))


def test_vectors_come_as_octets_too(server: "RunningServer", minilm: "Embedder") -> None:
    answer = post(server, "/embed", {"inputs": TEXTS}, accept="application/octet-stream")
    assert answer.content == minilm.encode(TEXTS).astype("<f4").tobytes()
    assert answer.headers["x-gtekit-shape"] == f"{len(TEXTS)},384"


def test_normalizing_can_be_turned_off(server: "RunningServer", minilm: "Embedder") -> None:
    found = vectors(post(server, "/embed", {"inputs": TEXTS, "normalize": False}))
    np.testing.assert_array_equal(found, minilm.encode(TEXTS, normalize=False))


def test_a_long_text_is_cut_unless_that_is_refused(server: "RunningServer", minilm: "Embedder") -> None:
    expected = minilm.encode([LONG], on_truncation="ignore")
    for truncate in (None, True):
        answer = post(server, "/embed", {"inputs": [LONG], "truncate": truncate})
        np.testing.assert_array_equal(vectors(answer), expected)
        assert (answer.headers["x-truncated-inputs"], answer.headers["x-truncated-indices"]) == ("1", "0")
    status, kind, said = refused(server, "/embed", {"inputs": ["x", LONG], "truncate": False})
    assert (status, kind) == (422, "Validation")
    assert said.startswith("inputs[1] has 422 tokens, the limit is 256.")
    assert '"truncate": true' in said


@pytest.mark.parametrize("direction", ["Left", "left"])
def test_the_beginning_can_be_cut_in_place_of_the_end(
    server: "RunningServer", minilm: "Embedder", direction: str
) -> None:
    words = LONG.split()[-254:]
    found = vectors(post(server, "/embed", {"inputs": LONG, "truncation_direction": direction}))
    np.testing.assert_array_equal(found, minilm.encode([" ".join(words)]))


@pytest.mark.parametrize(
    ("policy", "truncate", "expected"),
    [("error", None, None), ("error", True, "ignore"), ("chunk", None, "chunk"), ("chunk", False, None)],
)
def test_the_request_goes_before_the_policy_of_the_server(
    start_server: "StartServer", minilm: "Embedder", policy: str, truncate: bool | None, expected: Any
) -> None:
    answer = post(start_server(on_truncation=policy), "/embed", {"inputs": LONG, "truncate": truncate})
    if expected is None:
        assert answer.status_code == 422
    else:
        np.testing.assert_array_equal(vectors(answer), minilm.encode([LONG], on_truncation=expected))


def test_headers_say_what_it_took(server: "RunningServer", minilm: "Embedder") -> None:
    headers = post(server, "/embed", {"inputs": TEXTS}).headers
    assert headers["x-compute-type"] == "cpu+optimized"
    assert headers["x-compute-characters"] == str(sum(map(len, TEXTS)))
    assert headers["x-compute-tokens"] == str(sum(minilm.count_tokens(TEXTS)))
    assert headers["x-gtekit-fingerprint"] == minilm.fingerprint
    for name in ("x-compute-time", "x-total-time", "x-tokenization-time", "x-queue-time", "x-inference-time"):
        assert headers[name].isdigit()


@pytest.mark.parametrize(
    ("body", "status", "kind", "said"),
    [
        ({"inputs": []}, 400, "Empty", "inputs is empty"),
        ({"inputs": ""}, 400, "Empty", "inputs is an empty string"),
        ({"inputs": ["a", ""]}, 400, "Empty", "inputs[1] is an empty string"),
        ({"inputs": [101, 102]}, 422, "Validation", "token ids"),
        ({"inputs": ["a", [101]]}, 422, "Validation", "inputs[1]: it holds token ids"),
        (
            {"inputs": [[1, 2], "a"]},
            422,
            "Validation",
            "LangChain: OpenAIEmbeddings(..., check_embedding_ctx_length=False)",
        ),
        ({"inputs": {"a": 1}}, 422, "Validation", "inputs: expected"),
        ({}, 422, "Validation", "inputs"),
        ({"inputs": "a", "prompt_name": "nope"}, 422, "Validation", "no prompt named 'nope'; it has: none"),
        ({"inputs": "a", "dimensions": 385}, 422, "Validation", "vectors of 1 to 384"),
        ({"inputs": "a", "dimensions": 0}, 422, "Validation", "dimensions"),
        ({"inputs": "a", "dimensions": 128}, 422, "Validation", "--allow-dimensions"),
        ({"inputs": "a", "truncation_direction": "Up"}, 422, "Validation", "truncation_direction"),
        ({"inputs": "a", "model": "gpt"}, 404, "Validation", "There is no model 'gpt'"),
    ],
)
def test_what_is_wrong_is_said_as_tei_does(
    server: "RunningServer", body: dict[str, Any], status: int, kind: str, said: str
) -> None:
    found = refused(server, "/embed", body)
    assert found[:2] == (status, kind)
    assert said in found[2]


def test_too_many_texts_are_refused_and_all_below_are_split_for_the_caller(start_server: "StartServer") -> None:
    server = start_server(max_texts=40)
    assert len(vectors(post(server, "/embed", {"inputs": ["x"] * 40}))) == 40  # TEI's limit is 32
    status, kind, said = refused(server, "/embed", {"inputs": ["x"] * 41})
    assert (status, kind) == (422, "Validation")
    assert "41" in said
    assert httpx.get(f"{server.url}/info").json()["max_client_batch_size"] == 40


def test_dimensions_are_cut_and_normalized_again(start_server: "StartServer", minilm: "Embedder") -> None:
    found = vectors(post(start_server(allow_dimensions=True), "/embed", {"inputs": TEXTS, "dimensions": 64}))
    np.testing.assert_array_equal(found, minilm.encode(TEXTS, dimensions=64))


def test_prompts_go_where_they_belong(prompted: "Embedder") -> None:
    with running({"tiny": prompted}, ServerSettings(port=0, model=("tiny",), log="off")) as held:
        found = vectors(post(held, "/embed", {"inputs": TEXTS, "prompt_name": "other"}))
        np.testing.assert_array_equal(found, prompted.encode(TEXTS, prompt_name="other"))
        ranks = post(held, "/rerank", {"query": "x", "texts": TEXTS}).json()
        expected = gtekit.tasks.rank(prompted, "x", TEXTS)
        assert [(rank["index"], rank["score"]) for rank in ranks] == [(rank.index, rank.score) for rank in expected]
        parameters = {"prompt_name": "other"}
        inputs = {"source_sentence": TEXTS[0], "sentences": TEXTS}
        same = post(held, "/similarity", {"inputs": inputs, "parameters": parameters}).json()
        assert same[0] == pytest.approx(1.0, abs=1e-6)
        tokens = post(held, "/tokenize", {"inputs": "find", "prompt_name": "query"}).json()[0]
        assert "".join(token["text"] for token in tokens[1:-1]) == "find:find"
        assert (tokens[1]["start"], tokens[-2]["stop"]) == (0, len("find: find"))
        assert "it has: 'query', 'document', 'other'" in refused(held, "/embed", {"inputs": "x", "prompt_name": "?"})[2]
        assert httpx.get(f"{held.url}/info").json()["prompts"] == PROMPTS


def test_all_token_vectors_have_the_bits_of_the_library(server: "RunningServer", minilm: "Embedder") -> None:
    texts = [*TEXTS, LONG]
    answer = post(server, "/embed_all", {"inputs": texts})
    expected = minilm.token_states(texts, on_truncation="ignore")
    assert answer.headers["x-truncated-inputs"] == "1"
    for found, states in zip(answer.json(), expected, strict=True):
        np.testing.assert_array_equal(np.array(found, np.float32), states)


def test_more_token_vectors_than_memory_allows_are_refused(start_server: "StartServer") -> None:
    server = start_server(max_memory_bytes=30_000_000)  # of which an eighth is 610 tokens of 384 numbers
    assert len(post(server, "/embed_all", {"inputs": ["words " * 49] * 2}).json()) == 2
    status, kind, said = refused(server, "/embed_all", {"inputs": [LONG] * 3})
    assert (status, kind) == (422, "Validation")
    assert "768 tokens" in said


def test_similarities_are_the_cosines_in_the_order_of_the_sentences(
    server: "RunningServer", minilm: "Embedder"
) -> None:
    inputs = {"source_sentence": "guitar", "sentences": TEXTS}
    scores = {entry.index: entry.score for entry in gtekit.tasks.rank(minilm, "guitar", TEXTS)}
    for body in ({"inputs": inputs}, {"inputs": inputs, "parameters": None}, {"inputs": inputs, "parameters": {}}):
        found = post(server, "/similarity", body).json()
        assert found == [scores[index] for index in range(len(TEXTS))]
    cosines = minilm.similarity(minilm.encode(["guitar"]), minilm.encode(TEXTS))[0]
    np.testing.assert_allclose(found, cosines, atol=1e-6)


def test_similarity_says_which_sentence_is_too_long(server: "RunningServer") -> None:
    inputs = {"source_sentence": "guitar", "sentences": ["x", LONG]}
    status, _, said = refused(server, "/similarity", {"inputs": inputs, "parameters": {"truncate": False}})
    assert (status, said[:44]) == (422, "inputs.sentences[1] has 422 tokens, the limi")
    answer = post(server, "/similarity", {"inputs": {"source_sentence": LONG, "sentences": ["x", LONG]}})
    assert (answer.headers["x-truncated-indices"], answer.headers["x-truncated-query"]) == ("1", "true")
    status, kind, said = refused(server, "/similarity", {"inputs": {"source_sentence": "", "sentences": ["x"]}})
    assert (status, kind) == (400, "Empty")
    assert said.startswith("inputs.source_sentence")


@settings(deadline=None, max_examples=12)
@given(texts=st.lists(st.sampled_from(TEXTS), min_size=1, max_size=8), raw_scores=st.booleans())
def test_ranks_are_those_of_the_library_and_ties_keep_their_order(
    server: "RunningServer", minilm: "Embedder", texts: list[str], raw_scores: bool
) -> None:
    body = {"query": "Who plays music?", "texts": texts, "raw_scores": raw_scores, "return_text": True}
    expected = gtekit.tasks.rank(minilm, "Who plays music?", texts)
    assert post(server, "/rerank", body).json() == [
        {"index": entry.index, "score": entry.score, "text": entry.text} for entry in expected
    ]


def test_texts_come_back_only_where_they_are_asked_for(server: "RunningServer") -> None:
    ranks = post(server, "/rerank", {"query": "music", "texts": TEXTS}).json()
    assert all(set(rank) == {"index", "score"} for rank in ranks)


def test_a_body_with_documents_gets_the_answer_of_jina(server: "RunningServer") -> None:
    answer = post(server, "/rerank", {"query": "music", "documents": TEXTS, "top_n": 2})
    results = msgspec.json.decode(answer.content, type=RerankAnswer).results
    ranks = post(server, "/rerank", {"query": "music", "texts": TEXTS}).json()
    assert [(result.index, result.relevance_score) for result in results] == [
        (rank["index"], rank["score"]) for rank in ranks[:2]
    ]
    quoting = post(server, "/rerank", {"query": "music", "texts": ['the word "documents" in a text']})
    assert quoting.json()[0]["index"] == 0


def test_reranking_refuses_what_it_can_not_rank(server: "RunningServer") -> None:
    assert refused(server, "/rerank", {"query": "x", "texts": []})[:2] == (400, "Empty")
    assert refused(server, "/rerank", {"query": "", "texts": ["x"]})[:2] == (400, "Empty")
    assert refused(server, "/rerank", {"query": "x"})[:2] == (422, "Validation")
    status, _, said = refused(server, "/rerank", {"query": "x", "texts": ["x", LONG], "truncate": False})
    assert (status, said[:23]) == (422, "texts[1] has 422 tokens")


def test_tokens_have_their_places_in_the_text(server: "RunningServer", minilm: "Embedder") -> None:
    text = "Héllo 😀 unaffable [SEP]"
    tokens = post(server, "/tokenize", {"inputs": text}).json()[0]
    assert [token["id"] for token in tokens] == [minilm.tokenizer.vocabulary()[t] for t in minilm.tokenize([text])[0]]
    assert [token["special"] for token in tokens] == [True, *[False] * (len(tokens) - 2), True]
    assert tokens[0] == {"id": 101, "text": "[CLS]", "special": True, "start": None, "stop": None}
    for token in tokens[1:-1]:
        assert token["text"] == text[token["start"] : token["stop"]] != ""


def test_tokens_of_many_and_long_texts_are_counted_as_the_library_does(
    server: "RunningServer", minilm: "Embedder"
) -> None:
    texts = [*TEXTS, LONG * 60]
    for add_special in (True, False):
        lists = post(server, "/tokenize", {"inputs": texts, "add_special_tokens": add_special}).json()
        expected = [count if add_special else count - 2 for count in minilm.count_tokens(texts)]
        assert [len(tokens) for tokens in lists] == expected


def test_more_tokens_than_memory_allows_are_refused(start_server: "StartServer") -> None:
    server = start_server(max_memory_bytes=1_000_000)
    assert refused(server, "/tokenize", {"inputs": ["x" * 926] * 3})[:2] == (413, "Validation")  # of 2,777 characters
    assert post(server, "/tokenize", {"inputs": ["x" * 925] * 3}).status_code == 200
    assert refused(server, "/tokenize", {"inputs": "x" * 2_500})[0] == 413  # tokenized at once, it takes more


def test_ids_become_text_again(server: "RunningServer") -> None:
    tokens = [[token["id"] for token in some] for some in post(server, "/tokenize", {"inputs": TEXTS[:1] * 2}).json()]
    assert post(server, "/decode", {"ids": tokens}).json() == ["a man is playing a guitar."] * 2
    whole = post(server, "/decode", {"ids": tokens[0], "skip_special_tokens": False}).json()
    assert whole == ["[CLS] a man is playing a guitar. [SEP]"]


@pytest.mark.parametrize(
    ("ids", "status", "said"),
    [
        ([], 400, "ids is empty"),
        ([1, [2]], 422, "mixes numbers and lists"),
        ([[2], [7, 30_522]], 422, "list 1 of ids goes from 7 to 30522"),
        ([-1], 422, "list 0 of ids goes from -1"),
        ([10**30], 422, "list 0 of ids goes from 1000"),
        ("a", 422, "ids"),
    ],
)
def test_ids_that_are_none_are_refused(server: "RunningServer", ids: Any, status: int, said: str) -> None:
    found = refused(server, "/decode", {"ids": ids})
    assert found[0] == status
    assert said in found[2]


def test_a_body_of_too_many_ids_is_refused(server: "RunningServer") -> None:
    assert refused(server, "/decode", {"ids": [100] * 500_000})[0] == 413


def test_info_describes_server_and_model(start_server: "StartServer", minilm: "Embedder") -> None:
    server = start_server(alias=(f"text-embedding-3-small={NAME}",))
    answer = httpx.get(f"{server.url}/info")
    info = msgspec.json.decode(answer.content, type=Info)
    assert answer.json()["model_type"] == {"embedding": {"pooling": "mean"}}
    assert (info.model_id, info.served_model_name, info.version) == (minilm.name, NAME, __version__)
    assert (info.max_input_length, info.auto_truncate) == (256, True)
    assert (info.name, info.fingerprint, info.dimension) == (minilm.name, minilm.fingerprint, 384)
    assert (info.precision, info.isa, info.threads) == (minilm.precision, minilm.isa, minilm.threads)
    assert info.aliases == ["text-embedding-3-small"]
    assert "cosine" in info.rerank
    assert [each.served_name for each in info.models] == [NAME]
    strict = start_server(on_truncation="error")
    assert httpx.get(f"{strict.url}/info").json()["auto_truncate"] is False


def test_a_model_can_be_named_in_the_body_and_in_the_address(minilm: "Embedder", prompted: "Embedder") -> None:
    names = ("minilm", "tiny")
    with running({"minilm": minilm, "tiny": prompted}, ServerSettings(port=0, model=names, log="off")) as held:
        expected = prompted.encode(TEXTS)
        np.testing.assert_array_equal(vectors(post(held, "/embed", {"inputs": TEXTS, "model": "tiny"})), expected)
        np.testing.assert_array_equal(vectors(post(held, "/embed?model=tiny", {"inputs": TEXTS})), expected)
        assert vectors(post(held, "/embed", {"inputs": TEXTS})).shape == (len(TEXTS), 384)
        info = httpx.get(f"{held.url}/info", params={"model": "tiny"}).json()
        assert (info["dimension"], info["fingerprint"]) == (prompted.dimension, prompted.fingerprint)
        assert [each["served_name"] for each in info["models"]] == ["minilm", "tiny"]
        missing = httpx.get(f"{held.url}/info", params={"model": "none"})
        assert (missing.status_code, missing.json()["error_type"]) == (404, "Validation")


@pytest.mark.parametrize("path", ["/embed", "/similarity", "/rerank", "/tokenize", "/decode", "/info"])
def test_a_misspelled_name_in_the_address_is_refused(server: "RunningServer", path: str) -> None:
    bodies: dict[str, Any] = {
        "/similarity": {"inputs": {"source_sentence": "a", "sentences": ["b"]}},
        "/rerank": {"query": "a", "texts": ["b"]},
        "/decode": {"ids": [101]},
    }
    body = bodies.get(path, {"inputs": "a"})
    for query in ("modle=x", f"model={NAME}&truncate=true", "modle="):
        address = f"{server.url}{path}?{query}"
        answer = httpx.get(address) if path == "/info" else httpx.post(address, json=body)
        assert answer.status_code == 422
        assert "only ?model=NAME is known here" in answer.json()["error"]


def test_the_root_embeds_and_compares(server: "RunningServer", minilm: "Embedder") -> None:
    np.testing.assert_array_equal(vectors(post(server, "/", {"inputs": TEXTS})), minilm.encode(TEXTS))
    inputs = {"source_sentence": "guitar", "sentences": TEXTS}
    assert post(server, "/", {"inputs": inputs}).json() == post(server, "/similarity", {"inputs": inputs}).json()
    assert refused(server, "/", {"inputs": []})[:2] == (400, "Empty")
