"""Jina's reranking: the order of the cosines, and errors as FastAPI words them."""

from typing import TYPE_CHECKING, Any

import httpx
import msgspec
import numpy as np
import pytest

from gtekit.serving.dialects.jina import RerankAnswer

if TYPE_CHECKING:
    from gtekit import Embedder
    from tests.serving.conftest import RunningServer, StartServer

NAME = "all-MiniLM-L6-v2"
QUERY = "Which animals purr?"
DOCUMENTS = ["Bread is baked in an oven.", "A cat purrs when it is content.", "Dogs bark at strangers.", "Cats."]


def post(server: "RunningServer", **body: Any) -> httpx.Response:
    return httpx.post(f"{server.url}/v1/rerank", json=body, timeout=60)


def test_documents_are_ordered_by_their_cosine(server: "RunningServer", minilm: "Embedder") -> None:
    answer = post(server, model=NAME, query=QUERY, documents=DOCUMENTS)
    body = answer.json()
    cosines = minilm.similarity(minilm.encode_query([QUERY]), minilm.encode_document(DOCUMENTS))[0]
    assert [result["index"] for result in body["results"]] == np.argsort(-cosines).tolist()
    for result in body["results"]:
        assert result["relevance_score"] == pytest.approx(float(cosines[result["index"]]), abs=1e-6)
        assert result["document"] == {"text": DOCUMENTS[result["index"]]}
    tokens = sum(minilm.count_tokens([QUERY, *DOCUMENTS]))
    assert body["usage"] == {"total_tokens": tokens, "prompt_tokens": tokens, "truncated_inputs": 0}
    assert (body["model"], body["object"]) == (NAME, "list")
    assert answer.headers["x-gtekit-fingerprint"] == minilm.fingerprint
    msgspec.json.decode(answer.content, type=RerankAnswer)


def test_the_path_of_tei_answers_a_body_of_jina(server: "RunningServer") -> None:
    body = {"query": QUERY, "documents": DOCUMENTS}
    answer = httpx.post(f"{server.url}/rerank", json=body)
    assert answer.json() == post(server, **body).json()


def test_documents_may_be_objects(server: "RunningServer") -> None:
    objects = [{"text": text, "title": "more"} for text in DOCUMENTS]
    plain, mixed = (post(server, query=QUERY, documents=given).json() for given in (DOCUMENTS, objects))
    assert plain == mixed


def test_documents_are_left_out_where_nobody_wants_them(server: "RunningServer") -> None:
    body = post(server, query=QUERY, documents=DOCUMENTS, return_documents=False, top_n=2).json()
    assert [set(result) for result in body["results"]] == [{"index", "relevance_score"}] * 2
    assert [result["index"] for result in body["results"]] == [1, 3]


def test_more_than_there_are_is_all(server: "RunningServer") -> None:
    assert len(post(server, query=QUERY, documents=DOCUMENTS, top_n=100).json()["results"]) == len(DOCUMENTS)


def test_a_document_that_was_cut_says_so(server: "RunningServer") -> None:
    answer = post(server, query=QUERY, documents=["bread " * 500, "A cat purrs."])
    body = answer.json()
    assert [(result["index"], result.get("truncated")) for result in body["results"]] == [(1, None), (0, True)]
    assert body["usage"]["truncated_inputs"] == 1
    assert answer.headers["x-truncated-inputs"] == "1"
    assert answer.headers["x-truncated-indices"] == "0"


def test_the_operator_may_refuse_to_cut(start_server: "StartServer") -> None:
    answer = post(start_server(on_truncation="error"), query=QUERY, documents=["bread " * 500])
    assert answer.status_code == 422
    assert "documents[0]" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({"query": QUERY, "documents": []}, 422, "documents is empty"),
        ({"query": "", "documents": ["a"]}, 422, "query is an empty string"),
        ({"query": QUERY, "documents": ["a", ""]}, 422, "documents[1] is an empty string"),
        ({"query": QUERY, "documents": ["a", {"image": "x"}]}, 422, "documents[1]: object missing required field text"),
        ({"query": QUERY, "documents": ["a"], "top_n": 0}, 422, "top_n: expected whole number >= 1"),
        ({"query": QUERY}, 422, "missing required field documents"),
        ({"query": QUERY, "documents": ["a"], "model": "other"}, 404, "no model 'other'"),
    ],
)
def test_errors_are_a_detail(server: "RunningServer", body: dict[str, Any], status: int, message: str) -> None:
    answer = post(server, **body)
    assert answer.status_code == status
    assert set(answer.json()) == {"detail"}
    assert message in answer.json()["detail"]


def test_the_same_error_has_the_words_of_its_dialect(server: "RunningServer") -> None:
    texts = httpx.post(f"{server.url}/v1/embeddings", json={"input": []})
    documents = post(server, query=QUERY, documents=[])
    assert (texts.status_code, set(texts.json())) == (400, {"error"})
    assert (documents.status_code, set(documents.json())) == (422, {"detail"})
