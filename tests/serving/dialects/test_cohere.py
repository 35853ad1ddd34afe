"""Cohere's v2 embeddings and reranking, with Cohere's own client: the vectors of the library, and smaller forms."""

import asyncio
import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cohere
import httpx
import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gtekit
import gtekit.tasks
from gtekit.arrays import Floats
from gtekit.checkpoint.seeded import write_seeded_checkpoint
from gtekit.serving.answers import SLICE_ROWS
from gtekit.serving.dialects.cohere import int8_factor
from gtekit.serving.dialects.cohere_shapes import EmbedV2Answer, RerankV2Answer
from gtekit.serving.settings import ServerSettings
from gtekit.vectors import to_bits
from tests.serving.conftest import running

if TYPE_CHECKING:
    from gtekit import Embedder
    from tests.serving.conftest import RunningServer, StartServer

NAME = "all-MiniLM-L6-v2"
TEXTS = ["A man is playing a guitar.", "Die Katze schläft.", "😀 emoji", "x", "A man is playing a guitar."]
LONG = "one two three four five six seven " * 60  # 422 tokens; the model reads 256
DOCUMENT: Any = "search_document"


@contextmanager
def client_of(server: "RunningServer") -> Iterator[cohere.ClientV2]:
    with httpx.Client(timeout=60) as connections:  # Cohere's own are never closed
        yield cohere.ClientV2("any", base_url=server.url, max_retries=0, httpx_client=connections)


@pytest.fixture(scope="module")
def client(server: "RunningServer") -> Iterator[cohere.ClientV2]:
    with client_of(server) as client:
        yield client


def post(server: "RunningServer", path: str, body: Any) -> httpx.Response:
    return httpx.post(f"{server.url}{path}", json=body, timeout=60)


