"""OpenAI's embeddings, with OpenAI's own client: the vectors of the library, and its errors where it expects them."""

import asyncio
import base64
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import msgspec
import numpy as np
import openai
import pytest

import gtekit
from gtekit.arrays import Floats
from gtekit.checkpoint.seeded import write_seeded_checkpoint
from gtekit.serving.answers import SLICE_ROWS
from gtekit.serving.dialects.openai import EmbeddingsAnswer, Model, ModelList
from gtekit.serving.keys import sha256_of
from gtekit.serving.settings import ServerSettings
from gtekit.vectors import to_bits
from tests.serving.conftest import running

if TYPE_CHECKING:
    from gtekit import Embedder
    from tests.serving.conftest import RunningServer, StartServer

NAME = "all-MiniLM-L6-v2"
TEXTS = ["A man is playing a guitar.", "Die Katze schläft.", "😀 emoji", "x", "A man is playing a guitar."]
LONG = "one two three four five six seven " * 60  # 422 tokens; the model reads 256


@pytest.fixture(scope="module")
def client(server: "RunningServer") -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{server.url}/v1", api_key="any", max_retries=0)


def post(server: "RunningServer", body: Any, path: str = "/v1/embeddings", **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.post(f"{server.url}{path}", json=body, headers=named, timeout=60)


def vectors(answer: openai.types.CreateEmbeddingResponse) -> Floats:
    assert [item.index for item in answer.data] == list(range(len(answer.data)))
    return np.array([_numbers(item.embedding) for item in answer.data], np.float32)


def _numbers(embedding: Any) -> Any:
    # the client decodes base64 only where it was the client who asked for it
    return np.frombuffer(base64.b64decode(embedding), "<f4") if isinstance(embedding, str) else embedding


def same_bits(found: Floats, expected: Floats) -> bool:
    return found.shape == expected.shape and found.tobytes() == expected.tobytes()


def test_the_client_gets_the_vectors_of_the_library(client: openai.OpenAI, minilm: "Embedder") -> None:
    answer = client.embeddings.create(model=NAME, input=TEXTS)
    assert same_bits(vectors(answer), minilm.encode(TEXTS))
    assert (answer.object, answer.model, answer.data[0].object) == ("list", NAME, "embedding")
    assert answer.usage.prompt_tokens == answer.usage.total_tokens == sum(minilm.count_tokens(TEXTS))


def test_one_text_is_a_list_of_one(client: openai.OpenAI, minilm: "Embedder") -> None:
    assert same_bits(vectors(client.embeddings.create(model=NAME, input=TEXTS[1])), minilm.encode(TEXTS[1:2]))


def test_numbers_are_the_same_as_base64(client: openai.OpenAI, minilm: "Embedder") -> None:
    answer = client.embeddings.create(model=NAME, input=TEXTS, encoding_format="float")
    assert same_bits(vectors(answer), minilm.encode(TEXTS))


def test_the_asynchronous_client_gets_them_too(server: "RunningServer", minilm: "Embedder") -> None:
    async def ask() -> list[openai.types.CreateEmbeddingResponse]:
        async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="any") as client:
            asked = [client.embeddings.create(model=NAME, input=text) for text in TEXTS * 4]
            return await asyncio.gather(*asked)

    answers = asyncio.run(ask())
    assert same_bits(np.concatenate([vectors(answer) for answer in answers]), minilm.encode(TEXTS * 4))


@pytest.mark.parametrize("encoding", ["base64", "float"])
@pytest.mark.parametrize("count", [SLICE_ROWS, SLICE_ROWS + 1, 5 * SLICE_ROWS])
def test_any_number_of_texts_is_split_for_the_caller(
    client: openai.OpenAI, minilm: "Embedder", count: int, encoding: Any
) -> None:
    texts = [f"text {number}" for number in range(count)]
    answer = client.embeddings.create(model=NAME, input=texts, encoding_format=encoding)
    assert same_bits(vectors(answer), minilm.encode(texts))


@pytest.mark.parametrize("count", [1, SLICE_ROWS + 1])
@pytest.mark.parametrize("encoding", ["float", "base64"])
def test_answers_are_as_the_document_says(server: "RunningServer", count: int, encoding: str) -> None:
    body = {"input": [LONG] * count, "encoding_format": encoding, "on_truncation": "cut"}
    answer = post(server, body)
    read = msgspec.json.decode(answer.content, type=EmbeddingsAnswer)
    assert isinstance(read.data[-1].embedding, str) == (encoding == "base64")
    assert read.data[-1].truncated
    assert read.usage.truncated_inputs == count
    assert read.usage.prompt_tokens == 256 * count


def test_both_paths_are_served(server: "RunningServer") -> None:
    assert post(server, {"input": "a"}).json() == post(server, {"input": "a"}, "/embeddings").json()


def test_octets_are_rows_of_float32(server: "RunningServer", minilm: "Embedder") -> None:
    answer = post(server, {"input": TEXTS, "model": NAME}, accept="application/octet-stream")
    assert answer.headers["content-type"] == "application/octet-stream"
    shape = [int(number) for number in answer.headers["x-gtekit-shape"].split(",")]
    assert same_bits(np.frombuffer(answer.content, "<f4").reshape(shape), minilm.encode(TEXTS))
    assert answer.headers["x-gtekit-fingerprint"] == minilm.fingerprint
    assert answer.headers["x-gtekit-model"] == NAME
    assert answer.headers["x-tokens"] == str(sum(minilm.count_tokens(TEXTS)))


def test_bits_are_those_of_the_library(server: "RunningServer", minilm: "Embedder") -> None:
    expected = to_bits(minilm.encode(TEXTS)).astype(int)
    for kind, offset in (("ubinary", 0), ("binary", 128)):
        answer = post(server, {"input": TEXTS, "embedding_type": kind, "encoding_format": "base64"}).json()
        assert [item["embedding"] for item in answer["data"]] == (expected - offset).tolist()


def test_fields_that_are_not_known_are_passed_over(client: openai.OpenAI) -> None:
    answer = client.embeddings.create(model=NAME, input="a", user="me", extra_body={"cache_salt": "x", "n": [1]})
    assert len(answer.data) == 1


def test_null_is_as_good_as_nothing(server: "RunningServer") -> None:
    empty = dict.fromkeys(["model", "encoding_format", "dimensions", "user", "task", "truncate", "on_truncation"])
    assert post(server, {"input": "a", **empty}).json() == post(server, {"input": "a"}).json()