@pytest.mark.parametrize("texts", [TEXTS, TEXTS * (SLICE_ROWS // len(TEXTS) + 2)])
def test_vectors_have_the_bits_of_the_library(client: cohere.ClientV2, minilm: "Embedder", texts: list[str]) -> None:
    answer = client.embed(model=NAME, input_type=DOCUMENT, texts=texts, embedding_types=["float", "base64"])
    expected = minilm.encode(texts)
    np.testing.assert_array_equal(np.array(answer.embeddings.float_, np.float32), expected)
    assert answer.embeddings.base64 is not None
    assert b"".join(map(base64.b64decode, answer.embeddings.base64)) == expected.astype("<f4").tobytes()
    assert answer.embeddings.int8 is None
    assert answer.texts == texts
    assert answer.response_type == "embeddings_by_type"
    assert answer.meta is not None
    assert answer.meta.billed_units is not None
    assert answer.meta.billed_units.input_tokens == sum(minilm.count_tokens(texts))
    assert answer.meta.warnings is None


def test_float_is_what_comes_where_no_type_is_asked_for(client: cohere.ClientV2, minilm: "Embedder") -> None:
    answer = client.embed(model=NAME, input_type=DOCUMENT, texts=["x"])
    np.testing.assert_array_equal(np.array(answer.embeddings.float_, np.float32), minilm.encode(["x"]))


def test_bytes_and_bits_are_those_of_the_vectors(client: cohere.ClientV2, minilm: "Embedder") -> None:
    kinds: Any = ["int8", "uint8", "binary", "ubinary", "int8"]
    answer = client.embed(model=NAME, input_type=DOCUMENT, texts=TEXTS, embedding_types=kinds)
    expected, found = minilm.encode(TEXTS), answer.embeddings
    int8 = np.array(found.int8)
    np.testing.assert_array_equal(int8, np.rint(expected * np.float32(int8_factor(384))))
    np.testing.assert_array_equal(np.array(found.uint8), int8 + 128)
    np.testing.assert_array_equal(np.array(found.ubinary), to_bits(expected))
    np.testing.assert_array_equal(np.array(found.binary), to_bits(expected).astype(int) - 128)
    scale = json.loads(answer.meta.model_dump_json())["int8_scale"]  # type: ignore[union-attr]
    np.testing.assert_allclose(int8 * scale, expected, atol=scale / 2 + 1e-7)


def test_products_of_bytes_order_texts_as_cosines_do(client: cohere.ClientV2, minilm: "Embedder") -> None:
    texts = [line for line in Path(__file__).read_text(encoding="utf-8").splitlines() if len(line) > 60][:50]
    answer = client.embed(model=NAME, input_type=DOCUMENT, texts=texts, embedding_types=["int8"])
    int8, vectors = np.array(answer.embeddings.int8), minilm.encode(texts)
    found, expected = (int8 @ int8.T) / int8_factor(384) ** 2, vectors @ vectors.T
    assert np.abs(found - expected).max() < 0.01  # 0.005 on 3,000 lines of text


def test_inputs_of_parts_are_texts(client: cohere.ClientV2, minilm: "Embedder") -> None:
    inputs: Any = [
        {"content": [{"type": "text", "text": "first"}, {"type": "text", "text": "second"}]},
        {"content": [{"type": "text", "text": "x"}]},
    ]
    answer = client.embed(model=NAME, input_type=DOCUMENT, inputs=inputs)
    np.testing.assert_array_equal(np.array(answer.embeddings.float_, np.float32), minilm.encode(["first\nsecond", "x"]))


def test_what_is_too_long_is_cut_with_a_warning(client: cohere.ClientV2, minilm: "Embedder") -> None:
    texts = ["x", LONG]
    for truncate in (None, "END"):
        chosen: Any = {} if truncate is None else {"truncate": truncate}
        answer = client.embed(model=NAME, input_type=DOCUMENT, texts=texts, **chosen)
        expected = minilm.encode(texts, on_truncation="ignore")
        np.testing.assert_array_equal(np.array(answer.embeddings.float_, np.float32), expected)
        assert answer.meta is not None
        assert answer.meta.warnings == ["texts[1] has 422 tokens and was cut at its end."]
    answer = client.embed(model=NAME, input_type=DOCUMENT, texts=texts, truncate="START")
    expected = minilm.encode(["x", " ".join(LONG.split()[-254:])])
    np.testing.assert_array_equal(np.array(answer.embeddings.float_, np.float32), expected)
    assert answer.meta is not None
    assert answer.meta.warnings == ["texts[1] has 422 tokens and was cut at its beginning."]


def test_a_hundred_cut_texts_do_not_make_a_hundred_warnings(client: cohere.ClientV2) -> None:
    answer = client.embed(model=NAME, input_type=DOCUMENT, texts=["one two three"] * 100, max_tokens=3)
    assert answer.meta is not None
    assert answer.meta.warnings is not None
    assert len(answer.meta.warnings) == 11
    assert answer.meta.warnings[-1] == "90 more of texts were cut."


def test_cutting_can_be_refused(client: cohere.ClientV2) -> None:
    with pytest.raises(cohere.BadRequestError) as caught:
        client.embed(model=NAME, input_type=DOCUMENT, texts=["x", LONG], truncate="NONE")
    assert caught.value.body["message"].startswith("texts[1] has 422 tokens, the limit is 256.")
    assert '"truncate": "END"' in caught.value.body["message"]
    assert caught.value.headers is not None
    assert caught.value.body["id"] == caught.value.headers["x-request-id"]


def test_max_tokens_cuts_sooner(client: cohere.ClientV2, minilm: "Embedder") -> None:
    answer = client.embed(model=NAME, input_type=DOCUMENT, texts=[LONG], max_tokens=5)
    np.testing.assert_array_equal(np.array(answer.embeddings.float_, np.float32), minilm.encode(["one two three"]))


def test_input_types_are_the_prompts_of_the_model(tmp_path: Path) -> None:
    folder = write_seeded_checkpoint(tmp_path, size="tiny")
    prompts = {"query": "find: ", "document": "keep: ", "clustering": "group: "}
    (folder / "config_sentence_transformers.json").write_text(json.dumps({"prompts": prompts}))
    model = gtekit.load(folder, language_warning=False)
    asked: list[tuple[Any, Floats]] = [
        ("search_query", model.encode_query(TEXTS)),
        ("search_document", model.encode_document(TEXTS)),
        ("clustering", model.encode(TEXTS, prompt_name="clustering")),
        ("classification", model.encode(TEXTS)),
    ]
    with running({"tiny": model}, ServerSettings(port=0, model=("tiny",), log="off")) as held:
        with client_of(held) as client:
            for input_type, expected in asked:
                answer = client.embed(model="tiny", input_type=input_type, texts=TEXTS)
                np.testing.assert_array_equal(np.array(answer.embeddings.float_, np.float32), expected)
            results = client.rerank(model="tiny", query="x", documents=TEXTS).results
        assert [result.index for result in results] == [entry.index for entry in gtekit.tasks.rank(model, "x", TEXTS)]


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"images": ["data:image/png;base64,AA"], "input_type": "image"}, 400, "embeds text alone"),
        ({"texts": ["x"], "input_type": "image"}, 400, "embeds text alone"),
        ({"inputs": [{"content": [{"type": "image_url", "image_url": {"url": "x"}}]}]}, 400, "embeds text alone"),
        ({"inputs": [{"content": []}]}, 400, "inputs[0] is an empty string"),
        ({"texts": ["x"], "inputs": [{"content": [{"type": "text", "text": "x"}]}]}, 400, "send one of them"),
        ({}, 400, "texts is empty"),
        ({"texts": []}, 400, "texts is empty"),
        ({"texts": ["a", ""]}, 400, "texts[1] is an empty string"),
        ({"texts": [[1, 2]]}, 400, "token ids"),
        ({"texts": ["x"], "embedding_types": ["float16"]}, 400, "embedding_types[0]"),
        ({"texts": ["x"], "truncate": "MIDDLE"}, 400, "truncate"),
        ({"texts": ["x"], "max_tokens": 2}, 400, "max_tokens"),
        ({"texts": ["x"], "output_dimension": 64}, 400, "--allow-dimensions"),
        ({"texts": ["x"], "model": "embed-v4.0"}, 404, "--alias embed-v4.0="),
        ({"texts": ["x"], "input_type": None}, 400, "input_type"),
    ],
)
def test_what_is_wrong_is_said_as_cohere_does(
    server: "RunningServer", body: dict[str, Any], status: int, said: str
) -> None:
    answer = post(server, "/v2/embed", {"model": NAME, "input_type": DOCUMENT, **body})
    assert answer.status_code == status
    assert set(answer.json()) == {"message", "id"}
    assert said in answer.json()["message"]
    assert answer.json()["id"] == answer.headers["x-request-id"]