def test_a_text_that_is_too_long_is_refused_as_by_openai(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.embeddings.create(model=NAME, input=["a", LONG])
    error = caught.value
    assert (error.code, error.type, error.status_code) == ("context_length_exceeded", "invalid_request_error", 400)
    assert "input[1]" in error.message
    assert "256" in error.message


@pytest.mark.parametrize(
    ("body", "on_truncation"),
    [
        ({"on_truncation": "cut"}, "ignore"),
        ({"on_truncation": "chunk"}, "chunk"),
        ({"truncate": True}, "ignore"),
        ({"on_truncation": "chunk", "truncate": False}, "chunk"),
    ],
)
def test_the_client_may_say_what_happens_to_long_texts(
    client: openai.OpenAI, minilm: "Embedder", body: dict[str, Any], on_truncation: Any
) -> None:
    answer = client.embeddings.create(model=NAME, input=["a", LONG], extra_body=body)
    assert same_bits(vectors(answer), minilm.encode(["a", LONG], on_truncation=on_truncation))


def test_what_was_cut_is_reported(server: "RunningServer") -> None:
    answer = post(server, {"input": ["a", LONG, "b", LONG + "!"], "on_truncation": "cut"})
    assert answer.headers["x-truncated-inputs"] == "2"
    assert answer.headers["x-truncated-indices"] == "1,3"
    body = answer.json()
    assert [item.get("truncated", False) for item in body["data"]] == [False, True, False, True]
    assert body["usage"]["truncated_inputs"] == 2
    assert post(server, {"input": "a"}).headers["x-truncated-inputs"] == "0"


def test_the_operator_may_say_it_too(start_server: "StartServer", minilm: "Embedder") -> None:
    cutting = start_server(on_truncation="cut")
    answer = post(cutting, {"input": LONG}, accept="application/octet-stream")
    expected = minilm.encode([LONG], on_truncation="ignore")
    assert same_bits(np.frombuffer(answer.content, "<f4").reshape(1, -1), expected)
    assert post(cutting, {"input": LONG, "on_truncation": "error"}).status_code == 400


def test_shorter_vectors_are_refused_until_they_are_allowed(client: openai.OpenAI, minilm: "Embedder") -> None:
    with pytest.raises(openai.BadRequestError, match="--allow-dimensions") as caught:
        client.embeddings.create(model=NAME, input="a", dimensions=128)
    assert caught.value.param == "dimensions"
    assert same_bits(vectors(client.embeddings.create(model=NAME, input="a", dimensions=384)), minilm.encode(["a"]))


def test_shorter_vectors_are_those_of_the_library(start_server: "StartServer", minilm: "Embedder") -> None:
    url = f"{start_server(allow_dimensions=True).url}/v1"
    with openai.OpenAI(base_url=url, api_key="any") as client:
        answer = client.embeddings.create(model=NAME, input=TEXTS, dimensions=128)
        assert same_bits(vectors(answer), minilm.encode(TEXTS, dimensions=128))
        with pytest.raises(openai.BadRequestError, match="vectors of 1 to 384"):
            client.embeddings.create(model=NAME, input="a", dimensions=385)


def test_tasks_choose_prompts_and_unknown_ones_are_refused(server: "RunningServer", client: openai.OpenAI) -> None:
    plain = post(server, {"input": "a"}).json()
    for body in ({"task": "retrieval.query"}, {"task": "text-matching"}, {"input_type": "passage"}):
        assert post(server, {"input": "a", **body}).json() == plain  # the model has no prompts
    for name in ("task", "input_type"):
        with pytest.raises(openai.BadRequestError, match="choose from: query") as caught:
            client.embeddings.create(model=NAME, input="a", extra_body={name: "dancing"})
        assert caught.value.param == name
    with pytest.raises(openai.BadRequestError, match="no prompt named 'q'"):
        client.embeddings.create(model=NAME, input="a", extra_body={"prompt_name": "q"})


def test_queries_and_documents_have_the_prompts_of_the_model(tmp_path: Path) -> None:
    folder = write_seeded_checkpoint(tmp_path, size="tiny")
    prompts = {"query": "find: ", "document": "keep: ", "other": "else: "}
    (folder / "config_sentence_transformers.json").write_text(json.dumps({"prompts": prompts}))
    model = gtekit.load(folder, language_warning=False)
    asked: list[tuple[dict[str, str], Floats]] = [
        ({}, model.encode(TEXTS)),
        ({"task": "retrieval.query"}, model.encode_query(TEXTS)),
        ({"input_type": "search_document"}, model.encode_document(TEXTS)),
        ({"input_type": "query", "prompt_name": "other"}, model.encode(TEXTS, prompt_name="other")),
    ]
    with running({"tiny": model}, ServerSettings(port=0, model=("tiny",), log="off")) as held:
        for body, expected in asked:
            answer = post(held, {"input": TEXTS, **body}, accept="application/octet-stream")
            assert answer.content == expected.tobytes()


def test_late_chunking_is_refused_with_what_there_is(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="on_truncation"):
        client.embeddings.create(model=NAME, input="a", extra_body={"late_chunking": True})
    client.embeddings.create(model=NAME, input="a", extra_body={"late_chunking": False})


@pytest.mark.parametrize(
    ("given", "param", "code"),
    [
        ("", "input", "empty_input"),
        ([], "input", "empty_input"),
        (["a", ""], "input", "empty_input"),
        ([[1, 2], [3]], "input", "token_ids_not_supported"),
        ([1, 2, 3], "input", "token_ids_not_supported"),
        (["a", None], "input", "invalid_json"),
        ({"a": "b"}, "input", "invalid_json"),
        (["a\x00b" * 400_000], "input", "context_length_exceeded"),
    ],
)
def test_what_can_not_be_embedded_is_a_bad_request(client: openai.OpenAI, given: Any, param: str, code: str) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.embeddings.create(model=NAME, input=given)
    error = caught.value
    assert (error.param, error.code, error.type) == (param, code, "invalid_request_error")
    assert error.request_id
    assert isinstance(error.body, dict)
    assert set(error.body) == {"message", "type", "param", "code"}


def test_a_wrong_key_is_an_authentication_error(start_server: "StartServer", tmp_path: Path) -> None:
    keys = tmp_path / "keys.toml"
    keys.write_text(f'[[key]]\nname = "me"\nsha256 = "{sha256_of("right")}"\n')
    keys.chmod(0o600)
    url = f"{start_server(keys_file=keys).url}/v1"
    with openai.OpenAI(base_url=url, api_key="right", max_retries=0) as client:
        assert len(client.embeddings.create(model=NAME, input="a").data) == 1
        with pytest.raises(openai.AuthenticationError) as caught:
            client.with_options(api_key="wrong").embeddings.create(model=NAME, input="a")
    assert caught.value.code == "invalid_api_key"


def test_a_client_that_hangs_up_amid_an_answer_leaves_the_server_well(
    server: "RunningServer", client: openai.OpenAI, minilm: "Embedder"
) -> None:
    texts = [f"text {number}" for number in range(10 * SLICE_ROWS)]
    for _ in range(3):
        with httpx.stream("POST", f"{server.url}/v1/embeddings", json={"input": texts}, timeout=60) as answer:
            assert next(answer.iter_raw(1000)).startswith(b'{"object":"list","data":[{')
    assert same_bits(vectors(client.embeddings.create(model=NAME, input="a")), minilm.encode(["a"]))


def test_a_model_that_is_not_there_is_not_found(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="text-embedding-3-small") as caught:
        client.embeddings.create(model="text-embedding-3-small", input="a")
    assert caught.value.code == "model_not_found"
    with pytest.raises(openai.NotFoundError) as caught:
        client.embeddings.create(model="x" * 1_000_000, input="a")
    assert len(caught.value.message) < 4000
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("text-embedding-3-small")


def test_a_client_with_a_fixed_name_is_served_by_an_alias(start_server: "StartServer") -> None:
    url = f"{start_server(alias=(f'text-embedding-3-small={NAME}',)).url}/v1"
    with openai.OpenAI(base_url=url, api_key="any") as client:
        assert client.embeddings.create(model="text-embedding-3-small", input="a").model == NAME
        assert client.models.retrieve("text-embedding-3-small").id == NAME


def test_models_are_listed(client: openai.OpenAI, server: "RunningServer") -> None:
    listed = client.models.list().data
    assert [model.id for model in listed] == [NAME]
    assert client.models.retrieve(NAME) == listed[0]
    for path, kind in (("/models", ModelList), (f"/models/{NAME}", Model)):
        answer = httpx.get(server.url + path)
        assert answer.content == httpx.get(f"{server.url}/v1{path}").content
        msgspec.json.decode(answer.content, type=kind)


def test_too_many_texts_are_refused_with_the_limit(start_server: "StartServer") -> None:
    small = start_server(max_texts=3)
    answer = post(small, {"input": ["a"] * 4})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "too_many_texts"
    assert post(small, {"input": ["a"] * 3}).status_code == 200


def test_a_full_queue_is_a_rate_limit_that_says_when_to_come_back(start_server: "StartServer") -> None:
    answers = asyncio.run(ask_at_once(start_server(max_queue_tokens=600), max_retries=0))
    refused = [answer for answer in answers if isinstance(answer, openai.RateLimitError)]
    assert 1 <= len(refused) < len(answers)
    for error in refused:
        assert (error.code, error.type) == ("overloaded", "rate_limit_error")
        assert int(error.response.headers["retry-after-ms"]) >= 1
        assert int(error.response.headers["retry-after"]) >= 1


def test_a_client_that_comes_back_when_it_was_told_to_is_served(
    start_server: "StartServer", minilm: "Embedder"
) -> None:
    answers = asyncio.run(ask_at_once(start_server(max_queue_tokens=600), max_retries=20))
    assert max(answer.retries_taken for answer in answers) >= 1
    for number, answer in enumerate(answers):
        assert same_bits(vectors(answer.parse()), minilm.encode(many_texts(number)))


def many_texts(number: int) -> list[str]:
    return [f"{number} times {other} is some number, or so they say" for other in range(40)]


async def ask_at_once(server: "RunningServer", max_retries: int) -> list[Any]:
    async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="any", max_retries=max_retries) as client:
        raw = client.embeddings.with_raw_response
        asked = [raw.create(model=NAME, input=many_texts(number)) for number in range(5)]
        return await asyncio.gather(*asked, return_exceptions=True)


def test_base64_has_the_standard_alphabet_and_no_line_breaks(server: "RunningServer") -> None:
    item = post(server, {"input": "a", "encoding_format": "base64"}).json()["data"][0]
    assert len(base64.b64decode(item["embedding"], validate=True)) == 4 * 384