def test_a_name_of_cohere_is_served_by_its_alias(start_server: "StartServer", minilm: "Embedder") -> None:
    kinds: Any = ["float", "int8"]
    with client_of(start_server(alias=(f"embed-v4.0={NAME}",), allow_dimensions=True)) as client:
        answer = client.embed(
            model="embed-v4.0", input_type=DOCUMENT, texts=TEXTS, output_dimension=64, embedding_types=kinds
        )
        with pytest.raises(cohere.NotFoundError):
            client.embed(model="embed-v3", input_type=DOCUMENT, texts=TEXTS)
    expected = minilm.encode(TEXTS, dimensions=64)
    np.testing.assert_array_equal(np.array(answer.embeddings.float_, np.float32), expected)
    np.testing.assert_array_equal(np.array(answer.embeddings.int8), np.rint(expected * np.float32(int8_factor(64))))


def test_answers_have_the_described_types(server: "RunningServer") -> None:
    kinds = ["float", "int8", "uint8", "binary", "ubinary", "base64"]
    body = {"model": NAME, "input_type": DOCUMENT, "texts": ["x", LONG], "embedding_types": kinds}
    embedded = msgspec.json.decode(post(server, "/v2/embed", body).content, type=EmbedV2Answer)
    assert list(post(server, "/v2/embed", body).json()["embeddings"]) == kinds
    assert embedded.meta.api_version.version == "2"
    ranked = post(server, "/v2/rerank", {"model": NAME, "query": "x", "documents": TEXTS})
    assert len(msgspec.json.decode(ranked.content, type=RerankV2Answer).results) == len(TEXTS)


def test_more_texts_than_cohere_takes_are_split_for_the_caller(start_server: "StartServer") -> None:
    with client_of(start_server(max_texts=200)) as client:
        answer = client.embed(model=NAME, input_type=DOCUMENT, texts=["x"] * 200)
        assert answer.embeddings.float_ is not None
        assert len(answer.embeddings.float_) == 200
        with pytest.raises(cohere.BadRequestError, match="201"):
            client.embed(model=NAME, input_type=DOCUMENT, texts=["x"] * 201)


@settings(deadline=None, max_examples=12)
@given(
    documents=st.lists(st.sampled_from(TEXTS), min_size=1, max_size=8),
    top_n=st.integers(min_value=1, max_value=9),
    query=st.sampled_from(["Who plays music?", "x", "tax law"]),
)
def test_documents_come_in_the_order_of_their_cosines_and_scores_are_0_to_1(
    client: cohere.ClientV2, minilm: "Embedder", documents: list[str], top_n: int, query: str
) -> None:
    answer = client.rerank(model=NAME, query=query, documents=documents, top_n=top_n)
    expected = gtekit.tasks.rank(minilm, query, documents, top_k=top_n)
    assert [(result.index, result.relevance_score) for result in answer.results] == [
        (entry.index, max(entry.score, 0.0)) for entry in expected
    ]


def test_below_zero_the_order_is_still_that_of_the_cosines(client: cohere.ClientV2, minilm: "Embedder") -> None:
    query = "The court dismissed the appeal."
    documents = ["yeast bread", "the income tax code", "goalkeeper", "Mix flour, salt and water.", "tax law"]
    expected = gtekit.tasks.rank(minilm, query, documents)
    assert sum(entry.score < 0 for entry in expected) > 1, "No cosine is below zero: other texts are needed."
    results = client.rerank(model=NAME, query=query, documents=documents).results
    assert [result.index for result in results] == [entry.index for entry in expected]
    assert [result.relevance_score for result in results] == [max(entry.score, 0.0) for entry in expected]


def test_reranking_says_what_it_took_and_what_it_cut(client: cohere.ClientV2, minilm: "Embedder") -> None:
    documents = [LONG, *["x"] * 100]
    answer = client.rerank(model=NAME, query=LONG, documents=documents, max_tokens_per_doc=20)
    assert answer.meta is not None
    assert answer.meta.billed_units is not None
    assert answer.meta.tokens is not None
    assert answer.meta.billed_units.search_units == 2  # 101 documents
    assert answer.meta.tokens.input_tokens == 256 + 20 + 100 * 3
    assert answer.meta.warnings == [
        "query[0] has 422 tokens and was cut at its end.",
        "documents[0] has 422 tokens and was cut at its end.",
    ]


def test_reranking_refuses_what_it_can_not_rank(client: cohere.ClientV2) -> None:
    for query, documents, said in (("", ["x"], "query"), ("x", [], "documents"), ("x", ["a", ""], r"documents\[1\]")):
        with pytest.raises(cohere.BadRequestError, match=said):
            client.rerank(model=NAME, query=query, documents=documents)
    with pytest.raises(cohere.BadRequestError, match="top_n"):
        client.rerank(model=NAME, query="x", documents=["x"], top_n=0)


def test_priority_above_zero_is_the_bulk_lane(server: "RunningServer") -> None:
    for priority, lane in ((0, "interactive"), (5, "bulk")):
        metrics = httpx.get(f"{server.url}/metrics").text
        post(server, "/v2/embed", {"model": NAME, "input_type": DOCUMENT, "texts": ["x"], "priority": priority})
        assert _calls(httpx.get(f"{server.url}/metrics").text, lane) == _calls(metrics, lane) + 1


def _calls(metrics: str, lane: str) -> float:
    found = [line for line in metrics.splitlines() if f'lane="{lane}"' in line and "_call" in line and "_count" in line]
    return float(found[0].rsplit(" ", 1)[1]) if found else 0.0


def test_the_asynchronous_client_works_too(server: "RunningServer", minilm: "Embedder") -> None:
    async def body() -> Any:
        async with httpx.AsyncClient(timeout=60) as connections:
            client = cohere.AsyncClientV2("any", base_url=server.url, httpx_client=connections)
            return await client.embed(model=NAME, input_type=DOCUMENT, texts=TEXTS)

    answer = asyncio.run(body())
    np.testing.assert_array_equal(np.array(answer.embeddings.float_, np.float32), minilm.encode(TEXTS))


def test_too_many_inputs_are_counted_before_they_are_put_together(start_server: "StartServer") -> None:
    server = start_server(max_texts=3)
    image = {"content": [{"type": "image_url"}]}  # would be found in the next step
    answer = post(server, "/v2/embed", {"model": NAME, "input_type": DOCUMENT, "inputs": [image] * 4})
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("inputs has 4 texts, the limit is 3.")
